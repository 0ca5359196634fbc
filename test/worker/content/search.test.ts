import { env } from "cloudflare:workers";
import { eq, isNull, sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_CANDIDATES } from "../../../worker/content/search.ts";
import { openStore } from "../../../worker/content/store.ts";
import { arContent, contentCounts } from "../../../worker/db/tables.ts";
import type { ArContent, ContentPage } from "../../../worker/schemas.ts";
import { addCompany } from "../company.ts";
import { Edge, json } from "../edge.ts";
import { largeTables } from "../plans/large.ts";

const edge = new Edge();

/** More than two pages of candidates. Numbers 7, 1007 and 2007 have failed. */
const PHOTOS = 2.5 * MAX_CANDIDATES;

async function upload(title: string, fields: Record<string, string> = {}): Promise<ArContent> {
  edge.pass(1);
  return (await edge.submit({ title, ...fields })).content;
}

const find = (query: Record<string, string>) =>
  edge.json<ContentPage>(`/api/ar-content?${new URLSearchParams(query)}`);

/** Follows the cursors. @returns the pages */
async function pages(query: Record<string, string>): Promise<ContentPage[]> {
  const page = await find(query);
  if (page.next_cursor === null) return [page];
  return [page, ...(await pages({ ...query, cursor: page.next_cursor }))];
}

const titles = (some: readonly ContentPage[]) => some.flatMap(({ items }) => items.map(({ title }) => title));

beforeAll(async () => {
  await env.DB.batch(largeTables(PHOTOS, edge.clock).map((statement) => env.DB.prepare(statement)));
});

describe("a search with more matches than one page looks at", () => {
  it("finds each of them once, newest first", async () => {
    const found = await pages({ q: "ПОРТРЕТ", limit: "100" });
    expect(titles(found)).toEqual(Array.from({ length: PHOTOS }, (_, n) => `Портрет ${PHOTOS - n}`));
    for (const { total, is_total_exact } of found) {
      expect([total, is_total_exact]).toEqual([MAX_CANDIDATES, false]);
    }
  });

  it("goes on to older candidates when few of them match", async () => {
    const found = await pages({ q: "портрет", status: "failed" });
    expect(found.map((page) => titles([page]))).toEqual([["Портрет 2007"], ["Портрет 1007"], ["Портрет 7"]]);
    const short = await pages({ q: "ет", status: "failed" });
    expect(titles(short)).toEqual(titles(found));
  });

  it("goes on after a photo that is deleted by then, and its row too", async () => {
    const extra = await upload("Портрет последний");
    const { next_cursor } = await find({ q: "портрет", limit: "1" });
    await edge.db.delete(arContent).where(eq(arContent.id, extra.id));
    const { items } = await find({ q: "портрет", limit: "1", cursor: next_cursor! });
    expect(items.map(({ title }) => title)).toEqual([`Портрет ${PHOTOS}`]);
  });

  it("misses none of the photos of one moment when those that were shown are deleted", async () => {
    const moment = Array.from({ length: 8 }, (_, n) => `Together ${n}`);
    for (const title of moment) await edge.submit({ title });
    const found: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page = await find({ q: "together", limit: "1", ...(cursor && { cursor }) });
      for (const { id, title } of page.items) {
        found.push(title);
        await edge.db.delete(arContent).where(eq(arContent.id, id));
      }
      cursor = page.next_cursor;
    }
    expect(found.sort()).toEqual(moment);
  });

  it("is not filled by the photos of another company", async () => {
    const other = await addCompany(edge, "Other");
    const { content } = await edge.submit({ title: "Портрет другой" });
    await edge.db.run(
      sql`UPDATE ar_content SET company_id = ${other.id}, project_id = ${other.projectId}, created_at = 1 WHERE id = ${content.id}`,
    );
    expect((await find({ q: "портрет другой" })).items).toEqual([]);
    const store = await openStore(edge.db, other.id);
    const list = await store.list({ text: "портрет", limit: 10 }, edge.clock);
    expect(list.rows.map((row) => row.content.id)).toEqual([content.id]);
    expect([list.total, list.isTotalExact, list.next]).toEqual([1, true, null]);
  });
});

