import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";

export const ROOT = path.resolve(import.meta.dirname, "../..");

const STOP_MILLISECONDS = 10_000;

const LEASH = pathToFileURL(path.join(import.meta.dirname, "leash.ts")).href;

/**
 * Keeps wrangler offline, silent and private. Its Local Explorer would answer SQL from anybody who reaches the
 * port, and its traces would fill the state folder.
 */
const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
  CI: "true",
};

/** A failure that the person at the terminal can fix; printed without a stack. */
export class StartError extends Error {}

interface Server {
  /** Names the process in messages. */
  readonly name: string;
  /** Node's arguments: the script, then its own. */
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How its standard output is handled. Standard error is always shown. */
  readonly output: "inherit" | "ignore";
  /** Whether the command continues when the process ends by itself, because a code change restarts it. */
  readonly reloads?: boolean;
}

interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly isShown?: boolean;
}

/** The child processes of a command. Ctrl-C stops all of them, then the command itself. */
export class Processes {
  #children = new Set<ChildProcess>();
  #ending = new WeakSet<ChildProcess>();
  #cleanups: (() => Promise<void> | void)[] = [];
  #stopped: Promise<void> | undefined;

  /** Runs a command; ends the process with 1 when it throws a StartError. */
  static async session(command: (processes: Processes) => Promise<void>): Promise<void> {
    const processes = new Processes();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => void processes.finish(0));
    try {
      await command(processes);
    } catch (error) {
      // Servers that are being stopped make the command fail; that failure is not news.
      if (processes.stopping) return;
      await processes.stop();
      if (!(error instanceof StartError)) throw error;
      console.error(error.message);
      process.exit(1);
    }
  }

  get stopping(): boolean {
    return this.#stopped !== undefined;
  }

  /** Registers work for `stop`, done after the servers have ended. */
  onStop(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /**
   * Runs a step to its end and returns its standard output. Throws a StartError when it fails, with what it printed
   * unless `isShown` sends that to the terminal.
   */
  run(
    name: string,
    args: readonly string[],
    { environment = {}, isShown = false }: RunOptions = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(args, environment, "pipe");
      let output = "";
      let printed = "";
      child.stdout!.on("data", (chunk) => {
        output += chunk;
      });
      for (const [stream, terminal] of [
        [child.stdout!, process.stdout],
        [child.stderr!, process.stderr],
      ] as const) {
        if (isShown) stream.pipe(terminal, { end: false });
        else
          stream.on("data", (chunk) => {
            printed += chunk;
          });
      }
      child.once("error", (error) => reject(new StartError(`${name} could not start: ${error.message}`)));
      child.once("close", (code) => {
        if (code === 0) resolve(output);
        else reject(new StartError(`${printed.trim()}\n\n${name} failed (exit code ${code}).`.trim()));
      });
    });
  }

  /** Starts a server that lives as long as this process. If it ends by itself, everything ends, unless it reloads. */
  serve({ name, args, environment = {}, output, reloads = false }: Server): ChildProcess {
    const child = this.#spawn(args, environment, output);
    child.stderr!.pipe(process.stderr);
    child.once("exit", (code, signal) => {
      if (this.stopping || this.#ending.has(child)) return;
      const ended = `${name} ended unexpectedly (${signal ?? `exit code ${code}`}).`;
      console.error(reloads ? `${ended} It starts again when its code changes.` : ended);
      if (!reloads) void this.finish(1);
    });
    return child;
  }

  /** Ends one server; the others go on. */
  async end(child: ChildProcess): Promise<void> {
    this.#ending.add(child);
    await endProcess(child);
  }

  async finish(code: number): Promise<void> {
    await this.stop();
    process.exit(code);
  }

  /** Ends every child, then does what `onStop` registered. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    await Promise.all([...this.#children].map(endProcess));
    for (const cleanup of this.#cleanups) await cleanup();
  }

  /**
   * A child in a process group of its own: Ctrl-C reaches this process alone, which then stops them in order. If this
   * process is killed, the leash kills the group.
   */
  #spawn(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
    stdout: "inherit" | "ignore" | "pipe",
  ): ChildProcess {
    const child = spawn(process.execPath, ["--import", LEASH, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...QUIET, ...environment },
      stdio: ["ignore", stdout, "pipe"],
      detached: process.platform !== "win32",
    });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }
}

/** Asks a process to end, kills it if it has not ended after a while, and kills the children that it left behind. */
function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_MILLISECONDS);
    child.once("exit", () => {
      clearTimeout(force);
      killGroup(child);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === "win32") return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is empty.
  }
}
