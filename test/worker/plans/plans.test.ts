import { env } from "cloudflare:workers";
import { Column, getTableName, is } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { beforeAll, describe, expect, it } from "vitest";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import type { Database } from "../../../worker/db/tables.ts";
import * as tables from "../../../worker/db/tables.ts";
import {
  beginMove,
  type Claim,
  claim,
  failedInARow,
  start,
  unfinishedMove,
} from "../../../worker/storage-migration/life.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form, json } from "../edge.ts";
import { png } from "../fixtures.ts";
import { largeTables } from "./large.ts";
import { explain, scansIn } from "./plans.ts";
import { measuring, type Reading } from "./statements.ts";

/** Photos of the company, and rows in the other tables. */
const ROWS = 20_000;

/**
 * Rows that a statement may read, those of indexes and intermediate results included. A page of a search has 1,000
 * candidates, and each of them counts up to 11 times.
 */
const MAX_ROWS_READ = 12_000;

const edge = new Edge();

beforeAll(() => env.DB.batch(largeTables(ROWS, edge.clock).map((statement) => env.DB.prepare(statement))));

/** Returns the statements that read more than `MAX_ROWS_READ` rows in what `work` does. */
async function largeReadings(work: (db: Database) => Promise<unknown>): Promise<Reading[]> {
  const { database, read } = measuring(env.DB);
  await work(drizzle(database));
  expect(read.length).toBeGreaterThan(0);
  return read.filter(({ rows }) => rows > MAX_ROWS_READ);
}

describe("with many rows, no statement reads all of them", () => {
  const cursor = async (path: string) => {
    const { next_cursor } = await edge.json<{ next_cursor: string }>(path);
    return `${path}&cursor=${encodeURIComponent(next_cursor)}`;
  };

  it.each([
    "/api/ar-content?limit=100",
    "/api/ar-content?status=failed",
    "/api/ar-content?project_id=00000000-0000-4000-8000-000000000002&status=failed",
    "/api/ar-content?q=портрет",
    "/api/ar-content?q=12345",
    "/api/ar-content?q=nothing",
    "/api/ar-content?q=пт",
    "/api/ar-content?q=портрет&status=failed",
    "/api/ar-content?sort=title&q=портрет",
    "/api/ar-content?sort=score&status=failed",
    "/api/ar-content?without_video=true",
    "/api/ar-content?weak=true",
    "/api/ar-content?paused=true&q=портрет",
    "/api/ar-content?expiring=true&sort=expiry",
    "/api/ar-content?project_id=00000000-0000-4000-8000-000000000002&paused=true",
    "/api/projects",
    "/api/audit-log?limit=200",
    "/api/audit-log?subject=member",
    "/api/audit-log?action=content.deleted",
    "/api/audit-log?actor_id=person-7",
    "/api/audit-log?object_id=object-77",
    "/api/webhooks",
    "/api/webhooks/large-endpoint/deliveries",
    "/api/webhooks/large-endpoint/deliveries?state=failed",
    "/api/company/usage",
    "/api/storage-connections",
    "/api/storage-connections/platform",
    "/api/storage-migrations",
    "/api/storage-migrations/large-migration",
  ])("GET %s", async (path) => {
    const get = async (db: Database) => expect((await edge.fetch(path, {}, { db })).status).toBe(200);
    expect(await largeReadings(get)).toEqual([]);
  });

  it.each([
    "/api/ar-content?limit=100",
    "/api/ar-content?q=портрет",
    "/api/ar-content?q=пт",
    // Most photos have the same value: no score, and no expiry.
    ...["title", "score", "expiry"].flatMap((sort) => [
      `/api/ar-content?sort=${sort}`,
      `/api/ar-content?sort=${sort}&project_id=00000000-0000-4000-8000-000000000002`,
    ]),
    "/api/ar-content?sort=expiry&without_video=true",
    "/api/audit-log?limit=200",
    "/api/webhooks/large-endpoint/deliveries?limit=10",
  ])("GET %s, the next page", async (path) => {
    const next = await cursor(path);
    const get = async (db: Database) => expect((await edge.fetch(next, {}, { db })).status).toBe(200);
    expect(await largeReadings(get)).toEqual([]);
  });

  it("adding, changing and deleting a photo", async () => {
    const readings = await largeReadings(async (db) => {
      const body = form({ image: png(), title: "New" });
      const created = await edge.fetch("/api/ar-content", { method: "POST", body }, { db });
      const { content } = (await created.json()) as { content: { id: string } };
      const path = `/api/ar-content/${content.id}`;
      expect((await edge.fetch(path, json("PATCH", { title: "Newer" }), { db })).status).toBe(200);
      expect((await edge.fetch(path, { method: "DELETE" }, { db })).status).toBe(204);
    });
    expect(readings).toEqual([]);
  });

  it("the sweep", async () => {
    expect(await largeReadings((db) => sweep({ ...edge.bindings, db }, edge.clock))).toEqual([]);
  });

  it("moving one file after another", async () => {
    const target = await edge.connection("second");
    const migration = { companyId: FIRST_COMPANY_ID, toStorageId: target.id, now: edge.clock };
    const { id } = (await start(edge.db, migration))!;
    const readings = await largeReadings(async (db) => {
      const { migration } = (await claim(db, 300, edge.clock)) as Claim;
      const moved = new Set<string>();
      for (let n = 0; n < 5; n++) moved.add((await beginMove(db, migration, edge.clock))!.contentId);
      expect(moved.size).toBe(5);
      expect(await unfinishedMove(db, id, edge.clock)).toBeDefined();
      expect(await unfinishedMove(db, "large-migration", edge.clock)).toBeUndefined();
      expect(await failedInARow(db, "large-migration")).toBe(false);
    });
    expect(readings).toEqual([]);
  });

  it("deleting a storage connection", async () => {
    const { id } = await edge.connection("third");
    const readings = await largeReadings(async (db) => {
      const deleted = await edge.fetch(`/api/storage-connections/${id}`, { method: "DELETE" }, { db });
      expect(deleted.status).toBe(204);
    });
    expect(readings).toEqual([]);
  });
});

