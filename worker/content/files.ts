import { eq, isNotNull, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/sqlite-core";
import { arContent, type Content, type Database } from "../db/tables.ts";
import { logFailure } from "../log.ts";
import type { Storages } from "../storage/open.ts";
import type { FileKind } from "./paths.ts";

/** The files of a piece of content, whatever their kind: where each of them is. */

/** A connection (null: the platform's own bucket) and a key in its storage. */
export interface FilePlace {
  readonly storageId: string | null;
  readonly path: string;
}

/** Null when the content has no such file (yet). */
export function placeOf(content: Content, kind: FileKind): FilePlace | null {
  const { storageId, path } = {
    image: { storageId: content.imageStorageId, path: content.imagePath },
    thumbnail: { storageId: content.thumbnailStorageId, path: content.thumbnailPath },
    marker: { storageId: content.markerStorageId, path: content.markerPath },
    video: { storageId: content.videoStorageId, path: content.videoPath },
    qr_code: { storageId: content.qrCodeStorageId, path: content.qrCodePath },
  }[kind];
  return path === null ? null : { storageId, path };
}

export function isSamePlace(one: FilePlace | null, other: FilePlace | null): boolean {
  return one?.storageId === other?.storageId && one?.path === other?.path;
}

/** The columns that say where a file of a kind is. */
export const PLACE_COLUMNS = {
  image: { storageId: arContent.imageStorageId, path: arContent.imagePath },
  thumbnail: { storageId: arContent.thumbnailStorageId, path: arContent.thumbnailPath },
  marker: { storageId: arContent.markerStorageId, path: arContent.markerPath },
  video: { storageId: arContent.videoStorageId, path: arContent.videoPath },
  qr_code: { storageId: arContent.qrCodeStorageId, path: arContent.qrCodePath },
} as const;

/** What to set for a file that is elsewhere now. */
export function placed(kind: FileKind, { storageId, path }: FilePlace): Partial<Content> {
  switch (kind) {
    case "image":
      return { imageStorageId: storageId, imagePath: path };
    case "thumbnail":
      return { thumbnailStorageId: storageId, thumbnailPath: path };
    case "marker":
      return { markerStorageId: storageId, markerPath: path };
    case "video":
      return { videoStorageId: storageId, videoPath: path };
    case "qr_code":
      return { qrCodeStorageId: storageId, qrCodePath: path };
  }
}

/** A row for every file of a company, of deleted content too. `bytes` is null where no row knows it. */
export function filesOf(db: Database, companyId: string) {
  const kind = (name: FileKind, bytes: ReturnType<typeof sql<number | null>>) => {
    const { storageId, path } = PLACE_COLUMNS[name];
    return db
      .select({
        contentId: sql<string>`${arContent.id}`.as("content_id"),
        deletedAt: sql<number | null>`${arContent.deletedAt}`.as("deleted_at"),
        kind: sql<FileKind>`${name}`.as("kind"),
        storageId: sql<string | null>`${storageId}`.as("storage_id"),
        path: sql<string>`${path}`.as("path"),
        bytes: bytes.as("bytes"),
      })
      .from(arContent)
      .where(sql`${eq(arContent.companyId, companyId)} AND ${isNotNull(path)}`);
  };
  return unionAll(
    kind("image", sql`${arContent.imageBytes}`),
    kind("thumbnail", sql`NULL`),
    kind("marker", sql`json_extract(${arContent.markerMetadata}, '$.bytes')`),
    kind("video", sql`${arContent.videoBytes}`),
    kind("qr_code", sql`NULL`),
  ).as("files");
}

/** Removes files that no row names. What cannot be removed now goes with the content's folder one day. */
export async function discardFiles(storages: Storages, files: readonly (FilePlace | null)[]): Promise<void> {
  for (const file of files) {
    if (file === null) continue;
    try {
      await (await storages.open(file.storageId)).delete(file.path);
    } catch (error) {
      logFailure("An unused file was left behind", error, { path: file.path });
    }
  }
}

export type VideoType = "video/mp4" | "video/webm";

/** A video that is stored, and not seen yet. */
export interface StoredVideo extends FilePlace {
  readonly type: VideoType;
  readonly bytes: number;
  /** Its bytes are used up since its upload was begun. */
  readonly isCounted?: boolean;
}
