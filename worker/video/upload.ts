import type { Bindings } from "../bindings.ts";
import type { StoredVideo, VideoType } from "../content/files.ts";
import { discardFiles, recordOrphan } from "../content/orphaned-files.ts";
import type { ContentStore } from "../content/store.ts";
import type { Creation } from "../db/idempotency.ts";
import type { Content, VideoUploadRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { RequestBody } from "../http/request-body.ts";
import { logFailure } from "../log.ts";
import { hex, sha256Sink } from "../sha256.ts";
import { readBeginning } from "../storage/chunks.ts";
import {
  type MultipartUploads,
  StorageError,
  type StorageProvider,
  type UploadedPart,
} from "../storage/provider.ts";
import { announceStorageMigration } from "../storage-migration/announce.ts";
import * as storageMigrations from "../storage-migration/life.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { newVideoPath, readMetadata, replaceVideo } from "./attach.ts";
import { IncomingVideo } from "./incoming.ts";
import { SNIFFED_BYTES, sniffVideo } from "./sniff.ts";
import type { VideoUploadStore } from "./upload-store.ts";

/**
 * Uploads of large videos in parts, which may come in any order, at the same time, and again after a failure.
 * The parts go straight to the company's storage if it signs addresses for them, and through the Worker if not.
 * If the storage does not support parts at all, the video is uploaded to the platform's own bucket, shown from
 * there, and moved by a storage migration of this one file.
 */

/** Limits the storage bill. */
export const MAX_LARGE_VIDEO_BYTES = 5_000_000_000;

/** Small enough to send again after a failure, large enough to need few requests. */
const PART_BYTES = 16 * 2 ** 20;

/** Time without a new part or address after which an upload counts as abandoned. */
const ABANDONED_MILLISECONDS = 24 * 3_600_000;

/** Time for which the signed address of a part is valid. */
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
 * Begins an upload in the company's storage, or in the platform's own bucket if that does not support parts.
 *
 * @returns undefined when the content does not exist any more
 * @throws Refusal `quota_exceeded`, `storage_conflict`
 */
export async function beginUpload(
  { db, storages, now }: Services,
  { store, uploads }: UploadStores,
  content: Content,
  { plan, creation }: { readonly plan: VideoPlan; readonly creation: Creation },
): Promise<VideoUploadRow | undefined> {
  const { id, isRepeated } = creation;
  const { length, contentType, sha256 } = plan;
  const made = isRepeated ? await uploads.get(content.id, id) : undefined;
  if (made) return made;
  await store.assertVideoFitsQuota(content, length, now());
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
  const file = { companyId: store.company.id, contentId: content.id, storageId, path, uploadId };
  try {
    const begun = await store.insertVideoUpload(content, upload, now());
    if (!begun) await abortUpload(db, parts, file, now());
    return begun;
  } catch (error) {
    // An insertion whose response was lost may have been made all the same.
    const begun = error instanceof Refusal ? undefined : await uploads.get(content.id, id);
    if (begun) return begun;
    await abortUpload(db, parts, file, now());
    throw error;
  }
}

/** Deletes the parts of an upload that has no row, or leaves them to the sweep. */
async function abortUpload(
  db: Bindings["db"],
  parts: MultipartUploads,
  file: Pick<VideoUploadRow, "companyId" | "contentId" | "storageId" | "path" | "uploadId">,
  now: number,
): Promise<void> {
  try {
    await parts.abort(file.path, file.uploadId);
  } catch (error) {
    logFailure("An upload could not be aborted; the sweep will retry", error, { path: file.path });
    await recordOrphan(db, file, now);
  }
}

function partsOf(storage: StorageProvider): MultipartUploads {
  if (storage.multipart) return storage.multipart;
  throw new StorageError("invalid_config", "This storage does not support uploads in parts.");
}

function partBytesFor(length: number, { minBytes, maxParts }: MultipartUploads): number {
  const needed = Math.ceil(length / maxParts / 2 ** 20) * 2 ** 20;
  return Math.max(PART_BYTES, minBytes, needed);
}

/** Returns the number of parts of an upload. */
export function countParts({ bytes, partBytes }: VideoUploadRow): number {
  return Math.ceil(bytes / partBytes);
}

/** Returns the size of one part. Parts are numbered from 1. */
function bytesOfPart(upload: VideoUploadRow, number: number): number {
  const last = countParts(upload);
  return number < last ? upload.partBytes : upload.bytes - (last - 1) * upload.partBytes;
}

function assertPart(upload: VideoUploadRow, number: number): void {
  const last = countParts(upload);
  if (number >= 1 && number <= last) return;
  throw new Refusal("invalid_input", `Part ${number} does not exist; expected a number from 1 to ${last}.`);
}

/** Returns addresses to PUT parts to; null when the storage does not sign addresses. */
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
      bytesOfPart(upload, number),
    );
    if (url === null) return null;
    urls.push({ number, url });
  }
  await uploads.extend(upload.id, now() + ABANDONED_MILLISECONDS);
  return urls;
}

