import { randomUUID } from "node:crypto";
import { accessSync, constants, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { EXIT, Failure, failureOf, usageFailure } from "./failure.ts";
import { STANDARD_STREAM } from "./inputs.ts";

/** The signals that interrupt a command. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Output {
  /** A file name, or `-` for standard output. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Checks before the work that its result can be written. Throws a Failure otherwise. */
export function checkOutput(name: string): void {
  if (name === STANDARD_STREAM) return;
  try {
    const { folder, kind } = placeOf(name);
    if (kind === "folder") throw usageFailure("This is a folder, expected the name of a file.", name);
    if (kind !== "stream") accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw failureOf(error, name);
  }
}

/** Returns whether two names refer to the same file. False for standard output. */
export function samePlace(a: string, b: string): boolean {
  return a !== STANDARD_STREAM && b !== STANDARD_STREAM && placeOf(a).file === placeOf(b).file;
}

/**
 * Writes outputs: first all files under temporary names in their folders, then renames them, then standard
 * output. No reader sees half a file, an existing file stays until its replacement is complete, and if one
 * file cannot be written, none are.
 */
export async function writeOutputs(outputs: readonly Output[]): Promise<void> {
  // Ignore signals until the files are renamed: they would leave temporary files.
  const ignore = () => {};
  for (const signal of SIGNALS) process.on(signal, ignore);
  try {
    writeFiles(outputs.filter(({ name }) => name !== STANDARD_STREAM));
  } finally {
    for (const signal of SIGNALS) process.off(signal, ignore);
  }
  for (const { name, bytes } of outputs) if (name === STANDARD_STREAM) await print(bytes);
}

/** Writes the files synchronously, so that nothing else runs in between. */
function writeFiles(files: readonly Output[]): void {
  const written: { temporary: string; file: string; name: string }[] = [];
  let current = "";
  try {
    for (const { name, bytes } of files) {
      current = name;
      const { file, folder, kind, mode } = placeOf(name);
      if (kind === "stream") {
        writeFileSync(file, bytes);
      } else {
        const temporary = path.join(folder, `.vivimark-${randomUUID()}.tmp`);
        written.push({ temporary, file, name });
        writeFileSync(temporary, bytes, { flag: "wx", mode, flush: true });
      }
    }
    for (const { temporary, file, name } of written) {
      current = name;
      renameSync(temporary, file);
    }
  } catch (error) {
    for (const { temporary } of written) rmSync(temporary, { force: true });
    throw failureOf(error, current);
  }
}

/**
 * Writes to standard output. Resolves when all is written. Ends the process when the reader has closed the
 * pipe, as `head` does.
 */
export function print(content: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(content, (error) => {
      if (!error) resolve();
      else if ("code" in error && error.code === "EPIPE") process.exit(EXIT.ok);
      else reject(failureOf(error, STANDARD_STREAM));
    });
  });
}

function notAFolder(file: string): Failure {
  return new Failure(EXIT.file, [{ code: "enotdir", message: "A part of the path is not a folder.", file }]);
}

interface Place {
  /** The file itself, with symbolic links resolved. */
  readonly file: string;
  readonly folder: string;
  /** A pipe or a device is a `stream`: it is written to and never replaced. */
  readonly kind: "new" | "file" | "folder" | "stream";
  /** Permissions of the existing file. */
  readonly mode?: number;
}

function placeOf(name: string): Place {
  const absolute = path.resolve(name);
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (!found) {
    const folder = realpathSync(path.dirname(absolute));
    if (!statSync(folder).isDirectory()) throw notAFolder(name);
    return { file: path.join(folder, path.basename(absolute)), folder, kind: "new" };
  }
  const file = realpathSync(absolute);
  const kind = found.isDirectory() ? "folder" : found.isFile() ? "file" : "stream";
  return { file, folder: path.dirname(file), kind, mode: found.mode & 0o777 };
}
