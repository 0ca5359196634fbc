import type { Bindings } from "../bindings.ts";
import type { VideoType } from "../content/files.ts";
import type { ContentStore } from "../content/store.ts";
import type { Creation } from "../db/idempotency.ts";
import type { Content, VideoUploadRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { type RequestBody, uploadInterrupted } from "../http/request-body.ts";
import { hex, sha256Sink } from "../sha256.ts";
import { readChunks } from "../storage/chunks.ts";
import {
  type MultipartUploads,
  StorageError,
  type StorageProvider,
  type UploadedPart,
} from "../storage/provider.ts";
import { announceStorageMigration } from "../storage-migration/announce.ts";
import * as storageMigrations from "../storage-migration/life.ts";
import { announceEvents } from "../webhooks/deliveries.ts";
import { newVideoPath, replaceVideo } from "./attach.ts";
import { SNIFFED_BYTES, sniffVideo } from "./sniff.ts";
import type { VideoUploadStore } from "./upload-store.ts";

/**
 * Large videos, in parts: over any time, in any order, again after a break, several at once. The parts go
 * straight to the company's storage where that signs addresses for them, and through the Worker otherwise. A
 * storage that takes no parts at all gets the finished video from the platform's own bucket, by a migration of
 * that one file; it is shown from the first moment on.
 */

/** A storage bill has to end somewhere. */
export const MAX_LARGE_VIDEO_BYTES = 5_000_000_000;

/** A part that breaks off is sent again: small enough for that, large enough for few requests. */
const PART_BYTES = 16 * 2 ** 20;

/** After this long without a new part or address, an upload counts as abandoned. */
const ABANDONED_MILLISECONDS = 24 * 3_600_000;

/** How long an address for a part is good. */
export const PART_URL_SECONDS = 3600;

type Services = Pick<Bindings, "db" | "storages" | "storageQueue" | "webhookQueue" | "now">;

/** The stores of the company that uploads. */
export interface UploadStores {
  readonly store: ContentStore;
  readonly uploads: VideoUploadStore;
}

export interface VideoPlan {
  readonly length: number;
  readonly contentType: VideoType;
  readonly sha256: string | null;
}

/**
 * Begins an upload in the company's storage, or in the platform's own for one that takes no parts.
 *
 * @throws Refusal `quota_exceeded`
 */
export async function beginUpload(
  { storages, now }: Services,
  { store, uploads }: UploadStores,
  content: Content,
  { plan, creation }: { readonly plan: VideoPlan; readonly creation: Creation },
): Promise<VideoUploadRow> {
  const { id, isRepeated } = creation;
  const { length, contentType, sha256 } = plan;
  const made = isRepeated ? await uploads.get(content.id, id) : undefined;
  if (made) return made;
  await store.assertRoomForVideo(content, length, now());
  const { storageConnectionId } = uploads.company;
  const storage = await storages.open(storageConnectionId);
  const [storageId, parts] = storage.multipart
    ? [storageConnectionId, storage.multipart]
    : [null, partsOf(storages.own)];
  const path = newVideoPath(uploads.company, content, contentType);
  const uploadId = await parts.start(path, contentType);
  const upload = {
    id,
    storageId,
    path,
    uploadId,
    type: contentType,
    bytes: length,
    partBytes: partBytesFor(length, parts),
    sha256,
    createdAt: now(),
    expiresAt: now() + ABANDONED_MILLISECONDS,
  };
  try {
    return await store.insertVideoUpload(content, upload, now());
  } catch (error) {
    if (error instanceof Refusal) await parts.abort(path, uploadId);
    throw error;
  }
}

function partsOf(storage: StorageProvider): MultipartUploads {
  if (storage.multipart) return storage.multipart;
  throw new StorageError("invalid_config", "This storage takes no uploads in parts.");
}

function partBytesFor(length: number, { minBytes, maxParts }: MultipartUploads): number {
  const needed = Math.ceil(length / maxParts / 2 ** 20) * 2 ** 20;
  return Math.max(PART_BYTES, minBytes, needed);
}

/** How many parts there are, and the bytes of one of them. */
export function countParts({ bytes, partBytes }: VideoUploadRow): number {
  return Math.ceil(bytes / partBytes);
}

function bytesOfPart(upload: VideoUploadRow, number: number): number {
  const last = countParts(upload);
  return number < last ? upload.partBytes : upload.bytes - (last - 1) * upload.partBytes;
}

function assertPart(upload: VideoUploadRow, number: number): void {
  const last = countParts(upload);
  if (number >= 1 && number <= last) return;
  throw new Refusal("invalid_input", `There is no part ${number}: this upload has the parts 1 to ${last}.`);
}

/** Addresses that the browser may PUT parts to; null where the storage signs none. */
export async function partUrls(
  { storages, now }: Services,
  uploads: VideoUploadStore,
  upload: VideoUploadRow,
  numbers: readonly number[],
): Promise<{ number: number; url: string }[] | null> {
  const parts = partsOf(await storages.open(upload.storageId));
  const urls: { number: number; url: string }[] = [];
  for (const number of numbers) {
    assertPart(upload, number);
    const url = await parts.presign(
      { key: upload.path, uploadId: upload.uploadId, number },
      PART_URL_SECONDS,
    );
    if (url === null) return null;
    urls.push({ number, url });
  }
  await uploads.extend(upload.id, now() + ABANDONED_MILLISECONDS);
  return urls;
}

/** Takes a part through the Worker, as a stream. A part that comes again replaces the one before. */
export async function putPart(
  { storages, now }: Services,
  uploads: VideoUploadStore,
  upload: VideoUploadRow,
  { number, body }: { readonly number: number; readonly body: RequestBody },
): Promise<UploadedPart> {
  const { stream: incoming, contentLength } = body;
  assertPart(upload, number);
  const size = bytesOfPart(upload, number);
  if (contentLength === undefined) {
    throw new Refusal("length_required", `Content-Length is missing; part ${number} has ${size} bytes.`);
  }
  if (Number(contentLength) !== size || !incoming) {
    throw new Refusal("invalid_input", `Part ${number} came with ${contentLength} bytes; expected ${size}.`);
  }
  const parts = partsOf(await storages.open(upload.storageId));
  let broken = false;
  const reader = readChunks(incoming);
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await reader.read();
        if (chunk.done) controller.close();
        else controller.enqueue(chunk.value);
      } catch (error) {
        broken = true;
        throw error;
      }
    },
    cancel: () => reader.release(),
  });
  let etag: string;
  try {
    etag = await parts.put({ key: upload.path, uploadId: upload.uploadId, number }, stream, size);
  } catch (error) {
    throw broken ? uploadInterrupted() : gone(error);
  }
  const part = { number, etag, size };
  await uploads.notePart(upload.id, part);
  await uploads.extend(upload.id, now() + ABANDONED_MILLISECONDS);
  return part;
}

