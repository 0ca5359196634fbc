import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DeployMemory } from "../deploy/memory.ts";
import { WRANGLER } from "../start/platform.ts";
import { type Processes, ROOT, StartError } from "../start/processes.ts";
import { State } from "../start/state.ts";
import type { Bucket, Database, Stores } from "./stores.ts";

/** The command line of `npm run backup` and `npm run restore`. */
export interface Options {
  readonly folder: string;
  readonly isRemote: boolean;
}

/** Throws a StartError unless the arguments are a folder and at most `--remote`. */
export function readOptions(command: string, args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { remote: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    const [folder, ...others] = positionals;
    if (folder && others.length === 0) return { folder: path.resolve(folder), isRemote: values.remote };
  } catch {
    // Explained below.
  }
  throw new StartError(`Usage: npm run ${command} -- FOLDER [--remote]`);
}

/** Where the stores are, in words for messages. */
export interface Connection {
  readonly stores: Stores;
  readonly place: string;
}

/**
 * Opens the database and the files of the local platform, or those in the Cloudflare account of the deployment. With
 * `create`, missing ones are created there. Locks the local state until the process ends.
 */
export async function connect(
  processes: Processes,
  { isRemote }: Pick<Options, "isRemote">,
  { create }: { readonly create: boolean },
): Promise<Connection> {
  const names = await readNames();
  if (!isRemote) {
    const state = State.open(".wrangler/state");
    if (!create && state.isNew) throw new StartError(`There is no platform in ${state.name}.`);
    return { stores: await openStores(processes, names, state.folder), place: state.name };
  }
  const account =
    process.env.CLOUDFLARE_ACCOUNT_ID ?? new DeployMemory(path.join(ROOT, ".deploy")).answers.account;
  // wrangler reads it in this process too.
  if (account) process.env.CLOUDFLARE_ACCOUNT_ID = account;
  const run = (...args: string[]) =>
    processes.run(`wrangler ${args.slice(0, 2).join(" ")}`, [WRANGLER, ...args]);
  const find = async () => {
    const printed = await run("d1", "list", "--json");
    const databases: { name: string; uuid: string }[] = JSON.parse(printed.slice(printed.indexOf("[")));
    return databases.find(({ name }) => name === names.database)?.uuid;
  };
  let databaseId = await find();
  if (!databaseId && create) {
    await run("d1", "create", names.database);
    databaseId = await find();
  }
  if (!databaseId) throw new StartError(`There is no D1 database ${names.database} in the account.`);
  if (create) {
    await run("r2", "bucket", "create", names.bucket).catch((error: Error) => {
      if (!/already exists/.test(error.message)) throw error;
    });
  }
  const stores = await openStores(processes, { ...names, databaseId, remote: true });
  return { stores, place: `the database ${names.database} and the bucket ${names.bucket} on Cloudflare` };
}

interface Names {
  readonly database: string;
  readonly databaseId: string;
  readonly bucket: string;
  readonly remote?: boolean;
}

/** Opens the stores as bindings. `state`: the folder of local ones. */
async function openStores(
  processes: Pick<Processes, "onStop">,
  { database, databaseId, bucket, remote = false }: Names,
  state?: string,
): Promise<Stores> {
  const { getPlatformProxy } = await import("wrangler");
  const folder = mkdtempSync(path.join(tmpdir(), "vivimark-backup-"));
  const configPath = path.join(folder, "wrangler.json");
  const config = {
    name: "vivimark-backup",
    compatibility_date: "2026-10-01",
    d1_databases: [{ binding: "DB", database_name: database, database_id: databaseId, remote }],
    r2_buckets: [{ binding: "BUCKET", bucket_name: bucket, remote }],
  };
  writeFileSync(configPath, JSON.stringify(config));
  const { env, dispose } = await getPlatformProxy<{ DB: Database; BUCKET: Bucket }>({
    configPath,
    persist: state ? { path: path.join(state, "v3") } : false,
    remoteBindings: remote,
  });
  processes.onStop(async () => {
    await dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  return { database: env.DB, bucket: env.BUCKET };
}

async function readNames(): Promise<Names> {
  const { unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  const [database] = config.d1_databases;
  return {
    database: database.database_name,
    databaseId: database.preview_database_id,
    bucket: config.r2_buckets[0].bucket_name,
  };
}
