import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { HOST } from "./ports.ts";
import { type Processes, ROOT, StartError } from "./processes.ts";
import { randomToken, type State } from "./state.ts";

const CRON_MILLISECONDS = 60_000;

/** How often the edge is asked for a page, how long a response may take, and how many may be missing in a row. */
const PROBE_MILLISECONDS = 2_000;
const RESPONSE_MILLISECONDS = 10_000;
const MISSING_RESPONSES = 2;

const READY_MILLISECONDS = 60_000;

export const WRANGLER = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const VITE = path.join(ROOT, "node_modules/vite/bin/vite.js");

interface PlatformOptions {
  readonly state: State;
  /** The Worker's port on loopback. */
  readonly port: number;
  readonly compilerPort: number;
  /** The folder of static assets, relative to the repository; that of wrangler.toml when absent. */
  readonly assets?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Whether `restartCompiler` restarts a Node compiler that ends. Otherwise its end stops everything. */
  readonly reloads?: boolean;
}

export interface Platform {
  /** Address of the edge, without a slash at its end. */
  readonly url: string;
  /** Opens the setup page until the platform has an owner. Valid until this process ends. */
  readonly setupToken: string;
  /** Opens the development mailbox. Valid until this process ends. */
  readonly mailboxToken: string;
  /** Starts the Node compiler again, with the code as it is now. */
  restartCompiler(): Promise<void>;
  /** Stops the edge and the Node compiler. */
  stop(): Promise<void>;
}

export function requirePackages(): void {
  if (!existsSync(WRANGLER) || !existsSync(VITE))
    throw new StartError("Packages are missing. Run `npm ci` first.");
}

/** What the studio and the viewer are built of. */
const WEB_SOURCES = ["client", "compiler", "messages", "player", "web"];

/**
 * Returns whether web/dist is newer than its sources. A build empties the folder, which other running copies would
 * notice.
 */
export function isWebBuilt(): boolean {
  // The last file of a build.
  const page = path.join(ROOT, "web/dist/viewer.html");
  if (!existsSync(page)) return false;
  const builtAt = statSync(page).mtimeMs;
  const sources = WEB_SOURCES.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) =>
      path.join(folder, file),
    ),
  ).filter((file) => !file.startsWith(path.join("web", "dist")) && !file.endsWith(".tsbuildinfo"));
  return ["package-lock.json", ...sources].every((file) => statSync(path.join(ROOT, file)).mtimeMs < builtAt);
}

/** Builds the studio and the viewer into web/dist. */
export async function buildWeb(processes: Processes): Promise<void> {
  await processes.run("The web build", [VITE, "build", "web", "--logLevel", "warn"]);
}

export async function applyMigrations(processes: Processes, state: State): Promise<void> {
  await processes.run("The database migration", [
    WRANGLER,
    ...["d1", "migrations", "apply", "DB", "--local", "--persist-to", state.folder],
  ]);
}

/** Runs a file of SQL statements on the database of a state whose platform is stopped. */
export async function runSqlFile(processes: Processes, state: State, file: string): Promise<void> {
  await processes.run("The SQL", [...executeSql(state), "--file", file]);
}

/** Returns the rows of a query on the database of a state whose platform is stopped. */
export async function querySql<Row>(processes: Processes, state: State, query: string): Promise<Row[]> {
  const printed = await processes.run("The SQL", [...executeSql(state), "--json", "--command", query]);
  return JSON.parse(printed.slice(printed.indexOf("[")))[0].results;
}

function executeSql(state: State): string[] {
  return [WRANGLER, ...["d1", "execute", "DB", "--local", "--yes", "--persist-to", state.folder]];
}

/**
 * Starts the Node compiler and `wrangler dev`, waits until both are healthy, and calls the cron handler every
 * minute, which `wrangler dev` never does by itself.
 */
