// The commands of node/start.js as processes, with folders and ports of their own.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

const started: ChildProcess[] = [];
const folders: string[] = [];
const listeners: Server[] = [];

/** Ends everything that this module started; for `afterEach`. */
export async function cleanUp(): Promise<void> {
  await Promise.all(started.splice(0).map((child) => stopped(child, "SIGTERM")));
  for (const listener of listeners.splice(0)) listener.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Starts `node node/start.js COMMAND`. */
export function start(
  command: "start" | "dev" | "seed" | "backup" | "restore" | "--help",
  environment: Record<string, string>,
  args: readonly string[] = [],
) {
  const child = spawn(process.execPath, [path.join(ROOT, "node/start.js"), command, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let text = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (chunk) => {
      text += chunk;
    });
  /** The address that it prints when it is ready. */
  const link = () =>
    eventually(async () => {
      if (child.exitCode !== null) throw new Error(`npm ${command} ended:\n${text}`);
      const address = text.includes("Ctrl-C") && /Vivimark is ready:\s+(http:\S+)/.exec(text)?.[1];
      return address ? new URL(address) : undefined;
    });
  return { child, printed: () => text, link };
}

export function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("close", resolve));
}

export function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null) child.kill(signal);
  return exitCode(child);
}

/** Polls until `probe` gives a truthy value; the test's own time limit ends a hopeless wait. */
export async function eventually<T>(probe: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const value = await probe();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Listens on a port until the test ends. */
export async function occupy(port: number): Promise<void> {
  const server = createServer();
  listeners.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
}

export async function twoPorts() {
  const free = () =>
    new Promise<{ port: number; close: () => void }>((resolve) => {
      const server = createServer();
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { port: number };
        resolve({ port, close: () => server.close() });
      });
    });
  const [edge, compiler] = await Promise.all([free(), free()]);
  edge.close();
  compiler.close();
  return { PORT: String(edge.port), COMPILER_PORT: String(compiler.port) };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "vivimark-start-"));
  folders.push(folder);
  return folder;
}

/** The processes that inherited VIVIMARK_STATE. Linux only; empty elsewhere. */
export function processesOf(stateFolder: string): { readonly pid: number; readonly command: string }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${Number(pid)}/environ`, "utf8").split("\0");
      if (!environment.includes(`VIVIMARK_STATE=${stateFolder}`)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return [{ pid: Number(pid), command }];
    } catch {
      // Not a process, or it has ended.
      return [];
    }
  });
}
