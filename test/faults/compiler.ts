// The Node compiler as a process that tests can kill and restart at the same address.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../node/main.ts", import.meta.url));

export const SECRET = "a secret of the fault tests, long enough for cookies";

export class NodeCompiler {
  readonly url: string;
  readonly #port: number;
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(port: number) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Reserves an address without starting the process. */
  static async reserve(): Promise<NodeCompiler> {
    return new NodeCompiler(await freePort());
  }

  async start(): Promise<void> {
    if (this.#process) throw new Error("The compiler is already running.");
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, COMPILER_SECRET: SECRET, COMPILER_PORT: String(this.#port) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = child;
    child.stdout!.on("data", (text) => (this.#output += text));
    while (!this.#output.includes('"listening"')) await once(child.stdout!, "data");
  }

  /** Kills the process at once, as a power failure would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    this.#output = "";
    if (!child || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** The outcomes of the jobs since the start, oldest first. */
  get outcomes(): string[] {
    return this.#output
      .split("\n")
      .filter((line) => line.includes('"compile"'))
      .map((line) => JSON.parse(line).outcome);
  }

  async running(): Promise<number> {
    const response = await fetch(`${this.url}/health`);
    return ((await response.json()) as { running: number }).running;
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
