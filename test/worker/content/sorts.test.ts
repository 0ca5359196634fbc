import { env } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, describe, expect, it } from "vitest";
import { arContent } from "../../../worker/db/tables.ts";
import type { ArContent, ContentPage, MarkerMetadata, Project } from "../../../worker/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";
import { explain } from "../plans/plans.ts";
import { measuring } from "../plans/statements.ts";

const DAY = 24 * 3_600_000;

const edge = new Edge();
let project: string;

const list = (query: string) => edge.json<ContentPage>(`/api/ar-content?${query}`);

/** Follows the cursors through pages of two. */
async function titles(query: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ""; ; ) {
    const page = await list(`${query}&limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    found.push(...page.items.map(({ title }) => title));
    if (page.next_cursor === null) return found;
    cursor = page.next_cursor;
  }
}

/** Adds a photo. @param stars of its marker; null: it has none @param days until it expires; null: never */
async function add(
  title: string,
  {
    stars = null,
    days = null,
    ...fields
  }: { stars?: number | null; days?: number | null; project_id?: string },
): Promise<ArContent> {
  edge.pass(1);
  const { content } = await edge.submit({ title, ...fields });
  const quality = { score: (stars ?? 0) * 20, stars } as MarkerMetadata["quality"];
  const markerMetadata = stars === null ? null : ({ quality } as MarkerMetadata);
  const expiresAt = days === null ? null : edge.clock + days * DAY;
  await edge.db.update(arContent).set({ markerMetadata, expiresAt }).where(eq(arContent.id, content.id));
  return content;
}

beforeAll(async () => {
  // The default project is the oldest one.
  await edge.json<Project>("/api/projects", json("POST", { name: "Default" }));
  edge.pass(1);
  project = (await edge.json<Project>("/api/projects", json("POST", { name: "Other" }))).id;
  await add("вечер", { stars: 1, days: 5 });
  await add("Анна", { stars: 4 });
  await add("борис 😀 with a title that is longer than its column, which has only 64 characters", {
    days: 90,
  });
  await add("анна", { stars: 2, days: -1, project_id: project });
  await add("Anna", { stars: 1, days: 20 });
  const paused = await add("zoe", { days: 1 });
  await edge.json(`/api/ar-content/${paused.id}`, json("PATCH", { is_active: false }));
  const played = await add("Video", { stars: 5 });
  await edge.db.update(arContent).set({ videoPath: "video" }).where(eq(arContent.id, played.id));
});

describe("a list of photos", () => {
  const LONG = "борис 😀 with a title that is longer than its column, which has only 64 characters";

  it("is sorted by title in any case, by score, and by expiry, on all pages", async () => {
    const newest = ["Video", "zoe", "Anna", "анна", LONG, "Анна", "вечер"];
    expect(await titles("sort=newest")).toEqual(newest);
    expect(await titles("")).toEqual(newest);
    const byTitle = await titles("sort=title");
    expect(byTitle.map((title) => title.toLowerCase())).toEqual([
      "anna",
      "video",
      "zoe",
      "анна",
      "анна",
      LONG,
      "вечер",
    ]);
    expect(new Set(byTitle)).toEqual(new Set(newest));
    const byScore = await titles("sort=score");
    expect([byScore.slice(0, 2).sort(), byScore.slice(2, 5), byScore.slice(5).sort()]).toEqual([
      ["Anna", "вечер"],
      ["анна", "Анна", "Video"],
      ["zoe", LONG],
    ]);
    const byExpiry = await titles("sort=expiry");
    expect([byExpiry.slice(0, 5), byExpiry.slice(5).sort()]).toEqual([
      ["анна", "zoe", "вечер", "Anna", LONG],
      ["Video", "Анна"],
    ]);
    expect((await list("sort=score&limit=2")).total).toBe(7);
  });

  it("has filters, which combine with each other, the search, the status, the project and the order", async () => {
    expect(await titles("without_video=true")).toEqual(["zoe", "Anna", "анна", LONG, "Анна", "вечер"]);
    expect(await titles("weak=true")).toEqual(["Anna", "анна", "вечер"]);
    expect(await titles("paused=true")).toEqual(["zoe"]);
    expect(await titles("expiring=true&sort=expiry")).toEqual(["zoe", "вечер", "Anna"]);
    expect(await titles("weak=true&expiring=true")).toEqual(["Anna", "вечер"]);
    expect(await titles("weak=true&q=ann")).toEqual(["Anna"]);
    expect(await titles("sort=title&q=анна")).toHaveLength(2);
    expect(await titles("sort=title&status=pending")).toHaveLength(7);
    expect(await titles("sort=title&status=failed")).toEqual([]);
    expect(await titles(`weak=true&project_id=${project}`)).toEqual(["анна"]);
    expect(await titles(`sort=expiry&project_id=${project}`)).toEqual(["анна"]);
    const { total, is_total_exact } = await list("weak=true&limit=1");
    expect([total, is_total_exact]).toEqual([3, true]);
    expect((await list("paused=true&status=failed")).total).toBe(0);
  });

  it.each([
    ["sort=oldest", /"sort"/],
    ["weak=yes", /"weak"/],
    ["sort=title&cursor=abc.7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11", /same sort/],
    ["sort=score&cursor=title.d0b0.7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11", /same sort/],
    ["sort=title&cursor=title.d0b.7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11", /same sort/],
    ["cursor=score.1.7d2f6a52-6a0c-4b53-9f0e-0d6c1f2b7a11", /same sort/],
  ])("refuses %s", async (query, sentence) => {
    const problem = await refusal(await edge.fetch(`/api/ar-content?${query}`));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(problem.detail).toMatch(sentence);
  });

  it.each([
    ["sort=title", "ar_content_title"],
    ["sort=score&weak=true", "ar_content_score"],
    ["sort=expiry&expiring=true", "ar_content_expiry"],
    ["without_video=true", "ar_content_without_video"],
    ["weak=true", "ar_content_weak"],
    ["paused=true", "ar_content_paused"],
  ])("with %s is read from the index %s", async (query, index) => {
    const { database, read } = measuring(env.DB);
    await edge.fetch(`/api/ar-content?${query}`, {}, { db: drizzle(database) });
    const statements = read.filter(
      ({ query }) => query.includes('from "ar_content"') || query.includes("candidate"),
    );
    expect(statements.length).toBeGreaterThan(0);
    const plans = await explain(
      statements.map(({ query }) => [query, Array(query.split("?").length - 1).fill(1)]),
    );
    expect([...plans.values()].flat().join("\n")).toContain(`USING INDEX ${index} `);
  });
});
