import { KINDS, type MediaKind, VERSIONED_KINDS, type VersionedKind } from "./file-kinds.ts";

/** Names of a content's files: keys in the storage, addresses under /media. */

const EXTENSIONS = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/svg+xml": "svg",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "application/octet-stream": "mind",
} as const;

export type StoredType = keyof typeof EXTENSIONS;

/** Returns the key of the first original. `storagePath` is the company's. */
export function imagePath(storagePath: string, uniqueId: string, contentType: StoredType): string {
  return join(storagePath, `${KINDS.image.folder}/${uniqueId}.${EXTENSIONS[contentType]}`);
}

/** Returns the key of the QR code of the viewer's address. */
export function qrCodePath(storagePath: string, uniqueId: string): string {
  return join(storagePath, `${KINDS.qr_code.folder}/${uniqueId}.${EXTENSIONS[KINDS.qr_code.contentType]}`);
}

/**
 * Returns a new key in the content's own folder. Because keys are never used twice, a late delivery cannot
 * overwrite the file of the delivery that won; files that a crash leaves behind are deleted with the folder.
 */
export function versionedPath(
  kind: VersionedKind,
  file: {
    /** The company's. */
    readonly storagePath: string;
    readonly uniqueId: string;
    readonly version: number;
    readonly contentType: StoredType;
  },
): string {
  const { storagePath, uniqueId, version, contentType } = file;
  const random = crypto.randomUUID().slice(0, 8);
  const name = `${version}-${random}.${EXTENSIONS[contentType]}`;
  return join(storagePath, `${KINDS[kind].folder}/${uniqueId}/${name}`);
}

/**
 * Returns an address relative to the API's origin. Each `v` always names the same bytes, so responses can be
 * cached forever.
 */
export function mediaUrl(uniqueId: string, kind: MediaKind, version: number): string {
  return `${mediaUrlPrefix(uniqueId, kind)}${version}`;
}

/** Returns what precedes the version in an address, for SQL that counts the version up. */
export function mediaUrlPrefix(uniqueId: string, kind: MediaKind): string {
  return `/media/${uniqueId}/${kind}?v=`;
}

/** Returns the content's own folders, which may hold files that a crash left behind. */
export function foldersOf(storagePath: string, uniqueId: string): string[] {
  return VERSIONED_KINDS.map((kind) => join(storagePath, `${KINDS[kind].folder}/${uniqueId}`));
}

/**
 * Returns the key for a file that moves to another storage. It differs from the old key, because two
 * connections may lead to the same bucket.
 *
 * @param tag eight hexadecimal digits that name the move; the same tag gives the same key
 */
export function movedPath(path: string, tag: string): string {
  const [, stem = path, extension = ""] = path.match(/^(.*?)(?:~[0-9a-f]{8})?(\.[^./]*)$/s) ?? [];
  return `${stem}~${tag}${extension}`;
}

function join(storagePath: string, path: string): string {
  return storagePath === "" ? path : `${storagePath}/${path}`;
}
