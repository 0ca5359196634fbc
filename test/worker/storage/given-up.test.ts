import { beforeEach, expect, it, vi } from "vitest";
import { sweepLostFiles } from "../../../worker/content/lost-files.ts";
import { orphanedFiles, webhookEndpoints, webhookEvents } from "../../../worker/db/tables.ts";
import type { ArContent, CompanyUsage } from "../../../worker/schemas.ts";
import { StorageError, type StorageProvider } from "../../../worker/storage/provider.ts";
import type { StorageConnection } from "../../../worker/storage/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { but, Edge, form, json, refusal } from "../edge.ts";
import { mind, video } from "../fixtures.ts";

const API = "/api/storage-connections";

let edge: Edge;
let owner: Browser;
let lost: StorageConnection;

beforeEach(async () => {
  edge = new Edge();
  edge.clock = Date.now();
  owner = (await setUp(edge)) ?? (await Browser.signedIn(edge, OWNER));
  lost = await edge.connection("second");
});

/** Creates a photo with a marker, which may be in another storage. */
async function living({ markerIn }: { readonly markerIn?: string } = {}): Promise<ArContent> {
  const { content, lease } = await edge.submit({ compile: "browser", title: crypto.randomUUID() });
  if (markerIn) await edge.switchTo(markerIn);
  await edge.json(`/api/ar-content/${content.id}/marker`, {
    method: "PUT",
    headers: { "Vivimark-Lease": lease?.token ?? "" },
    body: form({ marker: mind() }),
  });
  if (markerIn) await edge.switchTo("platform");
  return content;
}

async function attach({ id }: ArContent): Promise<void> {
  const headers = { "Content-Length": "5000" };
  await edge.json(`/api/ar-content/${id}/video`, { method: "PUT", body: video("mp4"), headers });
}

/** Makes the storage fail from now on, as if its bucket were gone. */
function lose(): void {
  edge.pass(60);
  const gone = () => Promise.reject(new StorageError("invalid_config", "The bucket does not exist."));
  const storage = edge.backends.get("second") as StorageProvider;
  const methods = ["upload", "download", "head", "delete", "list"] as const;
  edge.backends.set("second", but(storage, Object.fromEntries(methods.map((name) => [name, gone]))));
}

const giveUp = (photos: number) => owner.fetch(`${API}/${lost.id}/give-up`, json("POST", { photos }));
const usage = () => edge.json<CompanyUsage>("/api/company/usage");

