import { env } from "cloudflare:workers";
import { eq, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeEach, describe, expect, it } from "vitest";
import { hashKey } from "../../../worker/accounts/api-keys.ts";
import type { Scope } from "../../../worker/accounts/permissions.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import {
  apiKeys,
  arContent,
  auditLog,
  companies,
  compileTasks,
  idempotencyKeys,
  orphanedFiles,
  webhookDeliveries,
  webhookEvents,
} from "../../../worker/db/tables.ts";
import {
  type ArContent,
  type BatchResult,
  type BulkResult,
  MAX_BULK,
  type Project,
} from "../../../worker/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { addCompany } from "../company.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";
import { measuring } from "../plans/statements.ts";

const BULK = "/api/ar-content/bulk";

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
});

const bulk = (request: object, headers = {}) => edge.json<BulkResult>(BULK, json("POST", request, headers));
const submit = async (fields: Record<string, string> = {}) => (await edge.submit(fields)).content;
const newProject = async () => (await edge.json<Project>("/api/projects", json("POST", { name: "P" }))).id;
const idsOf = (photos: readonly ArContent[]) => photos.map(({ id }) => id);

/** Returns the outcomes: the status, or the code of the error. */
const outcomes = ({ items }: BulkResult) => items.map(({ status, error }) => error?.code ?? status);

/** Adds a photo to another company. */
async function foreignPhoto(): Promise<string> {
  const { content } = await edge.submit();
  const { id, projectId } = await addCompany(edge, "Other");
  await edge.db.update(arContent).set({ companyId: id, projectId }).where(eq(arContent.id, content.id));
  await edge.db.update(compileTasks).set({ companyId: id }).where(eq(compileTasks.contentId, content.id));
  return content.id;
}

const rowsOf = (ids: readonly string[]) =>
  edge.db
    .select()
    .from(arContent)
    .where(inArray(arContent.id, [...ids]));

async function entriesAbout(ids: readonly string[], action: string) {
  const entries = await edge.db.select().from(auditLog);
  return entries.filter((entry) => entry.action === action && ids.includes(entry.objectId));
}

