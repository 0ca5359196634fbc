import { glob, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { checkImageBytes } from "../../compiler/image/inspect.ts";
import { readPhoto } from "../photos.ts";
import { EXIT, Failure, failureOf, throwFailures, usageFailure } from "./failure.ts";

/** Stands for standard input or output in place of a file name. */
export const STANDARD_STREAM = "-";

export const PHOTO_ENDINGS = [".jpg", ".jpeg", ".png", ".webp"];
export const MARKER_ENDINGS = [".mind"];

/** Compares in natural order: page-2 before page-10. */
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/**
 * Returns the files that the arguments stand for, in the order given. A file stands for itself, `-` for
 * standard input, a folder for its visible files with one of `endings`, and a pattern for the files that
 * match it. A name that exists is not a pattern. Folders and patterns are in natural order.
 *
 * @throws Failure that names every argument without a file
 */
export async function findFiles(names: readonly string[], endings: readonly string[]): Promise<string[]> {
  if (names.filter((name) => name === STANDARD_STREAM).length > 1) {
    throw usageFailure("Standard input (-) was given twice, but can be read only once.");
  }
  const failures: Failure[] = [];
  const files: string[] = [];
  for (const name of names) {
    try {
      files.push(...(await expand(name, endings)));
    } catch (error) {
      failures.push(failureOf(error, name));
    }
  }
  throwFailures(failures);
  return files;
}

async function expand(name: string, endings: readonly string[]): Promise<string[]> {
  if (name === STANDARD_STREAM) return [name];
  const found = await stat(name).catch((error) => {
    if (error.code === "ENOENT" && /[*?[{]/.test(name)) return null;
    throw error;
  });
  if (found === null) return matches(name);
  if (!found.isDirectory()) return [name];
  const entries = await readdir(name);
  const files = entries.filter(
    (entry) => !entry.startsWith(".") && endings.includes(path.extname(entry).toLowerCase()),
  );
  if (files.length === 0) throw noFile(name, `The folder has no files that end in ${endings.join(", ")}.`);
  return files.sort(inOrder).map((entry) => path.join(name, entry));
}

async function matches(pattern: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(pattern)) if ((await stat(file)).isFile()) files.push(file);
  if (files.length === 0) throw noFile(pattern, "No files match.");
  return files.sort(inOrder);
}

function noFile(file: string, message: string): Failure {
  return new Failure(EXIT.file, [{ code: "enoent", message, file }]);
}

/** Reads the bytes of a photo. The same size limit applies to files and to standard input. */
export function readPhotoInput(name: string): Promise<Uint8Array> {
  return name === STANDARD_STREAM ? readStandardInput(checkImageBytes) : readPhoto(name);
}

/** Reads the bytes of a .mind file. */
export async function readMarkerInput(name: string): Promise<Uint8Array> {
  try {
    return await (name === STANDARD_STREAM ? readStandardInput() : readFile(name));
  } catch (error) {
    throw failureOf(error, name);
  }
}

/** @param check receives the number of bytes so far, and throws when there are too many */
async function readStandardInput(check: (bytes: number) => void = () => {}): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    check((bytes += chunk.length));
  }
  return Buffer.concat(chunks);
}
