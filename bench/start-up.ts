// Measures how much processor time workerd takes to start the Worker and to respond to a visitor whose photo does not
// exist, with the modules that are deployed and with one script that holds all of them. workerd runs alone, with an empty
// database. Linux only.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { arch, cpus, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { unstable_readConfig } from "wrangler";
import { writeResults } from "./results.ts";
import { median, spread } from "./statistics.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const WORKERD = `node_modules/@cloudflare/workerd-linux-${arch() === "x64" ? "64" : arch()}/bin/workerd`;
const ROUNDS = 25;
const POLL_MILLISECONDS = 5;
/** Most milliseconds of the processor for a visitor. */
const GOAL = 40;
/** With this compatibility flag, workerd compiles a module when it is first imported. */
const LAZY = "new_module_registry";
const VISIT = { path: "/api/viewer/unknown", status: 404 };
const API = { path: "/api/me", status: 401 };

interface Side {
  readonly name: string;
  /** Has `index.js` and the modules that it imports. */
  readonly folder: string;
  readonly flags: readonly string[];
  readonly request: { readonly path: string; readonly status: number };
  readonly goal?: number;
  readonly times: number[];
}

/** Adds the entry of this benchmark to a folder of modules, and workerd's configuration. */
function configure({ folder, flags }: Side): void {
  const { compatibility_date: date, vars } = unstable_readConfig({
    config: path.join(ROOT, "wrangler.toml"),
  });
  cpSync(path.join(import.meta.dirname, "start-up/entry.js"), path.join(folder, "entry.js"));
  const others = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "entry.js");
  const modules = ["entry.js", ...others].map((name) => `(name = "${name}", esModule = embed "${name}")`);
  const secret = "a secret of this benchmark, which is long enough";
  // No counters and no cache.
  const variables = Object.entries({ ...vars, RATE_LIMITS: "", EDGE_CACHE: "", AUTH_SECRET: secret });
  const bindings = variables.map(([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`);
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  bindings = [${bindings.join(", ")}],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},
);
`;
  writeFileSync(path.join(folder, "config.capnp"), config);
}

/** Returns the milliseconds of the processor that workerd takes to start and to send its first response. */
async function startUp({ folder, request }: Side): Promise<number> {
  const port = await freePort();
  // wrangler passes this option, too: without it, workerd refuses the flag, which Cloudflare offers to everybody.
  const args = ["serve", "--experimental", path.join(folder, "config.capnp")];
  const workerd = spawn(path.join(ROOT, WORKERD), [...args, "--socket-addr", `http=127.0.0.1:${port}`], {
    stdio: "ignore",
  });
  const ended = once(workerd, "exit");
  try {
    let response: Response | null = null;
    while (!response) {
      if (workerd.exitCode !== null) throw new Error(`workerd ended with ${workerd.exitCode}.`);
      await setTimeout(POLL_MILLISECONDS);
      response = await fetch(`http://127.0.0.1:${port}${request.path}`).catch(() => null);
    }
    const body = await response.text();
    if (response.status !== request.status)
      throw new Error(`${request.path}: ${response.status}, expected ${request.status}: ${body}`);
    const threads = readdirSync(`/proc/${workerd.pid}/task`);
    const times = threads.map((thread) =>
      Number(readFileSync(`/proc/${workerd.pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  } finally {
    workerd.kill("SIGKILL");
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function main(): Promise<void> {
  const load = loadavg()[0].toFixed(1);
  const temporary = mkdtempSync(path.join(tmpdir(), "vivimark-start-up-"));
  const folderOf = (name: string) => path.join(temporary, name);
  try {
    execFileSync(process.execPath, [path.join(ROOT, "node/deploy/build-worker.ts")], { stdio: "inherit" });
    cpSync(path.join(ROOT, "dist/worker"), folderOf("modules"), { recursive: true });
    await build({
      entryPoints: [path.join(folderOf("modules"), "index.js")],
      outdir: folderOf("script"),
      bundle: true,
      format: "esm",
      minify: true,
      external: ["cloudflare:*", "node:*"],
    });
    cpSync(path.join(import.meta.dirname, "start-up"), folderOf("floor"), { recursive: true });

    const config = unstable_readConfig({ config: path.join(ROOT, "wrangler.toml") });
    const lazy: readonly string[] = config.compatibility_flags;
    const eager = lazy.filter((flag) => flag !== LAZY);
    const side = (name: string, folder: string, fields: Pick<Side, "flags"> & Partial<Side>): Side => {
      return { name, folder: folderOf(folder), request: VISIT, times: [], ...fields };
    };
    const floor = side("an empty script, the flag off", "floor", { flags: eager });
    const deployed = side("modules, as deployed: a viewer", "modules", { flags: lazy, goal: GOAL });
    const api = side("modules, as deployed: the API", "modules", { flags: lazy, request: API });
    const single = side("one script, the flag off: a viewer", "script", { flags: eager });
    const sides = [floor, deployed, api, single];
    for (const each of sides) configure(each);
    for (let round = 0; round < ROUNDS; round++) {
      for (const each of sides) each.times.push(await startUp(each));
    }

    const own = ({ times }: Side) => median(times) - median(floor.times);
    const lines = sides.map((each) => {
      const { name, times, goal } = each;
      const verdict = goal === undefined ? "" : `${goal}: ${own(each) <= goal ? "reached" : "missed"}`;
      return `| ${[name, spread(times), each === floor ? "" : own(each).toFixed(0), verdict].join(" | ")} |`;
    });
    const text = [
      "## Starting an isolate",
      "",
      `Written by \`npm run bench:start-up\` (bench/start-up.ts), on ${cpus().length} × ${cpus()[0].model}; Node ${process.version};`,
      `load average at the start ${load}. Milliseconds of the processor until workerd, which has just started, has sent its`,
      `first response: median of ${ROUNDS} runs in turns (range), and the same less that of an empty script. The flag is`,
      `\`${LAZY}\`, with which workerd compiles a module when it is first imported.`,
      "",
      "| first request | workerd, ms | the Worker, ms | goal |",
      "|---|---|---|---|",
      ...lines,
      "",
      `For a viewer, modules take ${(own(deployed) / own(single)).toFixed(2)} of the processor time of one script.`,
    ].join("\n");
    console.log(text);
    writeResults("start-up", text);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

await main();
