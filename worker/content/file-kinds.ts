/**
 * The kinds of files that content has. Everything that stores, serves, moves, counts or deletes files derives
 * from this table: a new kind is one entry here and its columns in `ar_content`. Only triggers
 * (migrations/0012_count_usage.sql, migrations/0033_pictures.sql) name columns themselves.
 */
export const KINDS = {
  image: {
    folder: "portraits/original_images",
    // The first one is beside the folder of those that replace it.
    isVersioned: true,
    isCached: false,
    isPublic: false,
    columns: { storageId: "imageStorageId", path: "imagePath", url: "imageUrl", bytes: "imageBytes" },
    contentType: { column: "imageType" },
    bytes: "image_bytes",
  },
  // What viewers get in place of the original, which may say where it was taken, and can be printed.
  picture: {
    folder: "pictures",
    isVersioned: true,
    isCached: true,
    isPublic: true,
    columns: { storageId: "pictureStorageId", path: "picturePath", url: "pictureUrl", bytes: "pictureBytes" },
    contentType: "image/jpeg",
    bytes: "picture_bytes",
  },
  thumbnail: {
    folder: "thumbnails",
    isVersioned: true,
    isCached: true,
    isPublic: true,
    columns: {
      storageId: "thumbnailStorageId",
      path: "thumbnailPath",
      url: "thumbnailUrl",
      bytes: "thumbnailBytes",
    },
    contentType: "image/jpeg",
    bytes: "thumbnail_bytes",
  },
  marker: {
    folder: "markers/mindar_targets",
    isVersioned: true,
    isCached: true,
    isPublic: true,
    columns: { storageId: "markerStorageId", path: "markerPath", url: "markerUrl", bytes: null },
    contentType: "application/octet-stream",
    bytes: "json_extract(marker_metadata, '$.bytes')",
  },
  video: {
    folder: "videos",
    isVersioned: true,
    isCached: false,
    isPublic: true,
    columns: { storageId: "videoStorageId", path: "videoPath", url: "videoUrl", bytes: "videoBytes" },
    contentType: { column: "videoType" },
    bytes: "video_bytes",
  },
  // The API draws the QR code again for each request; the stored file is for people who browse the storage.
  qr_code: {
    folder: "qr-codes",
    isVersioned: false,
    isCached: false,
    isPublic: false,
    columns: { storageId: "qrCodeStorageId", path: "qrCodePath", url: null, bytes: "qrCodeBytes" },
    contentType: "image/svg+xml",
    bytes: "qr_code_bytes",
  },
} as const satisfies Record<string, KindTraits>;

interface KindTraits {
  /** Below the company's `storage_path`. */
  readonly folder: string;
  /** Whether new files replace it, each under a key of its own in a folder of the content's own. */
  readonly isVersioned: boolean;
  /** Whether the edge keeps it in memory: viewers load it whole, and often. */
  readonly isCached: boolean;
  /** Whether /media serves it to everybody; if not, to members and API keys of the company. */
  readonly isPublic: boolean;
  /**
   * Properties of a row of `ar_content`. `url` is null for a file that /media does not serve, `bytes` for one whose size
   * is in its metadata.
   */
  readonly columns: {
    readonly storageId: string;
    readonly path: string;
    readonly url: string | null;
    readonly bytes: string | null;
  };
  /** The media type, or the property that holds it. */
  readonly contentType: string | { readonly column: string };
  /** Its size: SQL over `ar_content`, which the triggers of `stored_files` repeat. */
  readonly bytes: string;
}

type Kinds = typeof KINDS;
export type FileKind = keyof Kinds;
export type MediaKind = { [K in FileKind]: Kinds[K]["columns"]["url"] extends null ? never : K }[FileKind];
export type VersionedKind = { [K in FileKind]: Kinds[K]["isVersioned"] extends true ? K : never }[FileKind];

/** The files that an executor delivers. */
export const DELIVERED_KINDS = ["marker", "thumbnail", "picture"] as const;
export type DeliveredKind = (typeof DELIVERED_KINDS)[number];

export const FILE_KINDS = Object.keys(KINDS) as [FileKind, ...FileKind[]];

/** The files that /media serves. */
export const MEDIA_KINDS = FILE_KINDS.filter(isMediaKind);

export const VERSIONED_KINDS = FILE_KINDS.filter((kind): kind is VersionedKind => KINDS[kind].isVersioned);

export function isMediaKind(text: string): text is MediaKind {
  return Object.hasOwn(KINDS, text) && KINDS[text as FileKind].columns.url !== null;
}
