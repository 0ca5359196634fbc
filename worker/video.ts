import type { Bindings } from "./bindings.ts";
import type { ContentStore } from "./content-store.ts";
import { Refusal } from "./errors.ts";
import { freshPath, mediaUrl } from "./paths.ts";
import { type IncomingBody, interrupted } from "./request-body.ts";
import type { Content } from "./schema.ts";

/** Under the 100 MB that Cloudflare lets through in one request on its free plan. */
export const MAX_VIDEO_BYTES = 95_000_000;

/** Enough for the brand of an MP4 and the document type of a WebM. */
const SNIFFED_BYTES = 64;

const CHUNK_BYTES = 262_144;

type VideoType = "video/mp4" | "video/webm";

const EXTENSIONS: Record<VideoType, string> = { "video/mp4": "mp4", "video/webm": "webm" };

/**
 * Attaches a video, or takes the place of the one before: streamed into the storage under a key of its own,
 * then swapped in, then the old one is removed. An upload that breaks off changes nothing.
 *
 * @returns the new row; undefined when the content is gone
 */
export async function attachVideo(
  storage: Bindings["storage"],
  store: ContentStore,
  content: Content,
  upload: IncomingBody,
  now: number,
): Promise<Content | undefined> {
  const length = lengthOf(upload);
  if (!upload.body)
    throw new Refusal("unsupported_video", "The body is empty; expected an MP4 or WebM video.");
  const { head, stream, stop, brokeOff } = await peek(upload.body);
  const type = sniffVideo(head);
  if (!type) {
    stop();
    throw new Refusal(
      "unsupported_video",
      `The bytes are neither MP4 nor WebM (Content-Type: ${upload.contentType?.slice(0, 100) ?? "none"}); ` +
        "expected a video of one of these formats.",
    );
  }

  const { storagePath } = store.company;
  const path = freshPath(storagePath, "video", content.uniqueId, content.videoVersion + 1, EXTENSIONS[type]);
  try {
    await storage.upload(path, stream, { length, contentType: type });
  } catch (error) {
    throw brokeOff() ? interrupted() : error;
  }
  return swap(storage, store, content, { path, type, bytes: length }, now);
}

/** Takes the video away. Nothing to take away is no error. */
export async function detachVideo(
  storage: Bindings["storage"],
  store: ContentStore,
  content: Content,
  now: number,
): Promise<Content | undefined> {
  return content.videoPath === null ? content : swap(storage, store, content, null, now);
}

/** The last one wins: whoever finds that another video came in between takes that one's place. */
async function swap(
  storage: Bindings["storage"],
  store: ContentStore,
  content: Content,
  video: { path: string; type: VideoType; bytes: number } | null,
  now: number,
): Promise<Content | undefined> {
  let current: Content | undefined = content;
  while (current) {
    const url = mediaUrl(current.uniqueId, "video", current.videoVersion + 1);
    const swapped = await store.swapVideo(current, video && { ...video, url }, now);
    if (swapped) {
      await discard(storage, current.videoPath);
      return swapped;
    }
    current = (await store.get(content.id))?.content;
  }
  await discard(storage, video?.path ?? null);
  return undefined;
}

/** What cannot be removed now goes with the content's folder when the content is deleted. */
async function discard(storage: Bindings["storage"], path: string | null): Promise<void> {
  if (path === null) return;
  await storage.delete(path).catch((error) => console.error("An unused video was left behind", error));
}

function lengthOf({ contentLength }: IncomingBody): number {
  const limit = `${MAX_VIDEO_BYTES / 1_000_000} MB`;
  if (contentLength === undefined || !/^\d{1,15}$/.test(contentLength)) {
    throw new Refusal("length_required", `Content-Length is missing; a video of at most ${limit} needs it.`);
  }
  const length = Number(contentLength);
  if (length > MAX_VIDEO_BYTES) {
    const received = `${(length / 1_000_000).toFixed(1)} MB`;
    throw new Refusal("video_too_large", `The video has ${received}; expected at most ${limit}.`);
  }
  return length;
}

/** The format by the first bytes of a file; null for any other. QuickTime and Matroska look alike but are not. */
export function sniffVideo(head: Uint8Array): VideoType | null {
  const text = String.fromCharCode(...head);
  if (text.slice(4, 8) === "ftyp") return text.slice(8, 12) === "qt  " ? null : "video/mp4";
  if (text.startsWith("\x1a\x45\xdf\xa3")) return text.includes("\x42\x82\x84webm") ? "video/webm" : null;
  return null;
}

/** Looks at the first bytes of a request's body; the stream that is returned has them again. */
async function peek(body: ReadableStream<Uint8Array>) {
  // A reader without a buffer of its own brings 4 KB at a time: 23,000 turns for a large video.
  const reader = body.getReader({ mode: "byob" });
  let failed = false;
  const read = async () => {
    try {
      return await reader.read(new Uint8Array(CHUNK_BYTES));
    } catch {
      failed = true;
      throw interrupted();
    }
  };
  const waiting: Uint8Array[] = [];
  const head: number[] = [];
  while (head.length < SNIFFED_BYTES) {
    const { done, value } = await read();
    if (done) break;
    waiting.push(value);
    head.push(...value.subarray(0, SNIFFED_BYTES - head.length));
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = waiting.length > 0 ? { done: false, value: waiting.shift() } : await read();
      if (done || !value) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => reader.releaseLock(),
  });
  return {
    head: Uint8Array.from(head),
    stream,
    /** Leaves the rest of the body to whoever wants it. */
    stop: () => reader.releaseLock(),
    brokeOff: () => failed,
  };
}
