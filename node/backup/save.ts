import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, renameSync } from "node:fs";
import { finished } from "node:stream/promises";
import { StartError } from "../start/processes.ts";
import { type Archive, digestOf, digestOfBytes, type SavedFile, type SavedTable } from "./archive.ts";
import { groupsOf, readRows, readSchema } from "./schema.ts";
import type { Bucket, FileOptions, Stores } from "./stores.ts";

/** Files that are read at the same time. */
const FILES_AT_A_TIME = 4;

/** Saves the database and the files. Throws a StartError if what was saved is not what is there. */
export async function save({ database, bucket }: Stores, archive: Archive): Promise<void> {
  const schema = await readSchema(database);
  const tables: SavedTable[] = [];
  // Rows first that refer to others: those cannot be newer than what they refer to.
  for (const table of groupsOf(schema.tables).flat().reverse()) {
    const digest = await archive.writeRows(table.name, readRows(database, table));
    tables.push({ name: table.name, columns: table.columns, ...digest });
  }
  let bytes = 0;
  // After the rows, so that the files of all saved photos are there.
  const files = await archive.writeFiles(
    saveFiles(bucket, archive, (file) => {
      bytes += file.bytes;
    }),
  );
  archive.writeManifest({
    format: 1,
    created_at: new Date().toISOString(),
    tables,
    schema: schema.sql,
    files: { ...files, bytes },
  });
  await archive.verify();
}

/** Throws a StartError that names a table or a file of the backup that the stores do not have like this. */
export async function compare({ database, bucket }: Stores, archive: Archive): Promise<void> {
  const { tables } = await readSchema(database);
  for (const saved of archive.manifest.tables) {
    const table = tables.find(({ name }) => name === saved.name);
    const found = table ? await digestOf(readRows(database, table)) : null;
    if (found?.sha256 !== saved.sha256) {
      throw new StartError(
        `The table ${saved.name} has ${found?.count ?? "no"} rows that differ from the ${saved.count} of the backup.`,
      );
    }
  }
  const sizes = new Map<string, number>();
  for await (const { key, size } of listFiles(bucket)) sizes.set(key, size);
  for await (const { key, bytes } of archive.files()) {
    if (sizes.get(key) !== bytes)
      throw new StartError(`The file ${key} has ${sizes.get(key) ?? "no"} bytes; expected ${bytes}.`);
  }
}

async function* saveFiles(
  bucket: Bucket,
  archive: Archive,
  onSaved: (file: SavedFile) => void,
): AsyncGenerator<SavedFile> {
  let running: Promise<SavedFile | null>[] = [];
  const settle = async function* () {
    for (const file of await Promise.all(running)) {
      if (!file) continue;
      onSaved(file);
      yield file;
    }
    running = [];
  };
  for await (const { key, size, ...rest } of listFiles(bucket)) {
    running.push(saveFile({ bucket, archive }, key, { size, options: optionsOf(rest) }));
    if (running.length >= FILES_AT_A_TIME) yield* settle();
  }
  yield* settle();
}

/** Returns null for a file that was deleted since it was listed. */
async function saveFile(
  { bucket, archive }: { readonly bucket: Bucket; readonly archive: Archive },
  key: string,
  { size, options }: { readonly size: number; readonly options: FileOptions },
): Promise<SavedFile | null> {
  const stored = await bucket.get(key);
  if (!stored) return null;
  const unnamed = archive.pathOf(`${randomUUID()}.part`);
  const output = createWriteStream(unnamed, { mode: 0o600 });
  const { bytes, sha256 } = await digestOfBytes(stored.body, async (chunk) => {
    if (!output.write(chunk)) await once(output, "drain");
  });
  output.end();
  await finished(output);
  if (bytes !== size)
    throw new StartError(`The file ${key} ended after ${bytes} of ${size} bytes. Run the backup again.`);
  renameSync(unnamed, archive.pathOf(sha256));
  return { key, bytes, sha256, ...options };
}

async function* listFiles(bucket: Bucket) {
  for (let cursor: string | undefined; ; ) {
    const page = await bucket.list({
      include: ["httpMetadata", "customMetadata"],
      ...(cursor ? { cursor } : {}),
    });
    yield* page.objects;
    if (!page.truncated) return;
    cursor = page.cursor;
  }
}

function optionsOf({ httpMetadata = {}, customMetadata = {} }: FileOptions): FileOptions {
  return { httpMetadata, customMetadata };
}
