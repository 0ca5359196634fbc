import { sql } from "drizzle-orm";
import { beforeEach, describe, expect, test } from "vitest";
import type { ArContent, ContentPage, Project } from "../../../worker/schemas.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { jpeg, mind, png } from "../fixtures.ts";

const DAY_SECONDS = 24 * 3600;

let edge: Edge;
let tests = 0;

beforeEach(() => {
  edge = new Edge();
  // The oldest project is the default: each test creates younger ones than the tests before.
  edge.pass(60 * tests++);
});

const create = (body: object) => edge.json<Project>("/api/projects", json("POST", body));
const change = (id: string, body: object) => edge.json<Project>(`/api/projects/${id}`, json("PATCH", body));
const list = async () => (await edge.json<{ items: Project[] }>("/api/projects")).items;
const codeOf = async (response: Response) => (await refusal(response)).code;
const listed = async (query = "") => {
  const page = await edge.json<ContentPage>(`/api/ar-content?limit=100&${query}`);
  return page.items.map(({ id }) => id);
};

describe("a project", () => {
  test("is created, found and renamed", async () => {
    const made = await create({ name: "  Weddings\n2026 " });
    expect(made).toMatchObject({
      name: "Weddings 2026",
      max_features: null,
      expires_after_days: null,
      contents: 0,
      archived_at: null,
    });
    edge.pass(1);
    const renamed = await change(made.id, { name: "Weddings" });
    expect(renamed).toMatchObject({ name: "Weddings", created_at: made.created_at });
    expect(renamed.updated_at > made.updated_at).toBe(true);
    expect(await edge.json(`/api/projects/${made.id}`)).toEqual(renamed);
    expect((await list()).filter(({ id }) => id === made.id)).toEqual([renamed]);
  });

  test.each([
    [{ name: "" }, /name/],
    [{ name: "A", max_features: 19 }, /max_features/],
    [{ name: "A", expires_after_days: 0 }, /expires_after_days/],
    [{ name: "A", colour: "red" }, /colour/],
  ])("is rejected: %o", async (body, sentence) => {
    const problem = await refusal(await edge.fetch("/api/projects", json("POST", body)));
    expect(problem).toMatchObject({ status: 422, detail: expect.stringMatching(sentence) });
  });

  test("is limited to 1,000 per company", async () => {
    await create({ name: "Another" });
    const { company } = await edge.store();
    const number = sql`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)`;
    await edge.db.run(sql`${number} INSERT INTO projects (id, company_id, name, created_at, updated_at)
      SELECT 'many-' || n, ${company.id}, 'Many', 0, 0 FROM numbers
      WHERE n <= 999 - (SELECT count(*) FROM projects WHERE company_id = ${company.id})`);
    const both = ["Last", "Too many"].map((name) => edge.fetch("/api/projects", json("POST", { name })));
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 409]);
    expect(await codeOf(await edge.fetch("/api/projects", json("POST", { name: "More" })))).toBe(
      "too_many_projects",
    );
    await edge.db.run(sql`DELETE FROM projects WHERE name IN ('Many', 'Last', 'Too many')`);
  });

  test("counts its content, but not deleted content", async () => {
    const { id } = await create({ name: "Counted" });
    const { content } = await edge.submit({ project_id: id });
    await edge.submit({ project_id: id });
    expect((await edge.json<Project>(`/api/projects/${id}`)).contents).toBe(2);
    await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" });
    expect((await edge.json<Project>(`/api/projects/${id}`)).contents).toBe(1);
  });

  test("is not found under an unknown id", async () => {
    expect(await codeOf(await edge.fetch("/api/projects/none"))).toBe("not_found");
    expect(await codeOf(await edge.fetch("/api/projects/none", json("PATCH", { name: "A" })))).toBe(
      "not_found",
    );
    const archive = json("PATCH", { archived: true });
    expect(await codeOf(await edge.fetch("/api/projects/none", archive))).toBe("not_found");
  });
});