describe("an action on many photos", () => {
  it.each([
    ["pause", {}, { is_active: false }],
    ["resume", {}, { is_active: true }],
    ["set_expiry", { expires_at: "2027-01-01T00:00:00.000Z" }, { expires_at: "2027-01-01T00:00:00.000Z" }],
    ["set_expiry", { expires_at: null }, { expires_at: null }],
  ])(
    "%s %o changes those of the company, and tells which were not found",
    async (action, fields, expected) => {
      const photos = [await submit({ title: "First" }), await submit({ title: "Second" })];
      const foreign = await foreignPhoto();
      const [untouched] = await rowsOf([foreign]);
      const ids = [photos[0].id, "unknown", foreign, photos[1].id];
      edge.pass(5);
      const result = await bulk({ action, ids, ...fields });
      expect(outcomes(result)).toEqual([200, "not_found", "not_found", 200]);
      expect(result.items.map(({ id }) => id)).toEqual(ids);
      expect([result.done, result.refused]).toEqual([2, 2]);
      for (const { id } of photos) {
        const updated_at = new Date(edge.clock).toISOString();
        expect(await edge.content(id)).toMatchObject({ ...expected, updated_at });
      }
      expect(await rowsOf([foreign])).toEqual([untouched]);
      const entries = await entriesAbout(ids, "content.changed");
      expect(entries.map(({ objectName, detail }) => [objectName, detail]).sort()).toEqual([
        ["First", expected],
        ["Second", expected],
      ]);
    },
  );

  it("move: an order number that is taken there stays; of two with the same one, one moves", async () => {
    const [from, other, project_id] = [await newProject(), await newProject(), await newProject()];
    const there = await submit({ project_id, order_number: "1", title: "There" });
    const taken = await submit({ project_id: from, order_number: "1" });
    const twins = [
      await submit({ project_id: from, order_number: "2", title: "Twin" }),
      await submit({ project_id: other, order_number: "2", title: "Twin" }),
    ];
    const plain = [await submit({ project_id: from }), await submit({ project_id: from })];
    const ids = idsOf([there, taken, ...twins, ...plain]);
    const { items } = await bulk({ action: "move", ids, project_id });
    const codes = items.map(({ status, error }) => error?.code ?? status);
    expect(codes.slice(0, 2)).toEqual([200, "order_number_taken"]);
    expect(codes.slice(2, 4).sort()).toEqual([200, "order_number_taken"].sort());
    expect(codes.slice(4)).toEqual([200, 200]);
    expect(items[1].error?.detail).toContain(`belongs to the photo "There" (${there.id})`);
    const moved = (await rowsOf(ids)).filter(({ projectId }) => projectId === project_id);
    expect(moved).toHaveLength(4);
    expect(await entriesAbout(ids, "content.changed")).toHaveLength(4);
  });

  it("delete: the kept files of a deleted photo of another company stay", async () => {
    const contentId = await foreignPhoto();
    const [{ companyId }] = await rowsOf([contentId]);
    const removedAt = edge.clock;
    const dueAt = removedAt + 86_400_000;
    await edge.db.update(arContent).set({ deletedAt: dueAt, removedAt }).where(eq(arContent.id, contentId));
    await edge.db.insert(orphanedFiles).values({
      id: "kept",
      companyId,
      contentId,
      path: "old",
      isReserved: false,
      createdAt: removedAt,
      dueAt,
    });
    const result = await bulk({ action: "delete", ids: [contentId], keep_files: false });
    expect(outcomes(result)).toEqual(["not_found"]);
    const ofContent = eq(orphanedFiles.contentId, contentId);
    expect(await edge.db.select().from(orphanedFiles).where(ofContent)).toMatchObject([{ dueAt }]);
    await edge.db.delete(orphanedFiles).where(ofContent);
  });

  it("delete: nothing of them is shown, events are recorded, and the sweep removes the files", async () => {
    const hook = json("POST", { url: "https://shop.example.net/hook", events: ["content.deleted"] });
    for (const _ of [1, 2]) await edge.json("/api/webhooks", hook);
    const photos = [await submit({ compile: "browser" }), await submit(), await submit()];
    const kept = await submit();
    const foreign = await foreignPhoto();
    const upload = json("POST", { length: 12_000_000, content_type: "video/mp4" });
    await edge.json(`/api/ar-content/${photos[0].id}/video-uploads`, upload);
    const result = await bulk({ action: "delete", ids: [...idsOf(photos), foreign], keep_files: false });
    expect(outcomes(result)).toEqual([204, 204, 204, "not_found"]);
    for (const { id, unique_id } of photos) {
      expect((await edge.fetch(`/api/ar-content/${id}`)).status).toBe(404);
      expect((await edge.fetch(`/api/viewer/${unique_id}`)).status).toBe(404);
    }
    expect((await edge.content(kept.id)).marker_status).toBe("pending");
    expect((await rowsOf([foreign]))[0].deletedAt).toBeNull();
    const events = await edge.db
      .select()
      .from(webhookEvents)
      .where(eq(webhookEvents.type, "content.deleted"));
    expect(events.map(({ contentId }) => contentId).sort()).toEqual(idsOf(photos).sort());
    expect(await edge.db.select().from(webhookDeliveries)).toHaveLength(6);
    expect(await entriesAbout(idsOf(photos), "content.deleted")).toHaveLength(3);
    const tasks = await edge.db
      .select()
      .from(compileTasks)
      .where(inArray(compileTasks.contentId, idsOf(photos)));
    expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(["superseded"]));
    const again = await bulk({ action: "delete", ids: idsOf(photos) });
    expect(outcomes(again)).toEqual(["not_found", "not_found", "not_found"]);
    await sweep(edge.bindings, edge.clock);
    expect(await rowsOf(idsOf(photos))).toEqual([]);
    for (const photo of photos) expect(await edge.files(photo)).toEqual([]);
  });

  it("recompile: a new compilation of each, with its message", async () => {
    const photos = [await submit({ max_features: "200" }), await submit()];
    const foreign = await foreignPhoto();
    edge.sent.length = 0;
    const { items } = await bulk({ action: "recompile", ids: [...idsOf(photos), foreign] });
    expect(items.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(
      edge.sent
        .map(({ message }) => message)
        .sort((a, b) => idsOf(photos).indexOf(a.content_id) - idsOf(photos).indexOf(b.content_id)),
    ).toEqual(idsOf(photos).map((content_id) => ({ content_id, generation: 2 })));
    for (const [n, photo] of photos.entries()) {
      const { task_id, marker_status, max_features } = await edge.content(photo.id);
      expect([task_id, marker_status, max_features]).toEqual([
        items[n].task_id,
        "pending",
        photo.max_features,
      ]);
    }
    expect(await entriesAbout([...idsOf(photos), foreign], "marker.recompiled")).toHaveLength(2);
  });

  it("recompile: all are refused when the quota is too small for all", async () => {
    const photos = [await submit(), await submit()];
    const used = (await edge.db.select().from(compileTasks)).length;
    await edge.db.update(companies).set({ maxCompilationsADay: used + 1 });
    try {
      const result = await bulk({ action: "recompile", ids: [...idsOf(photos), "unknown"] });
      expect(outcomes(result)).toEqual(["quota_exceeded", "quota_exceeded", "not_found"]);
      for (const photo of photos) expect(await edge.content(photo.id)).toEqual(photo);
    } finally {
      await edge.db.update(companies).set({ maxCompilationsADay: null });
    }
  });

  it("takes as many statements for 60 photos as for two", async () => {
    const images = Array.from({ length: 60 }, (_, n) => png(240, 180, `many ${n}`));
    const body = new FormData();
    for (const image of images) body.append("image", new Blob([new Uint8Array(image)]), "photo.png");
    const sent = await edge.json<BatchResult>("/api/ar-content/batch", { method: "POST", body });
    const all = sent.items.map(({ content_id }) => content_id!);
    const project_id = await newProject();
    for (const request of [
      { action: "pause" },
      { action: "move", project_id },
      { action: "recompile" },
      { action: "delete" },
    ]) {
      const counts: number[] = [];
      for (const ids of [all.slice(0, 2), all.slice(2)]) {
        const { database, read } = measuring(env.DB);
        const sent = await edge.fetch(BULK, json("POST", { ...request, ids }), { db: drizzle(database) });
        const { refused } = (await sent.json()) as BulkResult;
        expect(refused).toBe(0);
        counts.push(read.length);
        for (const { rows } of read) expect(rows).toBeLessThan(100 * ids.length);
      }
      expect([request.action, counts[1]]).toEqual([request.action, counts[0]]);
      expect(counts[0]).toBeLessThan(15);
    }
  });
});

