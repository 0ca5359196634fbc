import { open, readFile } from "node:fs/promises";
import { StartError } from "../start/processes.ts";
import { type Archive, digestOfBytes, type SavedFile } from "./archive.ts";
import { groupsOf, insertSql, readSchema } from "./schema.ts";
import type { Bucket, Database, Statement, Stores } from "./stores.ts";

/** Statements of a transaction. */
const BATCH_STATEMENTS = 200;

/** Larger files are sent in parts of this size: a request to Cloudflare may have 100 MB. */
const PART_BYTES = 50_000_000;

/** Puts a backup into an empty database and its files into the bucket. Throws a StartError if there are tables. */
export async function load(
  { database, bucket }: Stores,
  archive: Archive,
  partBytes = PART_BYTES,
): Promise<void> {
  const { tables } = await readSchema(database);
  if (tables.length > 0) {
    throw new StartError(
      "The database has tables already. A backup is restored only into a database that is empty, such as a new one.",
    );
  }
  // Before the rows that name them.
  for await (const file of archive.files()) await loadFile(bucket, archive, { file, partBytes });
  await loadDatabase(database, archive);
}

/** Creates the tables, inserts the rows, then creates indexes, the search and triggers, which would count rows twice. */
export async function loadDatabase(database: Database, archive: Archive): Promise<void> {
  const { manifest } = archive;
  await database.batch(manifest.schema.tables.map((sql) => database.prepare(sql)));
  const { tables } = await readSchema(database);
  for (const group of groupsOf(tables)) {
    const isCyclic = group.some(({ name, parents }) => group.length > 1 || parents.includes(name));
    let statements: Statement[] = [];
    const run = async () => {
      if (statements.length > 0)
        await database.batch([database.prepare("PRAGMA defer_foreign_keys = on"), ...statements]);
      statements = [];
    };
    for (const { name } of group) {
      const saved = manifest.tables.find((table) => table.name === name)!;
      const insert = database.prepare(insertSql(saved));
      for await (const row of archive.rows(name)) {
        statements.push(insert.bind(...row));
        // Rows that refer to each other have to be complete at the end of a transaction.
        if (!isCyclic && statements.length >= BATCH_STATEMENTS) await run();
      }
    }
    await run();
  }
  for (const sql of manifest.schema.rest) await database.batch([database.prepare(sql)]);
}

async function loadFile(
  bucket: Bucket,
  archive: Archive,
  { file, partBytes }: { readonly file: SavedFile; readonly partBytes: number },
): Promise<void> {
  const { key, bytes, sha256, ...options } = file;
  const source = archive.pathOf(sha256);
  if (bytes <= partBytes) {
    await bucket.put(key, await readFile(source), { ...options, sha256 });
    return;
  }
  const upload = await bucket.createMultipartUpload(key, options);
  const handle = await open(source);
  try {
    const parts = [];
    for (let offset = 0; offset < bytes; offset += partBytes) {
      const part = new Uint8Array(Math.min(partBytes, bytes - offset));
      await handle.read(part, 0, part.length, offset);
      parts.push(await upload.uploadPart(parts.length + 1, part));
    }
    await upload.complete(parts);
  } finally {
    await handle.close();
  }
  // R2 checks the SHA-256 of files that are sent as a whole.
  const stored = await bucket.get(key);
  if (!stored || (await digestOfBytes(stored.body)).sha256 !== sha256)
    throw new StartError(
      `The file ${key} was changed on the way. Run the restore again, into a new database.`,
    );
}