describe("the check of all tests' statements", () => {
  it("finds a scan, also by an index, of an alias and of a search without MATCH", () => {
    expect(
      scansIn("select", ["SEARCH audit_log USING INDEX audit_log_age (created_at<?)", "SCAN audit_log"]),
    ).toEqual(["audit_log"]);
    expect(scansIn("select", ["SCAN sessions USING COVERING INDEX sessions_user"])).toHaveLength(1);
    expect(scansIn("select", ["SCAN sending"])).toEqual(["sending"]);
    expect(scansIn("select", ["SCAN content_search VIRTUAL TABLE INDEX 0:"])).toHaveLength(1);
    expect(scansIn("select", ["SCAN content_search VIRTUAL TABLE INDEX 192:M2<"])).toEqual([]);
    expect(
      scansIn('select "id" from "users" limit ?', ["SCAN users USING COVERING INDEX users_email"]),
    ).toEqual([]);
  });

  it("finds the statements that the lists and the sweep had", async () => {
    const old = [
      'delete from "audit_log" where "created_at" <= 1',
      'delete from "compilation_days" where "day" < 1',
      `select count(*) from "ar_content" where instr("search_text", 'a') > 0`,
    ].map(
      (query) => [query.replace('"created_at"', '+"created_at"').replace('"day"', '+"day"'), []] as const,
    );
    const plans = await explain(old);
    expect([...plans].map(([query, plan]) => scansIn(query, plan).length)).toEqual([1, 1, 1]);
  });
});

describe("the schema", () => {
  it("has an index that begins with each foreign key, for the check when the other row is deleted", () => {
    const unindexed = Object.values(tables)
      .filter((value) => is(value, SQLiteTable))
      .flatMap((table) => {
        const { name, columns, indexes, primaryKeys, foreignKeys } = getTableConfig(table);
        const first = new Set([
          ...columns.filter(({ primary, isUnique }) => primary || isUnique).map((column) => column.name),
          ...primaryKeys.map((key) => key.columns[0].name),
          ...indexes.map(({ config }) => (is(config.columns[0], Column) ? config.columns[0].name : "")),
        ]);
        return foreignKeys
          .map((key) => key.reference())
          .filter((key) => !first.has(key.columns[0].name))
          .map((key) => `${name}.${key.columns[0].name} of ${getTableName(key.foreignTable)}`);
      });
    // Companies and people are never deleted.
    expect(unindexed.filter((key) => !/ of (companies|users)$/.test(key))).toEqual([]);
    expect(unindexed.length).toBeGreaterThan(0);
  });
});
