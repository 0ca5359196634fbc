import { Refusal } from "./errors.ts";
import { MEDIA_KINDS, type MediaKind } from "./paths.ts";
import type { Content } from "./schema.ts";
import { type ByteRange, type StorageProvider, UnsatisfiableRange } from "./storage/provider.ts";

/** A stored file as /media shows it. */
export interface MediaFile {
  /** Key in the storage. */
  readonly path: string;
  /** What a browser calls it when it saves it. */
  readonly name: string;
  readonly contentType: string;
  /** The `v` of its address: one version is the same bytes for ever. */
  readonly version: string;
}

export interface MediaRequest {
  readonly method: string;
  /** The `v` that was asked for. */
  readonly version: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export function isMediaKind(text: string): text is MediaKind {
  return (MEDIA_KINDS as readonly string[]).includes(text);
}

/** The file of one kind; null when the content has none (yet). */
export function mediaFile(content: Content, kind: MediaKind): MediaFile | null {
  switch (kind) {
    case "image":
      return file(content.uniqueId, content.imagePath, content.imageUrl, content.imageType);
    case "thumbnail":
      return file(`${content.uniqueId}-thumbnail`, content.thumbnailPath, content.thumbnailUrl, "image/jpeg");
    case "marker":
      return file(content.uniqueId, content.markerPath, content.markerUrl, "application/octet-stream");
    case "video":
      return file(content.uniqueId, content.videoPath, content.videoUrl, content.videoType);
  }
}

function file(
  name: string,
  path: string | null,
  url: string | null,
  contentType: string | null,
): MediaFile | null {
  if (path === null || url === null || contentType === null) return null;
  const extension = path.slice(path.lastIndexOf("."));
  return { path, name: `${name}${extension}`, contentType, version: url.slice(url.indexOf("?v=") + 3) };
}

/**
 * Answers for a file: whole, a single range, or not modified (RFC 9110, sections 13 and 14). Several ranges
 * at once are answered with the whole file, which the standard allows.
 */
export async function serveMedia(
  storage: StorageProvider,
  { path, name, contentType, version }: MediaFile,
  request: MediaRequest,
): Promise<Response> {
  const etag = `"${version}"`;
  const headers: Record<string, string> = {
    ETag: etag,
    "Accept-Ranges": "bytes",
    "Cache-Control": request.version === version ? "public, max-age=31536000, immutable" : "no-cache",
  };
  if (request.ifNoneMatch !== undefined && matchesEtag(request.ifNoneMatch, etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers["Content-Type"] = contentType;
  headers["Content-Disposition"] = `inline; filename="${name}"`;
  if (request.method === "HEAD") {
    const object = await storage.head(path);
    if (!object) throw missing();
    return new Response(null, { headers: { ...headers, "Content-Length": String(object.size) } });
  }

  const stillTheSame = request.ifRange === undefined || request.ifRange === etag;
  const range = stillTheSame ? parseRange(request.range) : undefined;
  try {
    const download = await storage.download(path, { range });
    if (!download) throw missing();
    if (!download.range) {
      headers["Content-Length"] = String(download.size);
      return new Response(download.body, { headers });
    }
    const { start, end } = download.range;
    headers["Content-Length"] = String(end - start + 1);
    headers["Content-Range"] = `bytes ${start}-${end}/${download.size}`;
    return new Response(download.body, { status: 206, headers });
  } catch (error) {
    if (!(error instanceof UnsatisfiableRange)) throw error;
    throw new Refusal(
      "range_not_satisfiable",
      `The range "${request.range}" lies outside of the file's ${error.size} bytes.`,
      { "Content-Range": `bytes */${error.size}` },
    );
  }
}

function missing(): Refusal {
  return new Refusal("not_found", "The file is no longer in the storage.");
}

/** A single range of bytes; undefined for everything that is to be ignored. */
export function parseRange(header: string | undefined): ByteRange | undefined {
  const [, first, last] = header?.match(/^bytes=(\d*)-(\d*)$/i) ?? [];
  if (first === undefined || (first === "" && last === "")) return undefined;
  if (first === "") return { last: position(last) };
  const start = position(first);
  const end = last === "" ? undefined : position(last);
  return end !== undefined && end < start ? undefined : { start, end };
}

/** Positions beyond what a number holds are past the end of every file. */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(",").some((candidate) => {
    const tag = candidate.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag;
  });
}
