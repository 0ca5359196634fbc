import { env } from "cloudflare:workers";
import { and, eq, isNull, sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { endOfDay } from "../../../worker/content/quotas.ts";
import {
  arContent,
  companies,
  compilationDays,
  compileTasks,
  videoUploads,
} from "../../../worker/db/tables.ts";
import { deliver } from "../../../worker/marker/delivery.ts";
import type { VideoUpload } from "../../../worker/routes/video-uploads.ts";
import type { BatchItem, CompanyUsage, Submission } from "../../../worker/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { hashToken } from "../../../worker/token.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { mind, png, video } from "../fixtures.ts";

let edge: Edge;

beforeEach(async () => {
  edge = new Edge();
  await edge.store();
});

/** Empties the company, and removes its own quotas. */
afterEach(async () => {
  const { items } = await edge.json<{ items: { id: string }[] }>("/api/ar-content?limit=100");
  for (const { id } of items)
    await edge.fetch(`/api/ar-content/${id}?keep_files=false`, { method: "DELETE" });
  await edge.removeDeletedFiles();
  await edge.db.delete(compilationDays);
  await allow({ maxContents: null, maxBytes: null, maxCompilationsADay: null });
});

async function allow(quotas: Partial<typeof companies.$inferInsert>): Promise<void> {
  await edge.db.update(companies).set(quotas);
}

const usage = () => edge.json<CompanyUsage>("/api/company/usage");
const submit = (image = png()) => edge.fetch("/api/ar-content", { method: "POST", body: form({ image }) });
const putVideo = (id: string, bytes: Uint8Array<ArrayBuffer>) =>
  edge.fetch(`/api/ar-content/${id}/video`, {
    method: "PUT",
    body: bytes,
    headers: { "Content-Length": String(bytes.length), "Content-Type": "video/mp4" },
  });

/** Returns the counters, and the sums of the rows. */
async function counted() {
  const { company } = await edge.store();
  const [rows] = await edge.db
    .select({
      contentCount: sql<number>`count(*)`,
      contentBytes: sql<number>`coalesce(sum(image_bytes + coalesce(video_bytes, 0) + coalesce(json_extract(marker_metadata, '$.bytes'), 0)), 0)`,
    })
    .from(arContent)
    .where(and(eq(arContent.companyId, company.id), isNull(arContent.removedAt)));
  return [{ contentCount: company.contentCount, contentBytes: company.contentBytes }, rows];
}

test("the counters match the stored rows through a photo's whole life", async () => {
  const check = async () => {
    const [counters, rows] = await counted();
    expect(counters).toEqual(rows);
    return counters;
  };
  const before = await check();
  const image = png();
  const { content, lease } = await edge.submit({ image, compile: "browser" });
  expect(await check()).toEqual({
    contentCount: before.contentCount + 1,
    contentBytes: before.contentBytes + image.length,
  });
  const marker = mind();
  const headers = { "Vivimark-Lease": lease!.token, "Content-Type": "application/octet-stream" };
  await edge.json(`/api/ar-content/${content.id}/marker`, { method: "PUT", body: marker, headers });
  expect((await check()).contentBytes).toBe(before.contentBytes + image.length + marker.length);
  expect((await putVideo(content.id, video("mp4", 5000))).status).toBe(200);
  expect((await putVideo(content.id, video("mp4", 7000))).status).toBe(200);
  expect((await check()).contentBytes).toBe(before.contentBytes + image.length + marker.length + 7000);
  await edge.fetch(`/api/ar-content/${content.id}/video`, { method: "DELETE" });
  expect((await check()).contentBytes).toBe(before.contentBytes + image.length + marker.length);
  // The same photo again takes its marker over: no compilation, and bytes of its own.
  expect((await edge.submit({ image })).reused).toBe(true);
  expect((await check()).contentBytes).toBe(before.contentBytes + 2 * (image.length + marker.length));
  expect((await usage()).compilations.used).toBe(1);
  await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" });
  await check();
});

describe("the quota of photos", () => {
  it("names the usage and the limit, and accepts a photo after another is deleted", async () => {
    await allow({ maxContents: 2 });
    const { content } = await edge.submit();
    await edge.submit();
    const problem = await refusal(await submit());
    expect([problem.status, problem.code]).toEqual([403, "quota_exceeded"]);
    expect(problem.detail).toContain("has 2 of at most 2 photos");
    expect(await edge.db.select().from(arContent)).toHaveLength(2);
    await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" });
    expect((await submit()).status).toBe(201);
  });

  it("holds for many requests at the same moment", async () => {
    await allow({ maxContents: 5 });
    const responses = await Promise.all(Array.from({ length: 20 }, () => submit()));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(201), ...Array(15).fill(403)]);
    expect(await edge.db.select().from(arContent)).toHaveLength(5);
    // The refused requests left no file.
    const { objects } = await env.BUCKET.list();
    const kept = (await edge.db.select().from(arContent)).map(({ uniqueId }) => uniqueId);
    expect(objects.length).toBeGreaterThanOrEqual(5);
    expect(objects.filter(({ key }) => !kept.some((id) => key.includes(id)))).toEqual([]);
  });

  it("refuses only the excess photos of a batch", async () => {
    await allow({ maxContents: 3 });
    const data = new FormData();
    for (let i = 0; i < 5; i++) data.append("image", new Blob([png()]), `${i}.png`);
    const { items } = await edge.json<{ items: BatchItem[] }>("/api/ar-content/batch", {
      method: "POST",
      body: data,
    });
    expect(items.map(({ status }) => status)).toEqual([201, 201, 201, 403, 403]);
    expect(items[4].error).toMatchObject({
      code: "quota_exceeded",
      detail: expect.stringContaining("3 of at most 3"),
    });
  });

  it("is the platform's unless the company has its own, and 0 means no limit", async () => {
    const settings = { ...edge.settings, quotas: { contents: 1, bytes: 0, compilationsADay: 0 } };
    const send = () =>
      edge.fetch("/api/ar-content", { method: "POST", body: form({ image: png() }) }, { settings });
    expect((await send()).status).toBe(201);
    expect((await send()).status).toBe(403);
    await allow({ maxContents: 0 });
    expect((await send()).status).toBe(201);
  });
});