describe("its defaults", () => {
  test("apply to submissions without their own values", async () => {
    const { id } = await create({ name: "Small", max_features: 100, expires_after_days: 30 });
    const { content: plain } = await edge.submit({ project_id: id });
    expect(plain.max_features).toBe(100);
    expect(plain.expires_at).toBe(new Date(edge.clock + 30 * DAY_SECONDS * 1000).toISOString());
    const expires_at = new Date(edge.clock + 1000).toISOString();
    const { content: own } = await edge.submit({ project_id: id, max_features: "200", expires_at });
    expect([own.max_features, own.expires_at]).toEqual([200, expires_at]);

    await change(id, { max_features: null, expires_after_days: null });
    const { content: later } = await edge.submit({ project_id: id });
    expect([later.max_features, later.expires_at]).toEqual([null, null]);
    // Existing content keeps its values.
    expect((await edge.content(plain.id)).expires_at).toBe(plain.expires_at);
  });
});

describe("content that has expired", () => {
  test("is visible to its company only, and to all after an extension", async () => {
    const expires_at = new Date(edge.clock + DAY_SECONDS * 1000).toISOString();
    const { content: submitted, lease } = await edge.submit({ expires_at, compile: "browser" });
    const content = await edge.json<ArContent>(`/api/ar-content/${submitted.id}/marker`, {
      method: "PUT",
      body: form({ marker: mind(), picture: jpeg(240, 180) }),
      headers: { "Vivimark-Lease": lease!.token },
    });
    const manifest = () => edge.anonymously(`/api/viewer/${content.unique_id}`);
    const picture = () => edge.anonymously(content.picture_url!);
    const statuses = async () => {
      const answers = await Promise.all([manifest(), picture()]);
      await Promise.all(answers.map((answer) => answer.arrayBuffer()));
      return answers.map(({ status }) => status);
    };
    expect(await statuses()).toEqual([200, 200]);
    edge.pass(DAY_SECONDS);
    expect(await statuses()).toEqual([404, 404]);
    const seen = await edge.fetch(content.picture_url!);
    expect([seen.status, seen.headers.get("cache-control")]).toEqual([200, "private, no-cache"]);
    await seen.arrayBuffer();

    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { expires_at: null }));
    expect(await statuses()).toEqual([200, 200]);
  });

  test("accepts a time, not a word", async () => {
    const { content } = await edge.submit();
    const wrong = await edge.fetch(`/api/ar-content/${content.id}`, json("PATCH", { expires_at: "soon" }));
    expect((await refusal(wrong)).detail).toMatch(/expires_at/);
    const upload = { method: "POST", body: form({ image: png(), expires_at: "soon" }) };
    expect((await refusal(await edge.fetch("/api/ar-content", upload))).detail).toMatch(/expires_at/);
  });
});

describe("an archived project", () => {
  test("accepts no new content, is listed only by its id, and is still served", async () => {
    const { id } = await create({ name: "Old" });
    const { content } = await edge.submit({ project_id: id });
    const { content: other } = await edge.submit();
    const archived = await change(id, { archived: true });
    expect(archived.archived_at).toBe(new Date(edge.clock).toISOString());

    const upload = { method: "POST", body: form({ image: png(), project_id: id }) };
    expect(await codeOf(await edge.fetch("/api/ar-content", upload))).toBe("project_archived");
    const move = json("PATCH", { project_id: id });
    expect(await codeOf(await edge.fetch(`/api/ar-content/${other.id}`, move))).toBe("project_archived");

    expect(await listed()).not.toContain(content.id);
    expect(await listed(`project_id=${id}`)).toEqual([content.id]);
    expect((await edge.anonymously(`/api/viewer/${content.unique_id}`)).status).toBe(200);

    // Archiving again changes nothing.
    edge.pass(60);
    expect((await change(id, { archived: true })).archived_at).toBe(archived.archived_at);
    expect((await change(id, { archived: false })).archived_at).toBeNull();
    expect(await listed()).toContain(content.id);
  });

  test("is never the last open one", async () => {
    const open = (await list()).filter(({ archived_at }) => archived_at === null);
    const [last, ...others] = open;
    for (const { id } of others) await change(id, { archived: true });
    const refused = await edge.fetch(`/api/projects/${last.id}`, json("PATCH", { archived: true }));
    expect(await codeOf(refused)).toBe("last_project");
    // No part of the change is made.
    const both = json("PATCH", { name: "Renamed", archived: true });
    expect(await codeOf(await edge.fetch(`/api/projects/${last.id}`, both))).toBe("last_project");
    expect((await edge.json<Project>(`/api/projects/${last.id}`)).name).toBe(last.name);
    const { content } = await edge.submit();
    expect(content.project_id).toBe(last.id);
  });
});
