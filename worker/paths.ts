import type { StorageProvider } from "./storage/provider.ts";
import { deleteFolder } from "./storage/provider.ts";

/** Where the files of a piece of content are: keys in the storage, addresses under /media. */

/** The files that /media serves. */
export const MEDIA_KINDS = ["image", "thumbnail", "marker", "video"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

const FOLDERS = {
  image: "portraits/original_images",
  thumbnail: "thumbnails",
  marker: "markers/mindar_targets",
  video: "videos",
} as const;

/** The original, stored once and never replaced. `storagePath` is the company's. */
export function imagePath(storagePath: string, uniqueId: string, extension: string): string {
  return join(storagePath, `${FOLDERS.image}/${uniqueId}.${extension}`);
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

/** Removes every file of a piece of content, the ones that no row names any more included. */
export async function deleteFiles(
  storage: StorageProvider,
  storagePath: string,
  content: { readonly uniqueId: string; readonly imagePath: string },
): Promise<void> {
  await storage.delete(content.imagePath);
  for (const kind of ["thumbnail", "marker", "video"] as const) {
    await deleteFolder(storage, join(storagePath, `${FOLDERS[kind]}/${content.uniqueId}`));
  }
}

function join(storagePath: string, path: string): string {
  return storagePath === "" ? path : `${storagePath}/${path}`;
}
