import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Archive } from "../../../node/backup/archive.ts";
import { checkReferences, databaseOf } from "../../../node/backup/check.ts";
import { readOptions } from "../../../node/backup/connect.ts";
import { load } from "../../../node/backup/load.ts";
import { compare, save } from "../../../node/backup/save.ts";
import type { Bucket, FileOptions, Stores } from "../../../node/backup/stores.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

/** More than a page of rows. */
const PHOTOS = 1_201;

/** Companies and connections refer to each other, a column is generated, and a trigger counts. */
const SCHEMA = `
  CREATE TABLE companies (id TEXT PRIMARY KEY, storage_id TEXT REFERENCES connections (id), photos INTEGER DEFAULT 0 NOT NULL);
  CREATE TABLE connections (id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES companies (id));
  CREATE TABLE photos (id TEXT PRIMARY KEY, company_id TEXT NOT NULL REFERENCES companies (id), title TEXT, score REAL,
    bytes INTEGER, size TEXT GENERATED ALWAYS AS (bytes || ' B') VIRTUAL);
  CREATE INDEX photos_by_company ON photos (company_id);
  CREATE TRIGGER photos_counted AFTER INSERT ON photos BEGIN
    UPDATE companies SET photos = photos + 1 WHERE id = new.company_id;
  END;
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "vivimark-backup-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A mock of an R2 bucket, in memory. */
class MockBucket implements Bucket {
  readonly files = new Map<string, { bytes: Uint8Array; options: FileOptions }>();

  async list({ cursor }: { readonly cursor?: string }) {
    const start = Number(cursor ?? 0);
    const all = [...this.files].map(([key, { bytes, options }]) => ({ key, size: bytes.length, ...options }));
    const truncated = start + 2 < all.length;
    return {
      objects: all.slice(start, start + 2),
      truncated,
      ...(truncated ? { cursor: String(start + 2) } : {}),
    };
  }

  async get(key: string) {
    const file = this.files.get(key);
    return file ? { body: new Response(new Uint8Array(file.bytes)).body! } : null;
  }

  async put(
    key: string,
    body: Uint8Array,
    { sha256, ...options }: FileOptions & { readonly sha256: string },
  ) {
    expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
    this.files.set(key, { bytes: new Uint8Array(body), options });
  }

  async createMultipartUpload(key: string, options: FileOptions) {
    const parts: Uint8Array[] = [];
    return {
      uploadPart: async (partNumber: number, part: Uint8Array) => {
        parts[partNumber - 1] = part;
        return { partNumber, etag: String(partNumber) };
      },
      complete: async () => {
        this.files.set(key, { bytes: new Uint8Array(Buffer.concat(parts)), options });
      },
    };
  }
}

function emptyStores() {
  const sqlite = new DatabaseSync(":memory:");
  const bucket = new MockBucket();
  return { sqlite, bucket, stores: { database: databaseOf(sqlite), bucket } satisfies Stores };
}

function filledStores() {
  const platform = emptyStores();
  const { sqlite, bucket } = platform;
  sqlite.exec(SCHEMA);
  sqlite.exec(`
    INSERT INTO companies (id) VALUES ('lumen'), ('paper');
    INSERT INTO connections VALUES ('r2', 'paper');
    UPDATE companies SET storage_id = 'r2' WHERE id = 'paper';
  `);
  const insert = sqlite.prepare(
    "INSERT INTO photos (id, company_id, title, score, bytes) VALUES (?, ?, ?, ?, ?)",
  );
  for (let n = 0; n < PHOTOS; n += 1)
    insert.run(`photo-${n}`, n % 2 ? "lumen" : "paper", `Anna's "wedding"\n\u2028 ${n} 💍`, n / 7, n);
  sqlite.exec("DELETE FROM photos WHERE id = 'photo-3'; UPDATE photos SET title = NULL WHERE id = 'photo-4'");
  for (const [key, text] of [
    ["a/1.mind", "marker"],
    ["a/1.jpg", "photo"],
    ["b/copy.jpg", "photo"],
    ["b/none", ""],
  ] as const)
    bucket.files.set(key, {
      bytes: new TextEncoder().encode(text),
      options: { httpMetadata: { contentType: "image/jpeg" }, customMetadata: { key } },
    });
  return platform;
}

async function saved(stores: Stores): Promise<Archive> {
  const archive = Archive.create(path.join(folder, "backup"));
  await save(stores, archive);
  await checkReferences(archive);
  return archive;
}

const rowsOf = (sqlite: DatabaseSync) =>
  ["companies", "connections", "photos"].map((table) =>
    sqlite.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all(),
  );