describe("the same Idempotency-Key", () => {
  it("returns the same results of many photos, from what is kept of them", async () => {
    const photo = await submit();
    const ids = [photo.id, ...Array.from({ length: MAX_BULK - 1 }, () => crypto.randomUUID())];
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const first = await bulk({ action: "recompile", ids }, headers);
    const again = await bulk({ action: "recompile", ids }, headers);
    const short = ({ items }: BulkResult) =>
      items.map(({ error, ...item }) => ({ ...item, code: error?.code }));
    expect(short(again)).toEqual(short(first));
    expect(again.done).toBe(1);
    expect((await edge.content(photo.id)).task_id).toBe(first.items[0].task_id);
    const other = await edge.fetch(BULK, json("POST", { action: "pause", ids }, headers));
    expect((await refusal(other)).code).toBe("idempotency_key_reused");
  });

  it("compiles each photo once when the first request broke off", async () => {
    const [first, second] = [await submit(), await submit()];
    const key = crypto.randomUUID();
    const headers = { "Idempotency-Key": key };
    const ids = [first.id, second.id];
    const started = await bulk({ action: "recompile", ids }, headers);
    // As if the Worker had stopped before it kept the response.
    await edge.db.update(idempotencyKeys).set({ answer: null, leaseExpiresAt: edge.clock - 1 });
    const again = await bulk({ action: "recompile", ids }, headers);
    expect(again).toEqual(started);
    const tasks = await edge.db.select().from(compileTasks).where(inArray(compileTasks.contentId, ids));
    expect(tasks).toHaveLength(4);
  });
});

describe("a bulk request is refused", () => {
  const send = async (body: object) => refusal(await edge.fetch(BULK, json("POST", body)));

  it.each([
    [{ action: "pause", ids: [] }, /ids/],
    [{ action: "pause", ids: ["a", "b", "a"] }, /expected each ID once/],
    [{ action: "pause", ids: Array.from({ length: MAX_BULK + 1 }, (_, n) => `${n}`) }, /ids/],
    [{ action: "pause" }, /ids/],
    [{ action: "print", ids: ["a"] }, /action/],
    [{ action: "move", ids: ["a"] }, /project_id/],
    [{ action: "move", ids: ["a"], project_id: "none" }, /project_id/],
    [{ action: "set_expiry", ids: ["a"], expires_at: "soon" }, /expires_at/],
    [{ action: "delete", ids: ["a"], project_id: "x" }, /project_id/],
  ])("as %o", async (body, sentence) => {
    const problem = await send(body);
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(problem.detail).toMatch(sentence);
  });

  it("into an archived project, and as a form", async () => {
    const project_id = await newProject();
    await edge.json(`/api/projects/${project_id}`, json("PATCH", { archived: true }));
    expect((await send({ action: "move", ids: ["a"], project_id })).code).toBe("project_archived");
    const body = form({ action: "pause" });
    const answer = await edge.fetch(BULK, { method: "POST", body });
    expect((await refusal(answer)).code).toBe("unsupported_media_type");
  });

  it("to an API key without the scope of the action", async () => {
    const { id } = await submit();
    const as = async (scope: Scope, action: string) => {
      const key = `vivi_${scope.padEnd(48, "0")}`;
      const row = { companyId: FIRST_COMPANY_ID, name: scope, prefix: scope, createdAt: 0 };
      await edge.db
        .insert(apiKeys)
        .values({ id: scope, ...row, hash: await hashKey(key), scopes: [scope] })
        .onConflictDoNothing();
      const headers = { Authorization: `Bearer ${key}` };
      return edge.anonymously(BULK, json("POST", { action, ids: [id] }, headers));
    };
    expect((await refusal(await as("submit", "pause"))).code).toBe("forbidden");
    expect((await refusal(await as("manage", "recompile"))).code).toBe("forbidden");
    expect((await as("manage", "pause")).status).toBe(200);
    expect((await edge.content(id)).is_active).toBe(false);
  });
});
