/** Where the files of a piece of content are: keys in the storage, addresses under /media. */

/** The files that /media serves. */
export const MEDIA_KINDS = ["image", "thumbnail", "marker", "video"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

/** All files. The QR code is drawn afresh for whoever asks; the stored one is for who looks into the storage. */
export const FILE_KINDS = [...MEDIA_KINDS, "qr_code"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const FOLDERS = {
  image: "portraits/original_images",
  thumbnail: "thumbnails",
  marker: "markers/mindar_targets",
  video: "videos",
  qr_code: "qr-codes",
} as const;

/** The original, stored once and never replaced. `storagePath` is the company's. */
export function imagePath(storagePath: string, uniqueId: string, extension: string): string {
  return join(storagePath, `${FOLDERS.image}/${uniqueId}.${extension}`);
}

/** The QR code of the viewer's address, stored beside the original. */
export function qrCodePath(storagePath: string, uniqueId: string): string {
  return join(storagePath, `${FOLDERS.qr_code}/${uniqueId}.svg`);
}

/**
 * A key that nobody used before, in the content's own folder: a late delivery can never overwrite the file
 * of the one that won, and whatever a crash left behind goes with the folder.
 */
export function freshPath(
  storagePath: string,
  kind: "thumbnail" | "marker" | "video",
  uniqueId: string,
  version: number,
  extension: string,
): string {
  const random = crypto.randomUUID().slice(0, 8);
  return join(storagePath, `${FOLDERS[kind]}/${uniqueId}/${version}-${random}.${extension}`);
}

/** Relative to the API's origin. Another `v` names other bytes, so what it names may be cached for ever. */
export function mediaUrl(uniqueId: string, kind: MediaKind, version: number): string {
  return `/media/${uniqueId}/${kind}?v=${version}`;
}

/** The folders of a piece of content: what a crash left in them goes with it. */
export function foldersOf(storagePath: string, uniqueId: string): string[] {
  return (["thumbnail", "marker", "video"] as const).map((kind) =>
    join(storagePath, `${FOLDERS[kind]}/${uniqueId}`),
  );
}

/**
 * Where a file goes in another storage: another key than before, for two connections may lead to the same
 * bucket.
 *
 * @param tag names the move; the same one gives the same key
 */
export function movedPath(path: string, tag: string): string {
  const [, stem = path, extension = ""] = path.match(/^(.*?)(?:~[0-9a-f]{8})?(\.[^./]*)$/s) ?? [];
  return `${stem}~${tag}${extension}`;
}

function join(storagePath: string, path: string): string {
  return storagePath === "" ? path : `${storagePath}/${path}`;
}