/** Stores a part that comes through the Worker. A part that is sent again replaces the one before. */
export async function putPart(
  { db, storages, now }: Services,
  uploads: VideoUploadStore,
  upload: VideoUploadRow,
  { number, body }: { readonly number: number; readonly body: RequestBody },
): Promise<UploadedPart> {
  const { stream, contentLength } = body;
  assertPart(upload, number);
  const size = bytesOfPart(upload, number);
  if (contentLength === undefined) {
    throw new Refusal("length_required", `Content-Length is missing; expected ${size} for part ${number}.`);
  }
  if (Number(contentLength) !== size || !stream) {
    throw new Refusal("invalid_input", `Part ${number} has ${contentLength} bytes; expected ${size}.`);
  }
  const parts = partsOf(await storages.open(upload.storageId));
  const incoming = new IncomingVideo(stream);
  let etag: string;
  try {
    etag = await parts.put({ key: upload.path, uploadId: upload.uploadId, number }, incoming.stream(), size);
  } catch (error) {
    throw incoming.interruption ?? uploadLost(error);
  }
  const part = { number, etag, size };
  if (await uploads.notePart(upload.id, part, now() + ABANDONED_MILLISECONDS)) return part;
  // It was cancelled or completed while the part was stored, which may have been after its parts were deleted.
  await abortUpload(db, parts, upload, now());
  throw uploadEnded();
}

/**
 * Returns the stored parts, in order: as the backend lists them or, if it cannot, as the Worker `received`
 * them.
 */
export async function storedParts(
  { storages }: Pick<Services, "storages">,
  upload: VideoUploadRow,
  received: readonly UploadedPart[],
): Promise<readonly UploadedPart[]> {
  const parts = partsOf(await storages.open(upload.storageId));
  try {
    return (await parts.list(upload.path, upload.uploadId)) ?? received;
  } catch (error) {
    throw uploadLost(error);
  }
}

/** Returns a refusal for an upload that the backend has removed, by a rule of its bucket for example. */
function uploadLost(error: unknown): unknown {
  if (!(error instanceof StorageError && error.code === "not_found")) return error;
  return new Refusal("not_found", "The storage has removed this upload. Start a new one.");
}

/**
 * Joins the parts, checks the video, and shows it in place of the current one. Safe to repeat: an upload whose
 * parts are joined already continues from there.
 *
 * @returns the new row; undefined when the content does not exist any more
 * @throws Refusal `upload_incomplete`, `unsupported_video`, `video_damaged`, `checksum_mismatch`, `not_found`
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
    const stored = await storedParts(services, upload, await uploads.parts(upload.id));
    assertComplete(upload, stored);
    await partsOf(storage)
      .complete(upload.path, upload.uploadId, stored)
      .catch((error: unknown) => {
        throw uploadLost(error);
      });
  }
  const checked = await checkVideo(storage, upload).catch(async (error) => {
    if (error instanceof Refusal) await discardUpload(services, uploads, upload, now());
    throw error;
  });
  const { storageId, path, bytes } = upload;
  const video = { storageId, path, bytes, ...checked, keptBy: { upload: upload.id } };
  const shown = await replaceVideo(services, store, { content, video, now: now() });
  if (!shown) {
    await discardUpload(services, uploads, upload, now());
    if (await store.get(content.id)) throw uploadEnded();
    return undefined;
  }
  await enqueueDeliveries(services, [content.id]);
  await moveToCompanyStorage(services, uploads, shown);
  return shown;
}

function uploadEnded(): Refusal {
  return new Refusal("not_found", "This upload was canceled or completed by another request.");
}

function assertComplete(upload: VideoUploadRow, stored: readonly UploadedPart[]): void {
  const wrong: number[] = [];
  for (let number = 1; number <= countParts(upload); number++) {
    const part = stored.find((part) => part.number === number);
    if (part?.size !== bytesOfPart(upload, number)) wrong.push(number);
  }
  if (wrong.length === 0) return;
  const shown = wrong.slice(0, 10).join(", ") + (wrong.length > 10 ? ", …" : "");
  const found =
    wrong.length === 1
      ? `Part ${shown} is missing or has the wrong size. Upload it`
      : `Parts ${shown} are missing or have the wrong size. Upload them`;
  throw new Refusal("upload_incomplete", `${found}, then complete the upload again.`);
}

/** Returns the video's format and what it contains, and checks its SHA-256 if the client sent one. */
async function checkVideo(
  storage: StorageProvider,
  upload: VideoUploadRow,
): Promise<Pick<StoredVideo, "type" | "metadata">> {
  const range = { start: 0, end: SNIFFED_BYTES - 1 };
  const head = await storage.download(upload.path, { range });
  if (!head)
    throw new StorageError(
      "unavailable",
      "The video is missing from the storage after its parts were joined. Try again.",
    );
  const sniffed = sniffVideo(await readBeginning(head.body, SNIFFED_BYTES));
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
  const { path, bytes } = upload;
  const { type } = sniffed;
  return { type, metadata: await readMetadata(storage, { path, bytes, type }) };
}

/** Begins to move a video from the platform's own bucket to the company's storage. */
async function moveToCompanyStorage(
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

/**
 * Ends an upload, and deletes its parts or file, unless the content shows the video. What cannot be deleted now is left
 * to the sweep.
 */
export async function discardUpload(
  services: Pick<Services, "db" | "storages">,
  uploads: VideoUploadStore,
  { id }: VideoUploadRow,
  now: number,
): Promise<void> {
  await discardFiles(services, [await uploads.end(id, now)], now);
}