describe("the quota of bytes", () => {
  it("counts photos and videos, minus the video that is replaced", async () => {
    const image = png();
    const { content } = await edge.submit({ image });
    await allow({ maxBytes: image.length + 8000 });
    expect((await putVideo(content.id, video("mp4", 6000))).status).toBe(200);
    expect((await putVideo(content.id, video("mp4", 8000))).status).toBe(200);
    const problem = await refusal(await putVideo(content.id, video("mp4", 8001)));
    expect(problem.code).toBe("quota_exceeded");
    expect(problem.detail).toMatch(/stores 0\.01 MB of at most 0\.01 MB/);
    expect((await refusal(await submit())).code).toBe("quota_exceeded");
    const path = `/api/ar-content/${content.id}/video-uploads`;
    const tooLarge = { length: 12_000_000, content_type: "video/mp4" };
    expect((await refusal(await edge.fetch(path, json("POST", tooLarge)))).code).toBe("quota_exceeded");
    expect((await edge.content(content.id)).video_bytes).toBe(8000);
  });

  it("holds for videos at the same moment, and leaves no file of a refused one", async () => {
    const contents = await Promise.all(Array.from({ length: 6 }, async () => (await edge.submit()).content));
    const { company } = await edge.store();
    await allow({ maxBytes: company.contentBytes + 2 * 5000 });
    const responses = await Promise.all(contents.map(({ id }) => putVideo(id, video("mp4", 5000))));
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 403, 403, 403, 403]);
    const { objects } = await env.BUCKET.list();
    expect(objects.filter(({ key }) => key.includes("/videos/"))).toHaveLength(2);
  });
});

describe("a video upload in parts", () => {
  const LENGTH = 5000;
  const wish = { length: LENGTH, content_type: "video/mp4" };
  const begin = (id: string) => edge.fetch(`/api/ar-content/${id}/video-uploads`, json("POST", wish));
  const stored = async () => (await edge.store()).company.contentBytes;

  afterEach(async () => {
    await edge.db.delete(videoUploads);
  });

  it("counts once, from its beginning until it is deleted", async () => {
    const { content } = await edge.submit();
    const path = `/api/ar-content/${content.id}/video-uploads`;
    const before = await stored();
    const given = (await (await begin(content.id)).json()) as VideoUpload;
    expect(await stored()).toBe(before + LENGTH);
    expect((await edge.fetch(`${path}/${given.id}`, { method: "DELETE" })).status).toBe(204);
    expect(await stored()).toBe(before);

    await allow({ maxBytes: before + LENGTH });
    const { id } = (await (await begin(content.id)).json()) as VideoUpload;
    // The upload uses up the quota, and still completes.
    expect((await refusal(await submit())).code).toBe("quota_exceeded");
    const headers = { "Content-Length": String(LENGTH) };
    const body = video("mp4", LENGTH);
    await edge.json(`${path}/${id}/parts/1`, { method: "PUT", body, headers });
    expect((await edge.fetch(`${path}/${id}/complete`, { method: "POST" })).status).toBe(200);
    expect(await stored()).toBe(before + LENGTH);
    expect((await edge.content(content.id)).video_bytes).toBe(LENGTH);
  });

  it("stops counting when it is abandoned", async () => {
    const { content } = await edge.submit();
    const before = await stored();
    expect((await begin(content.id)).status).toBe(201);
    edge.pass(25 * 3600);
    await sweep(edge.bindings, edge.clock);
    expect(await stored()).toBe(before);
  });

  it("cannot exceed the quota together with others, at the same moment or one after another", async () => {
    const { content } = await edge.submit();
    await allow({ maxBytes: (await stored()) + 3 * LENGTH });
    const begun = await Promise.all(Array.from({ length: 10 }, () => begin(content.id)));
    expect(begun.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(7).fill(403)]);
    expect((await refusal(await begin(content.id))).code).toBe("quota_exceeded");
    expect(await edge.db.select().from(videoUploads)).toHaveLength(3);
    expect((await refusal(await putVideo(content.id, video("mp4", 1000)))).code).toBe("quota_exceeded");
  });
});

