// The Worker as `npm start` runs it: `wrangler dev` with the real workerd, in a process group to kill.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { becomeFirstOwner, withKey } from "../first-owner.ts";
import { Api, until } from "./api.ts";
import { freePort, SECRET } from "./compiler.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const WRANGLER = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");

const ENVIRONMENT = {
  ...process.env,
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CI: "true",
};

export class Edge {
  readonly api: Api;
  #key = "";
  /** The origin. */
  readonly url: string;
  /** The origin of the inspector. */
  readonly inspector: string;
  #callers: Record<string, string>[] = [];
  readonly #port: number;
  readonly #inspectorPort: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(port: number, inspectorPort: number, folder: string) {
    this.#port = port;
    this.#inspectorPort = inspectorPort;
    this.inspector = `http://127.0.0.1:${inspectorPort}`;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.api = new Api((resource, init) => fetch(this.url + resource, withKey(this.#key, init)));
  }

  /** Creates a database and a storage in a folder of their own, without starting the process. */
  static async create(vars: Record<string, string>): Promise<Edge> {
    const folder = await mkdtemp(path.join(tmpdir(), "vivimark-faults-"));
    const lines = Object.entries({
      ...vars,
      COMPILER_SECRET: SECRET,
      AUTH_SECRET: SECRET,
      SETUP_TOKEN: SECRET,
    }).map(([name, value]) => `${name}=${value}`);
    await writeFile(path.join(folder, "vars.env"), `${lines.join("\n")}\n`);
    const migrate = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", folder];
    await promisify(execFile)(process.execPath, [WRANGLER, ...migrate], { cwd: ROOT, env: ENVIRONMENT });
    return new Edge(await freePort(), await freePort(), folder);
  }

  async start(): Promise<void> {
    this.#output = "";
    const child = spawn(
      process.execPath,
      [
        WRANGLER,
        ...["dev", "--ip", "127.0.0.1", "--port", String(this.#port)],
        ...["--inspector-port", String(this.#inspectorPort)],
        ...["--persist-to", this.#folder, "--env-file", path.join(this.#folder, "vars.env")],
        "--show-interactive-dev-session=false",
      ],
      { cwd: ROOT, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    this.#process = child;
    child.stdout!.on("data", (text) => (this.#output += text));
    child.stderr!.on("data", (text) => (this.#output += text));
    await until(
      "answered",
      async () => {
        if (child.exitCode !== null) throw new Error(`wrangler dev ended: ${this.#output}`);
        const answer = await fetch(`${this.url}/api/setup`).catch(() => null);
        return { status: answer?.status, output: this.#output };
      },
      ({ status }) => status === 200,
    );
    if (this.#key) return;
    const { key, cookies } = await becomeFirstOwner(this.url, SECRET);
    this.#key = key;
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    this.#callers = [{ Authorization: `Bearer ${key}` }, { Cookie: cookie }];
  }

  /** The headers of a program and of a person, both of the first company. */
  get callers(): readonly Readonly<Record<string, string>>[] {
    return this.#callers;
  }

  /** Returns the only row of a database query. */
  one<Row>(sql: string): Row {
    const database = new DatabaseSync(this.#databaseFile(), { readOnly: true });
    try {
      return database.prepare(sql).get() as Row;
    } finally {
      database.close();
    }
  }

  /** Changes the database, in one transaction, while the process is not running. */
  change(statements: readonly string[]): void {
    const database = new DatabaseSync(this.#databaseFile());
    try {
      database.exec(`BEGIN; ${statements.join(";")}; COMMIT`);
    } finally {
      database.close();
    }
  }

  #databaseFile(): string {
    const folder = path.join(this.#folder, "v3/d1");
    const file = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((name) =>
      /[0-9a-f]{64}\.sqlite$/.test(name),
    );
    return path.join(folder, file!);
  }

  /** Kills wrangler and workerd at once. Every message in the queues is lost. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    process.kill(-child.pid!, "SIGKILL");
    await once(child, "exit");
  }

  /** Returns the bytes of memory that workerd holds, including the emulated bucket and database. Linux only. */
  async memory(): Promise<number> {
    const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
    const sizes = ids.map(async (id) => {
      const stat = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
      const [, name, group] = /\((.*)\) \S \d+ (\d+)/.exec(stat) ?? [];
      if (name !== "workerd" || Number(group) !== this.#process?.pid) return 0;
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
    });
    return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Runs the cron job of every minute. */
  async sweep(): Promise<void> {
    const response = await fetch(
      `${this.url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}`,
    );
    if (!response.ok)
      throw new Error(`The cron job returned status ${response.status}: ${await response.text()}`);
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