it("frees what a lost storage holds: its photos, other files, the quota and the connection", async () => {
  const before = await usage();
  const kept = await living();
  await attach(kept);
  const withLostVideo = await living();
  await edge.switchTo(lost.id);
  const gone = await living();
  await attach(gone);
  await attach(withLostVideo);
  await edge.switchTo("platform");
  // Its original is lost, and its video is not.
  const mixed = await (async () => {
    await edge.switchTo(lost.id);
    const content = await living();
    await edge.switchTo("platform");
    await attach(content);
    return content;
  })();
  lose();

  expect((await edge.fetch(`/api/ar-content/${gone.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await refusal(await edge.fetch(`${API}/${lost.id}`, { method: "DELETE" }))).code).toBe(
    "storage_in_use",
  );
  expect(await edge.json(`${API}/${lost.id}/losses`)).toEqual({ photos: 1, markers: 0, videos: 1 });
  const wrong = await refusal(await giveUp(0));
  expect([wrong.status, wrong.code, wrong.detail]).toEqual([
    409,
    "storage_conflict",
    expect.stringContaining("1"),
  ]);
  const response = await giveUp(1);
  expect(response.status).toBe(202);
  expect(await response.json()).toMatchObject({
    id: lost.id,
    given_up_at: new Date(edge.clock).toISOString(),
  });
  expect((await refusal(await giveUp(1))).detail).toContain("given up before");

  for (let run = 0; run < 4; run++) {
    edge.pass(700);
    await sweep(edge.bindings, edge.clock);
  }
  expect((await edge.fetch(`/api/ar-content/${mixed.id}`)).status).toBe(404);
  expect(await edge.files(mixed)).toEqual([]);
  expect(await edge.content(withLostVideo.id)).toMatchObject({ video_url: null, marker_status: "ready" });
  expect(await edge.content(kept.id)).toMatchObject({
    video_url: expect.any(String),
    marker_status: "ready",
  });
  expect((await edge.fetch(`${API}/${lost.id}`)).status).toBe(404);
  expect(await edge.db.select().from(orphanedFiles)).toEqual([]);
  const after = await usage();
  expect(after.contents.used).toBe(before.contents.used + 2);
});

it("makes a photo without its marker compile again", async () => {
  const content = await living({ markerIn: lost.id });
  lose();
  expect(await edge.json(`${API}/${lost.id}/losses`)).toEqual({ photos: 0, markers: 1, videos: 0 });
  expect((await giveUp(0)).status).toBe(202);
  await sweep(edge.bindings, edge.clock);
  expect(await edge.content(content.id)).toMatchObject({
    marker_status: "failed",
    marker_url: null,
    error_code: "storage_not_found",
    error_message: expect.stringContaining("given up"),
  });
  const again = await edge.fetch(`/api/ar-content/${content.id}/marker/recompile`, { method: "POST" });
  expect(again.ok).toBe(true);
});

it("keeps a video that is attached while the sweep forgets the lost one", async () => {
  const content = await living();
  await edge.switchTo(lost.id);
  await attach(content);
  await edge.switchTo("platform");
  lose();
  expect((await giveUp(0)).status).toBe(202);
  vi.spyOn(edge.db, "batch").mockImplementationOnce(async (statements) => {
    await attach(content);
    return edge.db.batch(statements);
  });
  await sweepLostFiles(edge.db, 100, edge.clock);
  expect((await edge.content(content.id)).video_url).toEqual(expect.any(String));
});

it("reports no failed marker of a photo that is being compiled again", async () => {
  const content = await living({ markerIn: lost.id });
  await edge.json(`/api/ar-content/${content.id}/marker/recompile`, { method: "POST" });
  const { company } = await edge.store();
  const now = edge.clock;
  await edge.db.insert(webhookEndpoints).values({
    id: crypto.randomUUID(),
    companyId: company.id,
    url: "https://receiver.example/",
    description: "",
    events: ["marker.failed"],
    isEnabled: true,
    secret: "secret",
    secretId: "first",
    createdAt: now,
    updatedAt: now,
  });
  lose();
  expect((await giveUp(0)).status).toBe(202);
  await sweep(edge.bindings, edge.clock);
  expect(await edge.content(content.id)).toMatchObject({ marker_status: "pending", marker_url: null });
  expect(await edge.db.select().from(webhookEvents)).toEqual([]);
});

it("needs another storage for new files first, and an owner", async () => {
  await edge.switchTo(lost.id);
  expect((await refusal(await giveUp(0))).detail).toContain("Switch to another one first");
  await edge.switchTo("platform");
  const program = await edge.fetch(`${API}/${lost.id}/give-up`, json("POST", { photos: 0 }));
  expect((await refusal(program)).code).toBe("forbidden");
});

it("is known to an isolate that has opened the storage before", async () => {
  const other = { storages: edge.storagesWith(edge.storage) };
  const test = { method: "POST" };
  expect(await (await edge.fetch(`${API}/${lost.id}/test`, test, other)).json()).toMatchObject({ ok: true });
  expect((await giveUp(0)).status).toBe(202);
  const put = json("PUT", { connection_id: lost.id });
  expect((await refusal(await edge.fetch("/api/company/storage", put, other))).code).toBe("storage_conflict");
  const move = await refusal(
    await edge.fetch("/api/storage-migrations", json("POST", { to: lost.id }), other),
  );
  expect([move.code, move.detail]).toEqual(["storage_test_failed", expect.stringContaining("were given up")]);
});

it("is final: the connection takes no files and keeps its settings", async () => {
  expect((await giveUp(0)).status).toBe(202);
  const put = json("PUT", { connection_id: lost.id });
  expect((await refusal(await edge.fetch("/api/company/storage", put))).code).toBe("storage_test_failed");
  const settings = json("PATCH", { settings: { region: "eu-2" } });
  expect((await refusal(await edge.fetch(`${API}/${lost.id}`, settings))).code).toBe("storage_conflict");
});