test("a backup restores rows, files, indexes and triggers, and counts nothing twice", async () => {
  const from = filledStores();
  const archive = await saved(from.stores);
  const to = emptyStores();
  await load(to.stores, Archive.open(archive.folder), 3);
  await compare(to.stores, archive);
  expect(rowsOf(to.sqlite)).toEqual(rowsOf(from.sqlite));
  expect(to.bucket.files).toEqual(from.bucket.files);
  const names = (sqlite: DatabaseSync) =>
    sqlite.prepare("SELECT type, name FROM sqlite_master ORDER BY name").all();
  expect(names(to.sqlite)).toEqual(names(from.sqlite));
  to.sqlite.exec("INSERT INTO photos (id, company_id) VALUES ('new', 'paper')");
  const [paper] = to.sqlite.prepare("SELECT photos FROM companies WHERE id = 'paper'").all();
  expect(paper?.photos).toBe(Math.ceil(PHOTOS / 2) + 1);
});

test("the platform's own database has the same tables, indexes, search and triggers after a restore", async () => {
  const from = emptyStores();
  const migrations = path.join(ROOT, "migrations");
  for (const name of readdirSync(migrations)
    .filter((file) => file.endsWith(".sql"))
    .sort())
    from.sqlite.exec(readFileSync(path.join(migrations, name), "utf8"));
  const archive = await saved(from.stores);
  const to = emptyStores();
  await load(to.stores, archive);
  const schema = (sqlite: DatabaseSync) =>
    sqlite.prepare("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").all();
  expect(schema(to.sqlite)).toEqual(schema(from.sqlite));
  expect(schema(to.sqlite)).toContainEqual(expect.objectContaining({ name: "content_search" }));
});

test("only its owner reads a backup, and each backup has a folder of its own", async () => {
  const archive = await saved(filledStores().stores);
  for (const name of ["backup.json", "files.ndjson", "tables/photos.ndjson"])
    expect(statSync(path.join(archive.folder, name)).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.join(archive.folder, "files"))).toHaveLength(3);
  expect(() => Archive.create(archive.folder)).toThrow("is not empty. Choose a new one for each backup.");
});

test("a backup that has changed is refused, and so is one that is incomplete", async () => {
  const archive = await saved(filledStores().stores);
  const [first] = readdirSync(path.join(archive.folder, "files"));
  appendFileSync(path.join(archive.folder, "files", first!), "x");
  await expect(archive.verify()).rejects.toThrow(/^The backup is damaged: the file .* is changed\.$/);
  rmSync(path.join(archive.folder, "files", first!));
  await expect(archive.verify()).rejects.toThrow(/^The backup is damaged: the file .* is missing\.$/);
  appendFileSync(path.join(archive.folder, "tables/companies.ndjson"), '["x",null,0]\n');
  await expect(archive.verify()).rejects.toThrow(
    "The backup is damaged: tables/companies.ndjson has changed.",
  );
  rmSync(path.join(archive.folder, "backup.json"));
  expect(() => Archive.open(archive.folder)).toThrow("is not a complete backup: backup.json is missing.");
});

test("a backup that misses what its rows refer to is refused", async () => {
  const from = filledStores();
  from.sqlite.exec("PRAGMA foreign_keys = off; DELETE FROM companies WHERE id = 'lumen'");
  await expect(saved(from.stores)).rejects.toThrow(
    "The backup cannot be restored: FOREIGN KEY constraint failed.",
  );
});

test("a restore changes no database that has tables", async () => {
  const archive = await saved(filledStores().stores);
  const to = filledStores();
  to.bucket.files.clear();
  await expect(load(to.stores, archive)).rejects.toThrow("The database has tables already.");
  expect(to.bucket.files.size).toBe(0);
});

test("a restore that differs is named", async () => {
  const from = filledStores();
  const archive = await saved(from.stores);
  from.bucket.files.delete("a/1.jpg");
  await expect(compare(from.stores, archive)).rejects.toThrow("The file a/1.jpg has no bytes; expected 5.");
  from.sqlite.exec("DELETE FROM photos WHERE id = 'photo-9'");
  await expect(compare(from.stores, archive)).rejects.toThrow(
    `The table photos has ${PHOTOS - 2} rows that differ from the ${PHOTOS - 1} of the backup.`,
  );
});

test.each([[[]], [["a", "b"]], [["a", "--local"]]])("the arguments %j are refused", (args) => {
  expect(() => readOptions("backup", args)).toThrow("Usage: npm run backup -- FOLDER [--remote]");
});
