/**
 * `npm start`: the whole platform on this machine, on loopback, with nothing to configure.
 * Builds the web app, applies the D1 migrations, starts the Node compiler and `wrangler dev`, fires the cron
 * that never fires by itself under `wrangler dev`, and stops both on Ctrl-C. State persists in `.wrangler/state`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const HOST = "127.0.0.1";
const CRON_MILLISECONDS = 60_000;
const READY_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 10_000;

const WRANGLER = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");
const VITE = path.join(ROOT, "node_modules/vite/bin/vite.js");
const STATE = path.resolve(ROOT, process.env.VIVIMARK_STATE ?? ".wrangler/state");

/** Keeps wrangler offline and from asking questions. */
const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CI: "true",
};

/** A failure that the person at the terminal can mend; printed without a stack. */
class StartError extends Error {}

const children: ChildProcess[] = [];
let stopping = false;

try {
  await start();
} catch (error) {
  await stop();
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function start(): Promise<void> {
  const port = portFrom("PORT", 8787);
  const compilerPort = portFrom("COMPILER_PORT", 8788);
  if (port === compilerPort)
    throw new StartError(`PORT and COMPILER_PORT are both ${port}; give each its own.`);
  if (!existsSync(WRANGLER) || !existsSync(VITE))
    throw new StartError("Packages are missing: run `npm ci` first.");
  await requireFreePort("PORT", port);
  await requireFreePort("COMPILER_PORT", compilerPort);

  process.once("SIGINT", () => void finish());
  process.once("SIGTERM", () => void finish());

  console.log("Building the web app …");
  await run("The web build", [VITE, "build", "web", "--logLevel", "warn"]);
  console.log("Applying database migrations …");
  await run("The database migration", [
    WRANGLER,
    ...["d1", "migrations", "apply", "DB", "--local", "--persist-to", STATE],
  ]);

  const secret = randomBytes(32).toString("hex");
  // Good until this process ends.
  const links = { setup: randomToken(), mailbox: randomToken() };
  const settings = writeSettings(secret, compilerPort, links);
  keep("The Node compiler", [path.join(ROOT, "node/main.ts")], {
    COMPILER_SECRET: secret,
    COMPILER_HOST: HOST,
    COMPILER_PORT: String(compilerPort),
  });
  keep("The edge (wrangler dev)", [
    WRANGLER,
    ...["dev", "--ip", HOST, "--port", String(port), "--inspector-port", "0", "--persist-to", STATE],
    ...["--env-file", settings, "--show-interactive-dev-session=false", "--log-level", "error"],
  ]);

  const address = `http://localhost:${port}`;
  await untilReady(`http://${HOST}:${port}/api/health`);
  const cron = `http://${HOST}:${port}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}`;
  setInterval(() => void fetch(cron).catch(() => {}), CRON_MILLISECONDS).unref();

  const { open } = (await (await fetch(`http://${HOST}:${port}/api/setup`)).json()) as { open: boolean };
  console.log(`\nVivimark is ready:  ${address}${open ? `/setup#${links.setup}` : ""}\n`);
  if (open) console.log("  That link makes you its owner, once.\n");
  console.log(`  API docs          ${address}/api/docs`);
  console.log(`  Mailbox           ${address}/mailbox#${links.mailbox}`);
  console.log(`  State             ${path.relative(ROOT, STATE) || STATE}`);
  console.log("  Stop              Ctrl-C\n");
}

/** A TCP port from the environment, or its default. */
function portFrom(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new StartError(`${name} is "${text}"; expected a whole number from 1 to 65535.`);
  return port;
}

function requireFreePort(name: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is taken by another program" : `cannot be used (${error.code})`;
      reject(
        new StartError(`Port ${port} ${why}: choose another, for example ${name}=${port + 100} npm start`),
      );
    });
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

/** Values that `wrangler dev` takes from a file, so that the shared secret shows in no process list. */
function writeSettings(
  secret: string,
  compilerPort: number,
  links: { readonly setup: string; readonly mailbox: string },
): string {
  mkdirSync(STATE, { recursive: true });
  const file = path.join(STATE, "start.env");
  const lines = [
    `COMPILER_SECRET=${secret}`,
    `COMPILER_URL=http://${HOST}:${compilerPort}`,
    `PUBLIC_URL=${process.env.PUBLIC_URL ?? ""}`,
    `SECRETS_KEYS=${kept("secrets.key", () => `local:${randomBytes(32).toString("base64")}`)}`,
    `AUTH_SECRET=${kept("auth.key", randomToken)}`,
    `SETUP_TOKEN=${links.setup}`,
    `MAILBOX_TOKEN=${links.mailbox}`,
    "ALLOW_PRIVATE_STORAGE=true",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

/**
 * A secret that is made once and kept beside the database: the key that encrypts the settings of storage
 * connections, without which they cannot be read, and the one that signs sessions, without which all end.
 */
function kept(name: string, make: () => string): string {
  const file = path.join(STATE, name);
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: "wx" });
  return readFileSync(file, "utf8").trim();
}

function randomToken(): string {
  return randomBytes(24).toString("hex");
}

/** A child in a process group of its own: Ctrl-C reaches this process alone, which then stops them in order. */
function node(args: string[], environment: Record<string, string>, stdout: "inherit" | "pipe"): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...QUIET, ...environment },
    stdio: ["ignore", stdout, "pipe"],
    detached: process.platform !== "win32",
  });
}

/** Runs a step to its end; what it printed is shown only when it fails. */
function run(what: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = node(args, {}, "pipe");
    children.push(child);
    let printed = "";
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (chunk) => {
        printed += chunk;
      });
    child.once("error", (error) => reject(new StartError(`${what} could not start: ${error.message}`)));
    child.once("exit", (code) => {
      children.splice(children.indexOf(child), 1);
      if (code === 0) resolve();
      else if (!stopping) reject(new StartError(`${printed.trim()}\n\n${what} failed (exit code ${code}).`));
    });
  });
}

/** Starts a server that lives as long as this process; if it ends by itself, everything ends. */
function keep(what: string, args: string[], environment: Record<string, string> = {}): void {
  const child = node(args, environment, "inherit");
  children.push(child);
  child.stderr!.pipe(process.stderr);
  child.once("exit", (code, signal) => {
    children.splice(children.indexOf(child), 1);
    if (stopping) return;
    console.error(`${what} ended unexpectedly (${signal ?? `exit code ${code}`}).`);
    void finish(1);
  });
}

/** Waits until the edge and everything that it depends on say they are well. */
async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_MILLISECONDS;
  while (Date.now() < deadline) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new StartError(`The edge did not become healthy within ${READY_MILLISECONDS / 1000} s: see ${url}`);
}

async function finish(code = 0): Promise<void> {
  await stop();
  process.exit(code);
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await Promise.all(
    [...children].map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          const force = setTimeout(() => child.kill("SIGKILL"), STOP_MILLISECONDS);
          child.once("exit", () => {
            clearTimeout(force);
            resolve();
          });
          child.kill("SIGTERM");
        }),
    ),
  );
}
