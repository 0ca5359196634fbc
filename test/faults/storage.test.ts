import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { VideoUpload } from "../../worker/routes/video-uploads.ts";
import type { ArContent } from "../../worker/schemas.ts";
import type {
  StorageConnection,
  StorageConnectionUsage,
  StorageMigration,
} from "../../worker/storage/schemas.ts";
import { mp4 } from "../worker/fixtures.ts";
import { type LocalS3, startLocalS3 } from "../worker/storage/servers/local-s3-server.ts";
import { until } from "./api.ts";
import { Edge } from "./edge.ts";

const VIDEO_BYTES = 300_000_000;
/** A busy machine copies and reads back only a few megabytes per second. */
const PATIENCE_MILLISECONDS = 900_000;

let s3: LocalS3;
let edge: Edge;

beforeAll(async () => {
  s3 = await startLocalS3();
  edge = await Edge.create({
    COMPILER_URL: "http://127.0.0.1:1",
    BROWSER_LEASE_SECONDS: "600",
    NODE_LEASE_SECONDS: "15",
    RETRY_BASE_SECONDS: "1",
    SWEEP_GRACE_SECONDS: "1",
    STORAGE_LEASE_SECONDS: "15",
    ALLOW_PRIVATE_STORAGE: "true",
    SECRETS_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
  });
  await edge.start();
});

afterAll(async () => {
  await edge?.remove();
  await s3?.close();
});

const send = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** The start of an MP4 of `VIDEO_BYTES`, up to the length of its frames. */
const START = (() => {
  const bytes = Buffer.from(mp4({ length: 1000 }));
  const frames = bytes.indexOf("mdat");
  bytes.writeUInt32BE(VIDEO_BYTES - (frames - 4), frames - 4);
  return bytes.subarray(0, frames + 4);
})();

/** Returns a part of a video: the beginning of an MP4, then bytes that never repeat. */
function partOf(number: number, length: number): Uint8Array<ArrayBuffer> {
  const block = Buffer.alloc(65_536, createHash("sha512").update(String(number)).digest());
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += block.length) {
    block.writeUInt32BE(at, 0);
    bytes.set(block.subarray(0, Math.min(block.length, length - at)), at);
  }
  if (number === 1) bytes.set(START);
  return bytes;
}

async function hashOf(response: Response): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of response.body!) hash.update(chunk);
  return hash.digest("hex");
}

const NAME =
  "a video of 300 MB, uploaded in parts, survives a Worker that is killed while it moves the video to S3";

test(NAME, { timeout: 2 * PATIENCE_MILLISECONDS }, async () => {
  const { api } = edge;
  const { content } = await api.submit("browser", 301);
  const qrCode = await (await api.fetch(content.qr_url)).arrayBuffer();
  const uploads = `/api/ar-content/${content.id}/video-uploads`;
  const wish = send("POST", { length: VIDEO_BYTES, content_type: "video/mp4" });
  const upload = await api.json<VideoUpload>(201, uploads, wish);
  const whole = createHash("sha256");
  const memory = watchMemory();
  for (let number = 1; number <= upload.part_count; number++) {
    const left = VIDEO_BYTES - (number - 1) * upload.part_bytes;
    const body = partOf(number, Math.min(upload.part_bytes, left));
    whole.update(body);
    await api.json(200, `${uploads}/${upload.id}/parts/${number}`, { method: "PUT", body });
  }
  const expected = whole.digest("hex");
  const attached = await api.json<ArContent>(200, `${uploads}/${upload.id}/complete`, { method: "POST" });
  expect(attached.video_bytes).toBe(VIDEO_BYTES);
  expect(await memory.end()).toBeLessThan(VIDEO_BYTES);
  const video = async () => hashOf(await api.fetch(attached.video_url!));
  expect(await video()).toBe(expected);

  const settings = { ...s3.settings, prefix: "faults" };
  const body = send("POST", { provider: "s3", name: "S3", settings });
  const { id: to } = await api.json<StorageConnection>(201, "/api/storage-connections", body);
  await api.json(200, "/api/company/storage", send("PUT", { connection_id: to }));
  const { id } = await api.json<StorageMigration>(202, "/api/storage-migrations", send("POST", { to }));
  const progress = () => api.json<StorageMigration>(200, `/api/storage-migrations/${id}`);
  await until("began to move the video", progress, ({ current }) => current?.bytes === VIDEO_BYTES);
  await edge.kill();

  await edge.start();
  expect(await progress()).toMatchObject({ state: "running", current: { kind: "video" } });
  const range = await api.fetch(attached.video_url!, { headers: { Range: "bytes=0-11" } });
  expect([range.status, Buffer.from(await range.arrayBuffer()).toString("latin1", 4)]).toEqual([
    206,
    "ftypisom",
  ]);

  const done = await until(
    "ended",
    async () => {
      await edge.sweep();
      return progress();
    },
    ({ state }) => state !== "running",
    PATIENCE_MILLISECONDS,
  );
  const reading = watchMemory();
  expect(done).toMatchObject({ state: "done", files: { done: 3, failed: 0, left: 0 } });
  expect(await video()).toBe(expected);
  expect(await reading.end()).toBeLessThan(VIDEO_BYTES / 2);
  const usage = (connection: string) =>
    api.json<StorageConnectionUsage>(200, `/api/storage-connections/${connection}/usage?refresh=true`);
  const deleted = "/api/storage-connections/platform/deleted-files";
  expect((await api.fetch(deleted, { method: "DELETE" })).status).toBe(204);
  const left = async () => (await usage("platform")).usage.objects;
  await until("removed the old files", left, (objects) => objects === 0);
  const bytes = VIDEO_BYTES + content.image_bytes + qrCode.byteLength;
  expect((await usage(to)).usage).toMatchObject({ objects: 3, bytes });
});

/** Measures by how much the Worker's memory exceeds its initial value at most, ten times a second. */
function watchMemory(): { end(): Promise<number> } {
  const first = edge.memory();
  let most = 0;
  const look = async () => {
    most = Math.max(most, await edge.memory());
  };
  const timer = setInterval(look, 100);
  return {
    async end() {
      clearInterval(timer);
      await look();
      return most - (await first);
    },
  };
}
