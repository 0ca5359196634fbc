import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { StartError } from "../start/processes.ts";
import type { FileOptions, Value } from "./stores.ts";

/** A table: its rows are in `tables/NAME.ndjson`, one JSON array per line. */
export interface SavedTable extends Digest {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A file: its bytes are in `files`, under their SHA-256. */
export interface SavedFile extends FileOptions {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Digest {
  /** Lines. */
  readonly count: number;
  readonly sha256: string;
}

/** What `backup.json` says, which is written last. */
export interface Manifest {
  readonly format: 1;
  readonly created_at: string;
  /** In an order in which their rows can be read while the platform runs. */
  readonly tables: readonly SavedTable[];
  /** SQL in the order in which it has to run: tables, then the rows, then the rest. */
  readonly schema: { readonly tables: readonly string[]; readonly rest: readonly string[] };
  readonly files: Digest & { readonly bytes: number };
}

const FILES = "files.ndjson";

/** A folder that holds a backup. */
export class Archive {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder. Throws a StartError if it exists and is not empty. */
  static create(folder: string): Archive {
    if (existsSync(folder) && readdirSync(folder).length > 0)
      throw new StartError(`The folder ${folder} is not empty. Choose a new one for each backup.`);
    for (const name of ["tables", "files"])
      mkdirSync(path.join(folder, name), { recursive: true, mode: 0o700 });
    return new Archive(folder);
  }

  /** Throws a StartError unless the folder holds a backup that is complete. */
  static open(folder: string): Archive {
    if (!existsSync(path.join(folder, "backup.json")))
      throw new StartError(`${folder} is not a complete backup: backup.json is missing.`);
    return new Archive(folder);
  }

  get manifest(): Manifest {
    return JSON.parse(readFileSync(path.join(this.folder, "backup.json"), "utf8"));
  }

  writeManifest(manifest: Manifest): void {
    writeFileSync(path.join(this.folder, "backup.json"), `${JSON.stringify(manifest, null, 2)}\n`, {
      mode: 0o600,
    });
  }

  writeRows(table: string, rows: AsyncIterable<readonly Value[]>): Promise<Digest> {
    return this.#writeLines(tableFile(table), rows);
  }

  rows(table: string): AsyncGenerator<readonly Value[]> {
    return this.#readLines(tableFile(table));
  }

  writeFiles(files: AsyncIterable<SavedFile>): Promise<Digest> {
    return this.#writeLines(FILES, files);
  }

  files(): AsyncGenerator<SavedFile> {
    return this.#readLines(FILES);
  }

  /** Path of the bytes with this SHA-256. */
  pathOf(sha256: string): string {
    return path.join(this.folder, "files", sha256);
  }

  /** Reads everything again. Throws a StartError that names what differs from the manifest. */
  async verify(): Promise<void> {
    const { tables, files } = this.manifest;
    const lists = [
      ...tables.map((table) => [tableFile(table.name), table] as const),
      [FILES, files] as const,
    ];
    for (const [name, expected] of lists) {
      const found = await digestOfBytes(createReadStream(path.join(this.folder, name)));
      if (found.sha256 !== expected.sha256)
        throw new StartError(`The backup is damaged: ${name} has changed.`);
    }
    for await (const { key, bytes, sha256 } of this.files()) {
      const file = this.pathOf(sha256);
      const found = existsSync(file) ? await digestOfBytes(createReadStream(file)) : null;
      if (found?.sha256 !== sha256 || found.bytes !== bytes)
        throw new StartError(`The backup is damaged: the file ${key} is ${found ? "changed" : "missing"}.`);
    }
  }

  async #writeLines(name: string, entries: AsyncIterable<unknown>): Promise<Digest> {
    const hash = createHash("sha256");
    const output = createWriteStream(path.join(this.folder, name), { mode: 0o600 });
    let count = 0;
    for await (const entry of entries) {
      const line = lineOf(entry);
      hash.update(line);
      if (!output.write(line)) await once(output, "drain");
      count += 1;
    }
    output.end();
    await finished(output);
    return { count, sha256: hash.digest("hex") };
  }

  async *#readLines<Entry>(name: string): AsyncGenerator<Entry> {
    const input = createReadStream(path.join(this.folder, name), "utf8");
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
      yield JSON.parse(line) as Entry;
  }
}

/** Returns the digest of rows as `Archive` writes them. */
export async function digestOf(entries: AsyncIterable<unknown>): Promise<Digest> {
  const hash = createHash("sha256");
  let count = 0;
  for await (const entry of entries) {
    hash.update(lineOf(entry));
    count += 1;
  }
  return { count, sha256: hash.digest("hex") };
}

function lineOf(entry: unknown): string {
  // JSON has no line ends of its own; these two end a line for readers of text files.
  return `${JSON.stringify(entry).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")}\n`;
}

function tableFile(table: string): string {
  return path.join("tables", `${table}.ndjson`);
}

/** Returns the digest of bytes, and hands each chunk to `onChunk`. */
export async function digestOfBytes(
  chunks: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => Promise<void> | void = () => {},
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    await onChunk(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}