/** The parts that are there, in order: what the backend says, or what the Worker `received`. */
export async function partsThere(
  { storages }: Pick<Services, "storages">,
  upload: VideoUploadRow,
  received: readonly UploadedPart[],
): Promise<readonly UploadedPart[]> {
  const parts = partsOf(await storages.open(upload.storageId));
  try {
    return (await parts.list(upload.path, upload.uploadId)) ?? received;
  } catch (error) {
    throw gone(error);
  }
}

/** A backend that does not know the upload any more: a rule of its bucket may have removed it. */
function gone(error: unknown): unknown {
  if (!(error instanceof StorageError && error.code === "not_found")) return error;
  return new Refusal("not_found", "The storage does not know this upload any more; begin a new one.");
}

/**
 * Puts the parts together, looks at what came of them, and shows it in the place of the video before. Safe to
 * repeat: an upload whose parts were put together already goes on from there.
 *
 * @returns the new row; undefined when the content is gone
 */
export async function completeUpload(
  services: Services,
  { store, uploads }: UploadStores,
  content: Content,
  upload: VideoUploadRow,
): Promise<Content | undefined> {
  const { storages, now } = services;
  const storage = await storages.open(upload.storageId);
  if ((await storage.head(upload.path))?.size !== upload.bytes) {
    const there = await partsThere(services, upload, await uploads.parts(upload.id));
    assertComplete(upload, there);
    await partsOf(storage).complete(upload.path, upload.uploadId, there);
  }
  const type = await examine(storage, upload).catch(async (error) => {
    // What is refused is of no use to anybody.
    if (error instanceof Refusal) await discardUpload(services, uploads, upload);
    throw error;
  });
  const { storageId, path, bytes } = upload;
  const video = { storageId, path, type, bytes, isCounted: true };
  const shown = await replaceVideo(storages, store, { content, video, now: now() });
  if (shown) await announceEvents(services, [content.id]);
  await uploads.remove(upload.id);
  if (shown) await moveHome(services, uploads, shown);
  return shown;
}

