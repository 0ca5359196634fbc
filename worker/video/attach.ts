import type { Bindings } from "../bindings.ts";
import { isSamePlace, placeOf, type StoredVideo, type VideoType } from "../content/files.ts";
import { discardFiles, reserveFiles } from "../content/orphaned-files.ts";
import { versionedPath } from "../content/paths.ts";
import type { ContentStore } from "../content/store.ts";
import type { Company, Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { RequestBody } from "../http/request-body.ts";
import type { VideoMetadata } from "../schemas.ts";
import type { StorageProvider } from "../storage/provider.ts";
import { IncomingVideo } from "./incoming.ts";
import { SNIFFED_BYTES, sniffVideo } from "./sniff.ts";

/** Below the 100 MB that Cloudflare accepts in one request on its free plan. */
const MAX_VIDEO_BYTES = 95_000_000;

type Services = Pick<Bindings, "db" | "storages">;

/** A change of a content's video. */
interface VideoChange {
  readonly content: Content;
  /** The content as the client last saw it: if it has changed since, nothing is done. */
  readonly expected?: Content | undefined;
  /** Whether the file of the video before is kept for a while. Default: true. */
  readonly keepFiles?: boolean | undefined;
  readonly now: number;
}

/**
 * Attaches a video in place of the current one: streams it into the storage under a new key, and shows
 * it. An upload that breaks off changes nothing.
 *
 * @returns the new row; undefined when the content does not exist or is not the `expected` one any more
 * @throws Refusal `length_required`, `video_too_large`, `unsupported_video`, `video_damaged`,
 *   `upload_interrupted`, `quota_exceeded`
 */
export async function attachVideo(
  services: Services,
  store: ContentStore,
  { upload, ...change }: VideoChange & { readonly upload: RequestBody },
): Promise<Content | undefined> {
  const { content, now } = change;
  const length = lengthOf(upload);
  await store.assertVideoFitsQuota(content, length, now);
  if (!upload.stream) {
    throw new Refusal("unsupported_video", "The file is empty (0 bytes); expected an MP4 or WebM video.");
  }
  const incoming = new IncomingVideo(upload.stream);
  const sniffed = sniffVideo(await incoming.peek(SNIFFED_BYTES));
  if ("found" in sniffed) {
    incoming.release();
    throw new Refusal("unsupported_video", `The file is ${sniffed.found}; expected an MP4 or WebM video.`);
  }
  const { type } = sniffed;

  const { db, storages } = services;
  const paths = [newVideoPath(store.company, content, type)];
  const reserved = { companyId: store.company.id, contentId: content.id, paths, now };
  const [{ id, storageId, path }] = await reserveFiles(db, reserved);
  const file = { storageId, path, type, bytes: length };
  let metadata: VideoMetadata;
  try {
    const storage = await storages.open(storageId);
    await storage.upload(path, incoming.stream(), { length, contentType: type, kept: upload.held });
    metadata = await readMetadata(storage, file);
  } catch (error) {
    await discardFiles(services, [id], now);
    throw incoming.interruption ?? error;
  }
  const video = { ...file, metadata, keptBy: { reservation: id } };
  return replaceVideo(services, store, { ...change, video });
}

/**
 * Returns what a stored video contains. The parser is loaded on first use.
 *
 * @throws Refusal `unsupported_video`, `video_damaged`; StorageError
 */
export async function readMetadata(
  storage: StorageProvider,
  file: { readonly path: string; readonly bytes: number; readonly type: VideoType },
): Promise<VideoMetadata> {
  const { readVideoMetadata } = await import("./metadata.ts");
  return readVideoMetadata(storage, file);
}

/**
 * Removes the video, if the content has one.
 *
 * @returns the new row; undefined when the content does not exist or is not the `expected` one any more
 */
export async function removeVideo(
  services: Services,
  store: ContentStore,
  change: VideoChange,
): Promise<Content | undefined> {
  if (change.content.videoPath === null) return change.content;
  return replaceVideo(services, store, { ...change, video: null });
}

/**
 * Shows a stored video, or none (null), and lets the sweep delete the file of the one before. Of several requests at
 * once, the last one wins. A video that is not shown in the end is deleted.
 *
 * @returns the new row; undefined when the content does not exist or is not the `expected` one any more, or the row
 *   that keeps the video is gone
 * @throws Refusal `quota_exceeded`
 */
export async function replaceVideo(
  services: Services,
  store: ContentStore,
  { content, video, ...options }: VideoChange & { readonly video: StoredVideo | null },
): Promise<Content | undefined> {
  const { now } = options;
  const discard = async () => {
    // An upload in parts has a row of its own, by which it is discarded.
    if (video && "reservation" in video.keptBy) {
      await discardFiles(services, [video.keptBy.reservation], now);
    }
  };
  const { before, after, orphanId } = await store
    .replaceVideo(content, video, options)
    .catch(async (error: unknown) => {
      await discard();
      throw error;
    });
  if (before && after) {
    if (options.keepFiles === false) await discardFiles(services, [orphanId], now);
    return after;
  }
  // The same request came twice: the video is shown already.
  if (before && isSamePlace(placeOf(before, "video"), video)) return before;
  await discard();
  return undefined;
}

/** Returns an unused key for the content's next video. */
export function newVideoPath(company: Company, content: Content, contentType: VideoType): string {
  const { uniqueId, videoVersion } = content;
  const { storagePath } = company;
  return versionedPath("video", { storagePath, uniqueId, version: videoVersion + 1, contentType });
}

function lengthOf({ contentLength }: RequestBody): number {
  const limit = `${MAX_VIDEO_BYTES / 1_000_000} MB`;
  if (contentLength === undefined || !/^\d{1,15}$/.test(contentLength)) {
    throw new Refusal(
      "length_required",
      `Content-Length is missing or invalid; expected the size of the video, at most ${limit}.`,
    );
  }
  const length = Number(contentLength);
  if (length > MAX_VIDEO_BYTES) {
    const received = `${(length / 1_000_000).toFixed(1)} MB`;
    throw new Refusal("video_too_large", `The video is ${received}; expected at most ${limit}.`);
  }
  return length;
}