export async function startPlatform(processes: Processes, options: PlatformOptions): Promise<Platform> {
  const { state, port, compilerPort, assets, variables = {}, reloads } = options;
  const compilerSecret = randomBytes(32).toString("hex");
  const setupToken = randomToken();
  const mailboxToken = randomToken();
  const file = state.writeVariables({
    COMPILER_SECRET: compilerSecret,
    COMPILER_URL: `http://${HOST}:${compilerPort}`,
    COMPILE_PLACES: String(availableParallelism()),
    PUBLIC_URL: process.env.PUBLIC_URL ?? "",
    SECRETS_KEYS: state.secret("secrets.key", () => `local:${randomBytes(32).toString("base64")}`),
    AUTH_SECRET: state.secret("auth.key", randomToken),
    SETUP_TOKEN: setupToken,
    MAILBOX_TOKEN: mailboxToken,
    ALLOW_PRIVATE_STORAGE: "true",
    EDGE_CACHE: "",
    ...variables,
  });

  const startCompiler = () =>
    processes.serve({
      name: "The Node compiler",
      args: [path.join(ROOT, "node/main.ts")],
      environment: {
        COMPILER_SECRET: compilerSecret,
        COMPILER_HOST: HOST,
        COMPILER_PORT: String(compilerPort),
      },
      // Its log has a line for each job; the studio shows the same.
      output: "ignore",
      reloads,
    });
  let compiler: ChildProcess = startCompiler();

  const startEdge = () =>
    processes.serve({
      name: "The edge (wrangler dev)",
      args: [
        WRANGLER,
        ...["dev", "--ip", HOST, "--port", String(port), "--inspector-port", "0"],
        ...[
          "--persist-to",
          state.folder,
          "--env-file",
          file,
          ...ownVariables(),
          ...(assets ? ["--assets", assets] : []),
        ],
        ...["--show-interactive-dev-session=false", "--log-level", "error"],
      ],
      output: "inherit",
    });
  let edge: ChildProcess = startEdge();

  const url = `http://${HOST}:${port}`;
  const cron = `${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}`;
  // The sweep of a state that was stopped for a while stands still until it runs.
  await untilHealthy(`${url}/api/health`, () => fetch(cron));
  const watch = watchEdge(`${url}/v/watch`, async () => {
    console.error("The edge does not respond. It is started again.");
    await processes.end(edge);
    if (processes.stopping) return;
    edge = startEdge();
    await untilHealthy(`${url}/api/health`, () => fetch(cron)).catch(() => {});
  });
  const timer = setInterval(() => void fetch(cron).catch(() => {}), CRON_MILLISECONDS).unref();
  return {
    url,
    setupToken,
    mailboxToken,
    async restartCompiler() {
      await processes.end(compiler);
      if (!processes.stopping) compiler = startCompiler();
    },
    async stop() {
      clearInterval(timer);
      watch.stop();
      await Promise.all([processes.end(edge), processes.end(compiler)]);
    },
  };
}

/** The developer's own settings, which win over the others: see .dev.vars.example. */
function ownVariables(): string[] {
  const file = path.join(ROOT, ".dev.vars");
  return existsSync(file) ? ["--env-file", file] : [];
}

/** Prints where to go. `origin` is the address that the person at the terminal opens. */
export async function announce(platform: Platform, origin: string, state: State): Promise<void> {
  const { open } = (await (await fetch(`${platform.url}/api/setup`)).json()) as { open: boolean };
  console.log(`\nVivimark is ready:  ${origin}${open ? `/setup#${platform.setupToken}` : ""}\n`);
  if (open) console.log("  This link makes you the platform's owner. It works once.\n");
  console.log(`  API reference     ${origin}/reference`);
  console.log(`  Mailbox           ${origin}/mailbox#${platform.mailboxToken}`);
  console.log(`  State             ${state.name}`);
  console.log("  Stop              Ctrl-C\n");
}

/**
 * Calls `restart` when the edge stops responding. When a workerd dies, wrangler starts another one, to which its own
 * proxy may never connect: requests then wait without end.
 */
function watchEdge(url: string, restart: () => Promise<void>): { stop(): void } {
  let missing = 0;
  let timer: NodeJS.Timeout | undefined;
  const probe = async () => {
    missing = (await responds(url)) ? 0 : missing + 1;
    if (!timer) return;
    if (missing >= MISSING_RESPONSES) {
      missing = 0;
      await restart();
    }
    if (timer) next();
  };
  const next = () => {
    timer = setTimeout(probe, PROBE_MILLISECONDS).unref();
  };
  next();
  return {
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

async function responds(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_MILLISECONDS) }).catch(() => null);
  await response?.body?.cancel();
  return response !== null;
}

/** Waits until the edge reports that it and its dependencies are healthy. Runs the sweep when it first responds. */
async function untilHealthy(url: string, sweep: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + READY_MILLISECONDS;
  let isSwept = false;
  while (Date.now() < deadline) {
    // A request to a workerd that dies at this moment never ends.
    const answer = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_MILLISECONDS) }).catch(() => null);
    if (answer?.ok) return;
    if (answer && !isSwept) {
      isSwept = true;
      await sweep().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new StartError(`The edge did not become healthy within ${READY_MILLISECONDS / 1000} s: see ${url}`);
}