function assertComplete(upload: VideoUploadRow, there: readonly UploadedPart[]): void {
  const wrong: number[] = [];
  for (let number = 1; number <= countParts(upload); number++) {
    const part = there.find((part) => part.number === number);
    if (part?.size !== bytesOfPart(upload, number)) wrong.push(number);
  }
  if (wrong.length === 0) return;
  const named = wrong.slice(0, 10).join(", ") + (wrong.length > 10 ? ", …" : "");
  throw new Refusal(
    "upload_incomplete",
    `${wrong.length} of ${countParts(upload)} parts are missing or have the wrong size: ${named}.`,
  );
}

/** The type by the first bytes, and the checksum where one was promised. */
async function examine(storage: StorageProvider, upload: VideoUploadRow): Promise<VideoType> {
  const range = { start: 0, end: SNIFFED_BYTES - 1 };
  const head = await storage.download(upload.path, { range });
  if (!head) throw new StorageError("unavailable", "The video that was just put together is not there.");
  const sniffed = sniffVideo(new Uint8Array(await new Response(head.body).arrayBuffer()));
  if ("found" in sniffed) {
    throw new Refusal("unsupported_video", `The file is ${sniffed.found}; expected an MP4 or WebM video.`);
  }
  if (upload.sha256 !== null) {
    const download = await storage.download(upload.path);
    const digest = sha256Sink();
    await download?.body.pipeTo(digest);
    const sha256 = hex(new Uint8Array(await digest.digest));
    if (sha256 !== upload.sha256) {
      throw new Refusal("checksum_mismatch", `The video has SHA-256 ${sha256}; expected ${upload.sha256}.`);
    }
  }
  return sniffed.type;
}

/** A video that waits in the platform's own bucket goes where the company wants its files. */
async function moveHome(
  { db, storageQueue, now }: Services,
  { company }: VideoUploadStore,
  content: Content,
) {
  if (content.videoStorageId === company.storageConnectionId) return;
  const toStorageId = company.storageConnectionId;
  const move = { companyId: company.id, toStorageId, videoOf: content.id, now: now() };
  const started = await storageMigrations.start(db, move);
  if (started) await announceStorageMigration(storageQueue, started.id, 0);
}

/** Forgets an upload and what came of it. */
export async function discardUpload(
  { storages }: Pick<Services, "storages">,
  uploads: VideoUploadStore,
  upload: VideoUploadRow,
): Promise<void> {
  // A crash may have come between showing the video and forgetting its upload.
  if (!(await uploads.isShown(upload))) {
    const storage = await storages.open(upload.storageId);
    await partsOf(storage).abort(upload.path, upload.uploadId);
    await storage.delete(upload.path);
  }
  await uploads.remove(upload.id);
}
