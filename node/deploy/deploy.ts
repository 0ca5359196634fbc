/**
 * `npm run deploy`: creates or upgrades the platform in a Cloudflare account. It asks once, and keeps the answers and
 * the secrets that it makes in `.deploy`. docs/deployment.md describes the options.
 */
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { buildWeb, requirePackages, WRANGLER } from "../start/platform.ts";
import { Processes, ROOT } from "../start/processes.ts";
import { type Deployment, deploy, type Resources } from "./deployment.ts";
import { DeployMemory } from "./memory.ts";
import { readOptions } from "./options.ts";

await Processes.session(async (processes) => {
  requirePackages();
  const options = readOptions(process.argv.slice(3));
  const terminal = process.stdin.isTTY
    ? createInterface({ input: process.stdin, output: process.stdout })
    : null;
  const deployment: Deployment = {
    options,
    resources: await readResources(),
    memory: new DeployMemory(path.join(ROOT, ".deploy")),
    environment: process.env,
    wrangler: (args, { environment = {}, isShown = false } = {}) =>
      processes.run(`wrangler ${args.slice(0, 2).join(" ")}`, [WRANGLER, ...args], { environment, isShown }),
    build: () => buildWeb(processes),
    ask: terminal && ((question) => terminal.question(question)),
    say: console.log,
    fetch: (url, init) => fetch(url, init),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
  try {
    await deploy(deployment);
  } finally {
    terminal?.close();
  }
});

interface QueueSettings {
  readonly producers?: readonly { readonly queue?: string }[];
  readonly consumers?: readonly { readonly queue: string; readonly dead_letter_queue?: string }[];
}

/** Reads the names of the resources from wrangler.toml. */
async function readResources(): Promise<Resources> {
  const { unstable_readConfig } = await import("wrangler");
  const config = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
  const { producers = [], consumers = [] }: QueueSettings = config.queues;
  return {
    database: config.d1_databases[0]!.database_name!,
    bucket: config.r2_buckets[0]!.bucket_name as string,
    queues: [
      ...new Set([
        ...producers.map(({ queue }) => queue!),
        ...consumers.flatMap(({ queue, dead_letter_queue }) => [
          queue,
          ...(dead_letter_queue ? [dead_letter_queue] : []),
        ]),
      ]),
    ].sort(),
  };
}