describe("the quota of compilations a day", () => {
  it("names the time of its reset, and resets then", async () => {
    await allow({ maxCompilationsADay: 2 });
    const { content } = await edge.submit();
    await edge.submit();
    const refused = await submit();
    const seconds = Number(refused.headers.get("retry-after"));
    expect(edge.clock + seconds * 1000).toBe(endOfDay(edge.clock));
    const problem = await refusal(refused);
    expect(problem.code).toBe("quota_exceeded");
    expect(problem.detail).toContain(new Date(endOfDay(edge.clock)).toISOString());
    const again = `/api/ar-content/${content.id}/marker/recompile`;
    const before = await edge.db.select().from(compileTasks);
    expect((await refusal(await edge.fetch(again, { method: "POST" }))).code).toBe("quota_exceeded");
    expect(await edge.db.select().from(compileTasks)).toEqual(before);
    expect((await edge.content(content.id)).marker_status).toBe("pending");
    edge.pass(seconds);
    expect((await edge.fetch(again, { method: "POST" })).status).toBe(200);
    expect((await submit()).status).toBe(201);
    expect((await submit()).status).toBe(403);
  });

  it("does not count a reused marker", async () => {
    await allow({ maxCompilationsADay: 1 });
    const image = png();
    const { content, lease } = await edge.submit({ image, compile: "browser" });
    const { company } = await edge.store();
    const found = (await (await edge.store()).get(content.id))!;
    const delivery = {
      marker: mind(),
      thumbnail: null,
      picture: null,
      milliseconds: null,
      compilerVersion: null,
    };
    const leaseHash = await hashToken(lease!.token);
    const { content: row } = found;
    const request = { company, content: row, leaseHash, delivery, now: edge.clock };
    expect(await deliver(edge.bindings, request)).toBe(true);
    expect((await edge.submit({ image })).reused).toBe(true);
    expect((await submit()).status).toBe(403);
  });

  it("holds for many requests at the same moment, and stores nothing of a refused one", async () => {
    await allow({ maxCompilationsADay: 4 });
    const responses = await Promise.all(Array.from({ length: 12 }, () => submit()));
    expect(responses.map(({ status }) => status).sort()).toEqual([
      ...Array(4).fill(201),
      ...Array(8).fill(403),
    ]);
    expect(await edge.db.select().from(arContent)).toHaveLength(4);
    expect(await edge.db.select().from(compileTasks)).toHaveLength(4);
    expect((await usage()).compilations).toMatchObject({ used: 4, limit: 4 });
  });

  it("holds when one photo is compiled again many times at the same moment", async () => {
    const { content } = await edge.submit();
    await allow({ maxCompilationsADay: 3 });
    const path = `/api/ar-content/${content.id}/marker/recompile`;
    const responses = await Promise.all(
      Array.from({ length: 6 }, () => edge.fetch(path, { method: "POST" })),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 403, 403, 403, 403]);
    const open = await edge.db.select().from(compileTasks).where(eq(compileTasks.state, "pending"));
    expect(open.map(({ generation }) => generation)).toEqual([3]);
  });
});

test("the usage shows the limits that exist and each of the last 30 days", async () => {
  await edge.submit();
  edge.pass(2 * 24 * 3600);
  const first: Submission = await edge.submit();
  await edge.fetch(`/api/ar-content/${first.content.id}/marker/recompile`, { method: "POST" });
  await allow({ maxContents: 10 });
  const { contents, bytes, compilations, days } = await usage();
  expect(contents).toEqual({ used: 2, limit: 10 });
  expect(bytes).toEqual({ used: expect.any(Number), limit: null });
  expect(compilations).toEqual({
    used: 2,
    limit: null,
    resets_at: new Date(endOfDay(edge.clock)).toISOString(),
  });
  expect(days).toHaveLength(30);
  expect(days.slice(-3).map((day) => day.compilations)).toEqual([1, 0, 2]);
  expect(days.at(-1)!.day).toBe(new Date(edge.clock).toISOString().slice(0, 10));
  expect(days.slice(0, -3).every((day) => day.compilations === 0)).toBe(true);

  edge.pass(400 * 24 * 3600);
  await sweep(edge.bindings, edge.clock);
  expect((await edge.db.select().from(compilationDays)).map(({ compilations: count }) => count)).toEqual([2]);
});