describe("a search text", () => {
  it.each([
    ["of one character", "A 日 picture", "日"],
    ["of two characters", "Zürich", "ür"],
    ["of a single trigram", "Нева", "нев"],
    ["in capitals", "straße İzmir", "STRASSE".replace("SS", "ß")],
    ["in full-width letters", "Tokyo tower", "Ｔｏｋｙｏ"],
    ["with quotes", `She said "hello" twice`, `"hello"`],
    ["with words of the query language", "this AND that OR NOT NEAR", "AND that OR NOT"],
    ["with an asterisk and a caret", "five ^* stars", "^* st"],
    ["with a column's name", "company: text: ours", "company: text"],
    ["with brackets and a minus", "a (very) - odd {one}", "(very) - odd {"],
    ["with an emoji", "Party 🎉🎉🎉 time", "🎉🎉🎉"],
    ["of 200 characters", "x".repeat(200), "x".repeat(200)],
  ])("%s is found as it is", async (_, title, q) => {
    const { id } = await upload(title);
    const { items, total, is_total_exact } = await find({ q });
    expect(items.map((item) => item.id)).toEqual([id]);
    expect([total, is_total_exact]).toEqual([1, q.length > 2]);
  });

  it("must occur as a whole: the same trigrams elsewhere are no match", async () => {
    await upload("abcd bcde");
    expect((await find({ q: "abcde" })).items).toEqual([]);
  });

  it("is found after a change, in the new text only, and not after the deletion", async () => {
    const { id } = await upload("Before the change");
    await edge.json(`/api/ar-content/${id}`, json("PATCH", { title: "Afterwards" }));
    expect((await find({ q: "before the" })).total).toBe(0);
    expect((await find({ q: "afterwards" })).total).toBe(1);
    await edge.fetch(`/api/ar-content/${id}`, { method: "DELETE" });
    expect((await find({ q: "afterwards" })).total).toBe(0);
    // Although its row is kept for a while.
    const indexed = sql`SELECT rowid FROM content_search
      WHERE rowid = (SELECT rowid FROM ar_content WHERE id = ${id})`;
    expect(await edge.db.all(indexed)).toEqual([]);
  });
});

describe("the total without a search", () => {
  const listed = async () => {
    const statuses = ["pending", "processing", "ready", "failed"] as const;
    return Promise.all(statuses.map(async (status) => (await find({ status, limit: "1" })).total));
  };

  it("counts what is listed, by project and status", async () => {
    const before = await listed();
    const { id } = await upload("Counted");
    const leased = await upload("Leased", { compile: "browser" });
    expect(await listed()).toEqual([before[0] + 1, before[1] + 1, before[2], before[3]]);

    const project = await edge.json<{ id: string }>("/api/projects", json("POST", { name: "Archive" }));
    await edge.json(`/api/ar-content/${id}`, json("PATCH", { project_id: project.id }));
    expect((await find({ project_id: project.id })).total).toBe(1);
    const { contents } = await edge.json<{ contents: number }>(`/api/projects/${project.id}`);
    expect(contents).toBe(1);

    await edge.json(`/api/projects/${project.id}`, json("PATCH", { archived: true }));
    expect(await listed()).toEqual([before[0], before[1] + 1, before[2], before[3]]);
    expect((await find({ project_id: project.id })).total).toBe(1);

    for (const each of [id, leased.id]) await edge.fetch(`/api/ar-content/${each}`, { method: "DELETE" });
    expect(await listed()).toEqual(before);
    expect((await find({ project_id: project.id })).total).toBe(0);
  });

  it("agrees with the rows after all these changes", async () => {
    const { companyId, projectId, markerStatus } = arContent;
    const counted = await edge.db
      .select({ companyId, projectId, markerStatus, contents: sql<number>`count(*)` })
      .from(arContent)
      .where(isNull(arContent.deletedAt))
      .groupBy(companyId, projectId, markerStatus);
    const kept = await edge.db.select().from(contentCounts).where(sql`${contentCounts.contents} <> 0`);
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(sorted(kept)).toEqual(sorted(counted));
  });
});
