import { and, eq, isNull, or, type SQL, sql } from "drizzle-orm";
import { arContent, type Content, type Database } from "../db/tables.ts";
import type { VideoMetadata } from "../schemas.ts";
import { FILE_KINDS, type FileKind, KINDS } from "./file-kinds.ts";

/** The place of a file: a storage connection (null: the platform's own bucket) and a key in its storage. */
export interface FilePlace {
  readonly storageId: string | null;
  readonly path: string;
}

/** Returns where a file is; null when the content does not have it (yet). */
export function placeOf(content: Content, kind: FileKind): FilePlace | null {
  const { columns } = KINDS[kind];
  const path = content[columns.path];
  return path === null ? null : { storageId: content[columns.storageId], path };
}

/** Returns a file's media type; null for content without that file. */
export function contentTypeOf(content: Content, kind: FileKind): string | null {
  const { contentType } = KINDS[kind];
  return typeof contentType === "string" ? contentType : content[contentType.column];
}

export function isSamePlace(one: FilePlace | null, other: FilePlace | null): boolean {
  return one?.storageId === other?.storageId && one?.path === other?.path;
}

/** Returns the columns of `ar_content` that say where files of a kind are. */
export function placeColumns(kind: FileKind) {
  const { columns } = KINDS[kind];
  return { storageId: arContent[columns.storageId], path: arContent[columns.path] };
}

/** Returns the change of a row whose file is at another place now; null: the content has no such file. */
export function placeValues(kind: FileKind, place: FilePlace | null): Partial<Content> {
  const { columns } = KINDS[kind];
  return { [columns.storageId]: place?.storageId ?? null, [columns.path]: place?.path ?? null };
}

/** A stored file with its address and size. */
export type AddressedFile = FilePlace & { readonly url: string; readonly bytes: number };

/** Returns the change of a row that gets a file; null: it loses the file. */
export function fileValues(kind: FileKind, file: AddressedFile | null): Partial<Content> {
  const { url, bytes } = KINDS[kind].columns;
  return {
    ...placeValues(kind, file),
    ...(url === null ? {} : { [url]: file?.url ?? null }),
    ...(bytes === null ? {} : { [bytes]: file?.bytes ?? null }),
  };
}

/** Returns the condition that a row of `ar_content` has a file in this storage. */
export function hasFileIn(storageId: string): SQL | undefined {
  return or(...FILE_KINDS.map((kind) => eq(placeColumns(kind).storageId, storageId)));
}

/** What is lost with the files in a storage. */
export interface Losses {
  /** Photos whose original is there. */
  readonly photos: number;
  /** Other photos whose marker is there. */
  readonly markers: number;
  /** Videos of other photos. */
  readonly videos: number;
}

/** Counts what a company would lose with its files in a storage. Selects one row. */
export function selectLosses(db: Database, companyId: string, storageId: string) {
  const isThere = (kind: FileKind) => eq(placeColumns(kind).storageId, storageId);
  const isKept = sql`${placeColumns("image").storageId} IS NOT ${storageId}`;
  const countOf = (condition: SQL | undefined) => sql<number>`count(*) FILTER (WHERE ${condition})`;
  return db
    .select({
      photos: countOf(isThere("image")),
      markers: countOf(and(isKept, isThere("marker"))),
      videos: countOf(and(isKept, isThere("video"))),
    })
    .from(arContent)
    .where(and(eq(arContent.companyId, companyId), isNull(arContent.deletedAt)));
}

export type VideoType = "video/mp4" | "video/webm";

/** A video that is stored but not shown yet. */
export interface StoredVideo extends FilePlace {
  readonly type: VideoType;
  readonly bytes: number;
  readonly metadata: VideoMetadata;
  /**
   * The row that keeps the file until the content names it: an upload in parts, whose bytes count against the
   * quota already, or a reservation (worker/content/orphaned-files.ts).
   */
  readonly keptBy: { readonly upload: string } | { readonly reservation: string };
}
