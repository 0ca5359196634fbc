import { encodeCompact } from "../../compiler/compact.ts";
import { InvalidMarkerError } from "../../compiler/invalid-marker.ts";
import { decodeMind } from "../../compiler/mind.ts";
import type { Bindings } from "../bindings.ts";
import type { Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";
import { type ByteRange, resolveRange, StorageError, UnsatisfiableRange } from "../storage/provider.ts";
import { VaultError } from "../storage/secrets.ts";
import { KINDS, type MediaKind } from "./file-kinds.ts";
import { contentTypeOf, type FilePlace, isSamePlace, placeOf } from "./files.ts";
import { MAX_FILE_BYTES, type WholeFile } from "./public-cache.ts";

type Services = Pick<Bindings, "storages" | "publicCache">;

/** A stored file as /media serves it. */
interface MediaFile {
  readonly place: FilePlace;
  /** The name under which a browser saves it. */
  readonly name: string;
  readonly contentType: string;
  /** The `v` of its address. A version always names the same bytes. */
  readonly version: string;
}

export interface MediaRequest {
  readonly method: string;
  /** A marker in the compact form of our own player, instead of the stored file. */
  readonly isCompact: boolean;
  /** The requested `v`. */
  readonly version: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** Returns the file of one kind; null when the content does not have it (yet). */
function mediaFile(content: Content, kind: MediaKind): MediaFile | null {
  const place = placeOf(content, kind);
  const url = content[KINDS[kind].columns.url];
  const contentType = contentTypeOf(content, kind);
  if (place === null || url === null || contentType === null) return null;
  const suffix = kind === "thumbnail" || kind === "picture" ? `-${kind}` : "";
  const extension = place.path.slice(place.path.lastIndexOf("."));
  const name = `${content.uniqueId}${suffix}${extension}`;
  return { place, name, contentType, version: url.slice(url.indexOf("?v=") + 3) };
}

/**
 * Serves a file of a content through the edge, from whichever storage holds it. It does not redirect to the
 * storage, for three reasons: the viewer's pages only load from their own origin; a video from another origin
 * can only be drawn if its bucket sends CORS headers; and an address under /media can be cached forever, while
 * a signed address expires.
 *
 * @param load returns the current content. It is called again when the file is not in its place, because the
 *   file may have been moved or replaced in the meantime
 * @returns null when the content does not exist or has no such file
 * @throws Refusal `not_found`, `range_not_satisfiable`, `storage_unavailable`
 */
export async function serveMedia(
  services: Services,
  load: () => Promise<Content | undefined>,
  kind: MediaKind,
  request: MediaRequest,
): Promise<Response | null> {
  let tried: MediaFile | null = null;
  for (;;) {
    const content = await load();
    const file = content ? mediaFile(content, kind) : null;
    if (!file) return null;
    if (tried && isSamePlace(tried.place, file.place)) throw missing();
    const serve = request.isCompact && kind === "marker" ? serveCompact : serveFile;
    const response = await serve(services, file, kind, request);
    if (response) return response;
    tried = file;
  }
}

/**
 * Returns the response for a file: all of it, a single range, or not modified (RFC 9110, sections 13 and 14).
 * A request for several ranges gets the whole file, which the standard allows.
 *
 * @returns null when the file is not in its storage
 */
async function serveFile(
  services: Services,
  { place, name, contentType, version }: MediaFile,
  kind: MediaKind,
  request: MediaRequest,
): Promise<Response | null> {
  const etag = `"${version}"`;
  const headers: Record<string, string> = {
    ...cacheHeaders(etag, version, request),
    "Accept-Ranges": "bytes",
  };
  if (request.ifNoneMatch !== undefined && matchesEtag(request.ifNoneMatch, etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers["Content-Type"] = contentType;
  headers["Content-Disposition"] = `inline; filename="${name}"`;
  const isHead = request.method === "HEAD";
  const isUnchanged = request.ifRange === undefined || request.ifRange === etag;
  const range = isUnchanged && !isHead ? parseRange(request.range) : undefined;
  try {
    const file = await hidingStorageErrors(() => openFile(services, place, kind, { isHead, range }));
    if (!file) return null;
    const { body, size, range: sent } = file;
    if (!sent) return new Response(body, { headers: { ...headers, "Content-Length": String(size) } });
    headers["Content-Length"] = String(sent.end - sent.start + 1);
    headers["Content-Range"] = `bytes ${sent.start}-${sent.end}/${size}`;
    return new Response(body, { status: 206, headers });
  } catch (error) {
    if (!(error instanceof UnsatisfiableRange)) throw error;
    throw new Refusal(
      "range_not_satisfiable",
      `The range "${request.range}" is outside the file, which has ${error.size} bytes.`,
      { "Content-Range": `bytes */${error.size}` },
    );
  }
}

interface OpenFile {
  /** The bytes of `range`; null for HEAD. */
  readonly body: WholeFile["body"] | null;
  /** The size of the whole file. */
  readonly size: number;
  /** Null: all of it. */
  readonly range: { readonly start: number; readonly end: number } | null;
}

/** Opens a file or a range of it, from the cache if it is of a kind that is cached and small enough. */
async function openFile(
  { storages, publicCache }: Services,
  place: FilePlace,
  kind: MediaKind,
  { isHead, range }: { readonly isHead: boolean; readonly range: ByteRange | undefined },
): Promise<OpenFile | null> {
  const storage = async () => storages.open(place.storageId);
  if (KINDS[kind].isCached) {
    const whole = await publicCache.file(place, async () => (await storage()).download(place.path));
    if (!whole) return null;
    const { body, size } = whole;
    if (body instanceof Uint8Array) {
      const part = range ? resolveRange(range, size) : null;
      const bytes = part ? body.subarray(part.start, part.end + 1) : body;
      return { body: isHead ? null : bytes, size, range: part };
    }
    if (!isHead && !range) return { body, size, range: null };
    await body.cancel();
  }
  if (!isHead) return (await storage()).download(place.path, { range });
  const object = await (await storage()).head(place.path);
  return object && { body: null, size: object.size, range: null };
}

/**
 * Returns the response for a marker in its compact form, whole: it is derived from the stored file and compressed in
 * transfer. A file that the cache does not take is sent as it is stored, because each request would derive it again.
 *
 * @returns null when the file is not in its storage
 */
async function serveCompact(
  { storages, publicCache }: Services,
  { place, version }: MediaFile,
  _: MediaKind,
  request: MediaRequest,
): Promise<Response | null> {
  const etag = `"${version}-compact"`;
  const headers: Record<string, string> = cacheHeaders(etag, version, request);
  if (request.ifNoneMatch !== undefined && matchesEtag(request.ifNoneMatch, etag)) {
    return new Response(null, { status: 304, headers });
  }
  const file = await hidingStorageErrors(() => {
    const open = async () => (await storages.open(place.storageId)).download(place.path);
    return publicCache.file(place, open, COMPACT);
  });
  if (!file) return null;
  headers["Content-Type"] = "application/octet-stream";
  headers["Content-Disposition"] = "inline";
  // The runtime compresses a body with this header.
  if (file.size <= MAX_FILE_BYTES) headers["Content-Encoding"] = "gzip";
  if (request.method !== "HEAD") return new Response(file.body, { headers });
  if (file.body instanceof ReadableStream) await file.body.cancel();
  return new Response(null, { headers });
}

const COMPACT = { name: "compact", derive: compactOr };

/** Returns the compact form of a marker, or the file itself if that is smaller or not a valid marker. */
function compactOr(marker: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  try {
    return encodeCompact(decodeMind(marker), marker.length);
  } catch (error) {
    // The storage belongs to the company, and files of older versions were checked by other rules. The player says why.
    if (error instanceof InvalidMarkerError) return marker;
    throw error;
  }
}

function cacheHeaders(etag: string, version: string, request: MediaRequest) {
  return {
    ETag: etag,
    "Cache-Control": request.version === version ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

/** Hides the storage's own error message, which is for the company and not for viewers. */
async function hidingStorageErrors<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StorageError || error instanceof VaultError)) throw error;
    logFailure("A file could not be served", error);
    throw new Refusal("storage_unavailable", "The storage of this file is unavailable. Try again later.");
  }
}

function missing(): Refusal {
  return new Refusal("not_found", "The file is missing from the storage.");
}

/** Parses a single range of bytes; undefined for a header that is to be ignored. */
export function parseRange(header: string | undefined): ByteRange | undefined {
  const [, first, last] = header?.match(/^bytes=(\d*)-(\d*)$/i) ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return { last: position(last) };
  const start = position(first);
  const end = last === "" ? undefined : position(last);
  return end !== undefined && end < start ? undefined : { start, end };
}

/** Limits a position to what a number holds exactly, which is past the end of every file. */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(",").some((candidate) => {
    const tag = candidate.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag;
  });
}
