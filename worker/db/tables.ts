import { type SQL, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import {
  type AnySQLiteColumn,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Role, Scope } from "../accounts/permissions.ts";
import type { Action } from "../audit/actions.ts";
import { FILE_KINDS } from "../content/file-kinds.ts";
import type { ErrorCode } from "../errors.ts";
import type { MarkerMetadata, ProgressBody, VideoMetadata, VideoPlayback } from "../schemas.ts";
import type { AnyEvent, ContentEvent } from "../webhooks/event-names.ts";

/** The tables whose rows are counted by owner. */
const COUNTED = ["idempotency_keys", "audit_log", "webhook_events", "webhook_deliveries"] as const;

const MOVE_STATES = ["copying", "moved", "obsolete", "failed"] as const;

/** The queues whose dead letters are kept. */
export const DEAD_LETTER_QUEUES = ["compile", "webhooks"] as const;

export const ALERTS = ["sweep", "compiler", "dead_letters"] as const;

const MARKER_STATUSES = ["pending", "processing", "ready", "failed"] as const;

export type Database = DrizzleD1Database<Record<string, never>>;

/** The tables. Times are milliseconds since 1970; ids are random UUIDs; paths are keys in the storage. */

export const storageConnections = sqliteTable(
  "storage_connections",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references((): AnySQLiteColumn => companies.id, { onDelete: "cascade" }),
    /** Never R2: the platform's own bucket has no row, and R2's S3 endpoint counts as S3. */
    provider: text("provider", { enum: ["s3", "yandex_disk"] }).notNull(),
    name: text("name").notNull(),
    /** JSON, encrypted by worker/storage/secrets.ts and bound to this row. */
    settings: text("settings").notNull(),
    /** The id of the key that decrypts `settings`. */
    keyId: text("key_id").notNull(),
    /** The storage's usage when it was last measured. */
    usage: text("usage", { mode: "json" }).$type<MeasuredUsage>(),
    usageAt: integer("usage_at"),
    lastTestAt: integer("last_test_at"),
    lastTestError: text("last_test_error"),
    /** When an owner gave its files up; the sweep then removes what names them, and the connection. */
    givenUpAt: integer("given_up_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("storage_connections_company").on(table.companyId),
    index("storage_connections_given_up").on(table.givenUpAt).where(sql`given_up_at IS NOT NULL`),
    index("storage_connections_key").on(table.keyId),
  ],
);

/** The usage of a company's folder, and the backend's own figures of its space; null if it has none. */
export interface MeasuredUsage {
  readonly objects: number;
  readonly bytes: number;
  readonly quota: { readonly usedBytes: number; readonly totalBytes: number | null } | null;
}

export const companies = sqliteTable(
  "companies",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    slug: text("slug").notNull().unique(),
    /** Null: the platform's own bucket. */
    storageConnectionId: text("storage_connection_id").references(
      (): AnySQLiteColumn => storageConnections.id,
      {
        onDelete: "set null",
      },
    ),
    /** The storage's folder with all files of this company, without slashes at its ends. */
    storagePath: text("storage_path").notNull(),
    /** The company's usage of the platform's own bucket when it was last measured. */
    usage: text("usage", { mode: "json" }).$type<MeasuredUsage>(),
    usageAt: integer("usage_at"),
    /**
     * The sums of its rows in `ar_content`, which triggers update (migrations/0012_count_usage.sql). A
     * migration that recreates `ar_content` or `compile_tasks` must recreate the triggers too.
     */
    contentCount: integer("content_count").notNull().default(0),
    contentBytes: integer("content_bytes").notNull().default(0),
    /** Its own quotas (worker/content/quotas.ts), set by an operator. 0: unlimited; null: the platform's. */
    maxContents: integer("max_contents"),
    maxBytes: integer("max_bytes"),
    maxCompilationsADay: integer("max_compilations_a_day"),
    /** When the Node compiler last began one of its compilations: companies take turns (worker/db/next-in-turn.ts). */
    compiledAt: integer("compiled_at"),
    /** When a turn of one of its storage migrations last began. */
    movedAt: integer("moved_at"),
    /** The last minute since 1970 in which one of its webhooks was sent, and the number sent in it. */
    webhookMinute: integer("webhook_minute"),
    webhookSends: integer("webhook_sends").notNull().default(0),
    /** Until when its webhooks were last held back; the messages that continue are due then. */
    webhooksHeldUntil: integer("webhooks_held_until"),
    /** Who created it; null for the first company, and if that person was deleted. */
    createdBy: text("created_by").references((): AnySQLiteColumn => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("companies_storage_connection")
      .on(table.storageConnectionId)
      .where(sql`storage_connection_id IS NOT NULL`),
    index("companies_created_by").on(table.createdBy).where(sql`created_by IS NOT NULL`),
  ],
);

/** The number of requested compilations per day in UTC, such as 2026-11-23. A trigger counts them. */
export const compilationDays = sqliteTable(
  "compilation_days",
  {
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    day: text("day").notNull(),
    compilations: integer("compilations").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.companyId, table.day] }),
    index("compilation_days_day").on(table.day),
  ],
);

export const projects = sqliteTable(
  "projects",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    /** Default of submissions: the number of strongest points to keep. Null: all. */
    maxFeatures: integer("max_features"),
    /** Default of submissions: how long the viewer shows them. Null: without limit. */
    expiresAfterDays: integer("expires_after_days"),
    /** If set, the project accepts no new content. Its content is served as before. */
    archivedAt: integer("archived_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("projects_company").on(table.companyId)],
);

/** When content changed. Always later than the previous change, so that the time identifies the version. */
export function touched(now: number) {
  return sql`max(${now}, ${arContent.updatedAt} + 1)`;
}

/** No `onDelete`: a connection that holds a file cannot be deleted. */
function storageId(column: string) {
  return text(column).references((): AnySQLiteColumn => storageConnections.id);
}

/**
 * The condition that a marker has a score that names no player: it is MindAR's, or missing. A partial index finds these
 * rows, so the condition must have its exact text.
 */
export const hasOldScore = sql`marker_metadata IS NOT NULL AND json_extract(marker_metadata, '$.quality.player') IS NULL`;

/**
 * The condition that a row does not have the size of a thumbnail or QR code, which was stored before sizes were recorded.
 * Its text must be that of the partial index.
 */
export const hasUnknownSize = sql`deleted_at IS NULL AND ((thumbnail_path IS NOT NULL AND thumbnail_bytes IS NULL) OR (qr_code_path IS NOT NULL AND qr_code_bytes IS NULL))`;

/** The condition that a photo lacks the picture for viewers. Its text must be that of the partial index. */
export const hasNoPicture = sql`deleted_at IS NULL AND marker_status = 'ready' AND picture_path IS NULL AND picture_failed_at IS NULL`;

export const arContent = sqliteTable(
  "ar_content",
  {
    id: text("id").primaryKey(),
    projectId: text("project_id")
      .notNull()
      .references(() => projects.id),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id),
    /** The public id: in links, QR codes and media URLs. */
    uniqueId: text("unique_id").notNull().unique(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    /** Of the shop that took the order. Unique in the project. */
    orderNumber: text("order_number"),
    customerName: text("customer_name"),
    customerEmail: text("customer_email"),
    customerPhone: text("customer_phone"),
    /** Title and description, case-folded by `searchable`: SQLite's own functions fold only ASCII. */
    searchText: text("search_text").notNull(),
    /** The order number and the customer likewise, one line for each field. */
    searchOrder: text("search_order").notNull().default(""),

    /** The connection that holds the original; null: the platform's own bucket. Likewise for other files. */
    imageStorageId: storageId("image_storage_id"),
    imagePath: text("image_path").notNull(),
    imageUrl: text("image_url").notNull(),
    imageType: text("image_type").notNull(),
    imageSha256: text("image_sha256").notNull(),
    imageWidth: integer("image_width").notNull(),
    imageHeight: integer("image_height").notNull(),
    imageBytes: integer("image_bytes").notNull(),

    /** The generation of the newest requested compilation, whose task explains `marker_status`. */
    generation: integer("generation").notNull(),
    maxFeatures: integer("max_features"),
    markerStatus: text("marker_status", { enum: MARKER_STATUSES }).notNull(),
    markerStorageId: storageId("marker_storage_id"),
    /** The served marker: the previous one while a newer generation compiles. */
    markerPath: text("marker_path"),
    markerUrl: text("marker_url"),
    markerGeneratedAt: integer("marker_generated_at"),
    markerMetadata: text("marker_metadata", { mode: "json" }).$type<MarkerMetadata>(),
    thumbnailStorageId: storageId("thumbnail_storage_id"),
    thumbnailPath: text("thumbnail_path"),
    thumbnailUrl: text("thumbnail_url"),
    /** Null until the sweep has recorded it, for a thumbnail from before sizes were recorded. */
    thumbnailBytes: integer("thumbnail_bytes"),
    /** Null until the sweep has made it, for a photo that was compiled without one. */
    pictureStorageId: storageId("picture_storage_id"),
    picturePath: text("picture_path"),
    pictureUrl: text("picture_url"),
    pictureBytes: integer("picture_bytes"),
    /** When the original turned out to give no picture. The sweep does not try again before the next compilation. */
    pictureFailedAt: integer("picture_failed_at"),

    videoStorageId: storageId("video_storage_id"),
    videoPath: text("video_path"),
    videoUrl: text("video_url"),
    videoType: text("video_type", { enum: ["video/mp4", "video/webm"] }),
    videoBytes: integer("video_bytes"),
    /** Null for videos from before their headers were read. */
    videoMetadata: text("video_metadata", { mode: "json" }).$type<VideoMetadata>(),
    /** How viewers play it; null: as a whole. */
    videoPlayback: text("video_playback", { mode: "json" }).$type<VideoPlayback>(),
    /** Counts all videos ever attached, so that no two of them share a URL. */
    videoVersion: integer("video_version").notNull().default(0),

    qrCodeStorageId: storageId("qr_code_storage_id"),
    /** Null for content from before QR codes were stored. */
    qrCodePath: text("qr_code_path"),
    /** Null until the sweep has recorded it, for a QR code from before sizes were recorded. */
    qrCodeBytes: integer("qr_code_bytes"),

    isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
    /** The time from which it counts as inactive. Null: never. */
    expiresAt: integer("expires_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** When the sweep deletes its files and the row. Null: visible; otherwise it was deleted, or is not created yet. */
    deletedAt: integer("deleted_at"),
    /** When it was deleted, by a person or a program. Null: visible, or not created yet. */
    removedAt: integer("removed_at"),
  },
  (table) => [
    // Lists, newest first. Those of a company end with the project, because they leave out archived ones.
    index("ar_content_newest")
      .on(table.companyId, table.createdAt, table.id, table.projectId)
      .where(sql`deleted_at IS NULL`),
    index("ar_content_status")
      .on(table.companyId, table.markerStatus, table.createdAt, table.id, table.projectId)
      .where(sql`deleted_at IS NULL`),
    index("ar_content_project").on(table.projectId, table.createdAt, table.id).where(sql`deleted_at IS NULL`),
    index("ar_content_project_status")
      .on(table.projectId, table.markerStatus, table.createdAt, table.id)
      .where(sql`deleted_at IS NULL`),
    uniqueIndex("ar_content_order")
      .on(table.projectId, table.orderNumber)
      .where(sql`order_number IS NOT NULL AND deleted_at IS NULL`),
    index("ar_content_image").on(table.companyId, table.imageSha256, table.markerGeneratedAt),
    index("ar_content_files").on(table.companyId, table.id),
    index("ar_content_deleted").on(table.companyId, table.deletedAt).where(sql`deleted_at IS NOT NULL`),
    // Deleting a connection looks for files in it.
    ...[
      table.imageStorageId,
      table.markerStorageId,
      table.thumbnailStorageId,
      table.pictureStorageId,
      table.videoStorageId,
      table.qrCodeStorageId,
    ].map((column) =>
      index(`ar_content_${column.name}`)
        .on(column)
        .where(sql`${sql.raw(column.name)} IS NOT NULL`),
    ),
    index("ar_content_old_score").on(table.id).where(hasOldScore),
    index("ar_content_unknown_size").on(table.id).where(hasUnknownSize),
    index("ar_content_no_picture").on(table.id).where(hasNoPicture),
  ],
);

/**
 * The number of visible photos by project and status. Triggers update it (migrations/0026_lists.sql). A migration that
 * recreates `ar_content` must recreate its triggers, and fill `content_search` again.
 */
export const contentCounts = sqliteTable(
  "content_counts",
  {
    companyId: ofCompany(),
    projectId: text("project_id").notNull(),
    markerStatus: text("marker_status", { enum: MARKER_STATUSES }).notNull(),
    contents: integer("contents").notNull(),
  },
  (table) => [primaryKey({ columns: [table.companyId, table.projectId, table.markerStatus] })],
);

export const compileTasks = sqliteTable(
  "compile_tasks",
  {
    id: text("id").primaryKey(),
    contentId: text("content_id")
      .notNull()
      .references(() => arContent.id, { onDelete: "cascade" }),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id),
    generation: integer("generation").notNull(),
    state: text("state", { enum: ["pending", "processing", "ready", "failed", "superseded"] }).notNull(),
    /** The current or the last executor. */
    executor: text("executor", { enum: ["browser", "node"] }),
    /**
     * SHA-256 of the lease's token, so that a copy of the database is useless. Kept when ready, to recognise a
     * delivery that is repeated because its response was lost.
     */
    leaseHash: text("lease_hash"),
    leaseExpiresAt: integer("lease_expires_at"),
    /** The number of claims by the Node compiler. */
    attempts: integer("attempts").notNull().default(0),
    /** The attempts in which the photo took too long. */
    timeouts: integer("timeouts").notNull().default(0),
    progress: text("progress", { mode: "json" }).$type<ProgressBody>(),
    /** When its queue message is due. If none arrives long after that, the sweep sends another one. */
    nextAttemptAt: integer("next_attempt_at"),
    errorCode: text("error_code").$type<ErrorCode>(),
    errorMessage: text("error_message"),
    createdAt: integer("created_at").notNull(),
    startedAt: integer("started_at"),
    finishedAt: integer("finished_at"),
  },
  (table) => [
    uniqueIndex("compile_tasks_generation").on(table.contentId, table.generation),
    index("compile_tasks_open").on(table.nextAttemptAt).where(sql`state IN ('pending', 'processing')`),
    index("compile_tasks_waiting")
      .on(table.companyId, table.nextAttemptAt)
      .where(sql`state IN ('pending', 'processing')`),
    index("compile_tasks_running").on(table.companyId).where(sql`state = 'processing' AND executor = 'node'`),
    // With the attempts of worker/marker/life.ts.
    index("compile_tasks_spent")
      .on(table.nextAttemptAt)
      .where(sql`state IN ('pending', 'processing') AND attempts >= 6`),
  ],
);

/** Moves of files to another connection: all files of a company, or the video of one content. */
export const storageMigrations = sqliteTable(
  "storage_migrations",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    /** Null: the platform's own bucket. */
    toStorageId: text("to_storage_id").references(() => storageConnections.id, { onDelete: "cascade" }),
    /** Moves only this content's video; null: all files. Not a foreign key: the content may be deleted first. */
    videoOf: text("video_of"),
    state: text("state", { enum: ["running", "paused", "cancelled", "done"] }).notNull(),
    /** The token of the worker that holds the lease; random. */
    lease: text("lease"),
    leaseExpiresAt: integer("lease_expires_at"),
    /** When its queue message is due; the sweep sends another when none came long after. */
    nextMessageAt: integer("next_message_at").notNull(),
    /** Why the platform paused it. */
    errorCode: text("error_code").$type<ErrorCode>(),
    errorMessage: text("error_message"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (table) => [
    uniqueIndex("storage_migrations_one")
      .on(table.companyId)
      .where(sql`state IN ('running', 'paused') AND video_of IS NULL`),
    index("storage_migrations_waiting")
      .on(table.companyId, table.nextMessageAt)
      .where(sql`state IN ('running', 'cancelled') AND finished_at IS NULL`),
    index("storage_migrations_due")
      .on(table.nextMessageAt)
      .where(sql`state IN ('running', 'cancelled') AND finished_at IS NULL`),
    index("storage_migrations_leased").on(table.companyId).where(sql`lease IS NOT NULL`),
    index("storage_migrations_newest").on(table.companyId, table.createdAt, table.id),
    index("storage_migrations_to").on(table.toStorageId).where(sql`to_storage_id IS NOT NULL`),
  ],
);

/** The move of one file. Written before its first byte is copied, so that every orphaned copy has a row. */
export const fileMoves = sqliteTable(
  "file_moves",
  {
    id: text("id").primaryKey(),
    migrationId: text("migration_id")
      .notNull()
      .references(() => storageMigrations.id, { onDelete: "cascade" }),
    contentId: text("content_id").notNull(),
    kind: text("kind", { enum: FILE_KINDS }).notNull(),
    fromStorageId: text("from_storage_id").references(() => storageConnections.id, { onDelete: "cascade" }),
    fromPath: text("from_path").notNull(),
    toPath: text("to_path").notNull(),
    /** `obsolete`: the content no longer names the file, which was replaced or deleted. */
    state: text("state", { enum: MOVE_STATES }).notNull(),
    /** Whether a storage may still hold an orphaned copy: the old one of a moved file, otherwise the new one. */
    hasOrphanedCopy: integer("has_orphaned_copy", { mode: "boolean" }).notNull(),
    /** Null: not processed yet. */
    bytes: integer("bytes"),
    /** The running multipart upload in the new storage. */
    uploadId: text("upload_id"),
    parts: text("parts", { mode: "json" }).$type<readonly CopiedPart[]>().notNull(),
    attempts: integer("attempts").notNull(),
    /** When the next attempt is due. Other files are moved until then. */
    dueAt: integer("due_at").notNull().default(0),
    errorCode: text("error_code").$type<ErrorCode>(),
    errorMessage: text("error_message"),
    createdAt: integer("created_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (table) => [
    uniqueIndex("file_moves_path").on(table.migrationId, table.contentId, table.fromPath),
    index("file_moves_unfinished")
      .on(table.migrationId)
      .where(sql`state = 'copying' OR has_orphaned_copy = 1`),
    index("file_moves_from")
      .on(table.fromStorageId, table.migrationId)
      .where(sql`from_storage_id IS NOT NULL`),
    index("file_moves_finished").on(table.migrationId, table.finishedAt),
    index("file_moves_shown").on(table.migrationId, table.state).where(sql`state IN ('copying', 'failed')`),
  ],
);

/** The number of files of each storage migration by state. Triggers update it (migrations/0031_stored_files.sql). */
export const moveCounts = sqliteTable(
  "move_counts",
  {
    migrationId: text("migration_id")
      .notNull()
      .references(() => storageMigrations.id, { onDelete: "cascade" }),
    state: text("state", { enum: MOVE_STATES }).notNull(),
    files: integer("files").notNull(),
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.migrationId, table.state] })],
);

/**
 * The condition that a copy is not finished, or an orphaned one is still to be deleted. Literal, as SQLite uses a
 * partial index only for its own condition.
 */
export const isUnfinishedMove = sql`(${fileMoves.state} = 'copying' OR ${fileMoves.hasOrphanedCopy} = 1)`;

export interface CopiedPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  /** Checksum of the bytes that were read from the old storage. */
  readonly sha256: string;
  /** Whether the copy was read back, and equals that. */
  readonly isVerified?: boolean;
}

/**
 * Files that no content names: being stored, replaced, or left behind. The row is written before the first byte, or
 * in the transaction that replaces the file, so that a crash leaves no file without a row.
 */
export const orphanedFiles = sqliteTable(
  "orphaned_files",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    /** Not a foreign key: the content may be deleted first. */
    contentId: text("content_id").notNull(),
    storageId: storageId("storage_id"),
    path: text("path").notNull(),
    /** The backend's id of an upload in parts, whose parts have to go too. */
    uploadId: text("upload_id"),
    /** Null: no row had the size. */
    bytes: integer("bytes"),
    /** Whether the request that stores the file may still make its content name it. */
    isReserved: integer("is_reserved", { mode: "boolean" }).notNull(),
    createdAt: integer("created_at").notNull(),
    /** When the sweep deletes the file. */
    dueAt: integer("due_at").notNull(),
  },
  (table) => [
    index("orphaned_files_storage").on(table.storageId, table.dueAt),
    index("orphaned_files_due").on(table.companyId, table.dueAt),
    index("orphaned_files_content").on(table.contentId),
  ],
);

/**
 * The files of a company in each storage: those of its content, and those that are deleted and wait for the sweep.
 * Triggers update it (migrations/0033_pictures.sql). A migration that recreates `ar_content` or `orphaned_files` must
 * recreate its triggers too.
 */
export const storedFiles = sqliteTable(
  "stored_files",
  {
    companyId: ofCompany(),
    /** Empty: the platform's own bucket. */
    storageId: text("storage_id").notNull(),
    isDeleted: integer("is_deleted", { mode: "boolean" }).notNull(),
    files: integer("files").notNull(),
    /** As far as rows have them. */
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.companyId, table.storageId, table.isDeleted] })],
);

/** Uploads of videos in parts. A video is not visible before it is complete. */
export const videoUploads = sqliteTable(
  "video_uploads",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    /** Not a foreign key: the content may be deleted first. */
    contentId: text("content_id").notNull(),
    /** The storage of the parts; null: the platform's own bucket. */
    storageId: storageId("storage_id"),
    path: text("path").notNull(),
    /** The backend's id of the upload. */
    uploadId: text("upload_id").notNull(),
    type: text("type", { enum: ["video/mp4", "video/webm"] }).notNull(),
    bytes: integer("bytes").notNull(),
    /** Bytes of every part except the last one. */
    partBytes: integer("part_bytes").notNull(),
    sha256: text("sha256"),
    createdAt: integer("created_at").notNull(),
    /** When the sweep removes the upload and its parts. */
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [
    index("video_uploads_content").on(table.contentId),
    index("video_uploads_expiry").on(table.companyId, table.expiresAt),
    index("video_uploads_storage").on(table.storageId).where(sql`storage_id IS NOT NULL`),
  ],
);

/** Parts that were sent through the Worker. Only the backend knows the parts that were sent to it directly. */
export const videoUploadParts = sqliteTable(
  "video_upload_parts",
  {
    videoUploadId: text("video_upload_id")
      .notNull()
      .references(() => videoUploads.id, { onDelete: "cascade" }),
    number: integer("number").notNull(),
    etag: text("etag").notNull(),
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.videoUploadId, table.number] })],
);

/** A time in milliseconds, as in all tables, which better-auth reads and writes as a Date. */
function moment(column: string) {
  return integer(column, { mode: "timestamp_ms" });
}

/** People. better-auth writes this table and the next four (worker/accounts/auth.ts). */
export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** In lower case. */
  email: text("email").notNull().unique(),
  /** Whether the person has opened a link that was sent to the address. */
  emailVerified: integer("email_verified", { mode: "boolean" }).notNull().default(false),
  image: text("image"),
  createdAt: moment("created_at").notNull(),
  updatedAt: moment("updated_at").notNull(),
});

function ofUser() {
  return text("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" });
}

export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    userId: ofUser(),
    /** The cookie contains it with a signature, so that a copy of the database is useless. */
    token: text("token").notNull().unique(),
    /** The company that the session has selected. */
    activeCompanyId: text("active_company_id").references(() => companies.id, { onDelete: "set null" }),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    expiresAt: moment("expires_at").notNull(),
    createdAt: moment("created_at").notNull(),
    updatedAt: moment("updated_at").notNull(),
  },
  (table) => [index("sessions_user").on(table.userId), index("sessions_expiry").on(table.expiresAt)],
);

/** Credentials of people. Here always a password; passkeys have a table of their own. */
export const accounts = sqliteTable(
  "accounts",
  {
    id: text("id").primaryKey(),
    userId: ofUser(),
    providerId: text("provider_id").notNull(),
    accountId: text("account_id").notNull(),
    /** The hash of the password: see worker/accounts/passwords.ts. */
    password: text("password"),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: moment("access_token_expires_at"),
    refreshTokenExpiresAt: moment("refresh_token_expires_at"),
    scope: text("scope"),
    createdAt: moment("created_at").notNull(),
    updatedAt: moment("updated_at").notNull(),
  },
  (table) => [index("accounts_user").on(table.userId)],
);

/** The public keys of passkeys (WebAuthn). */
export const passkeys = sqliteTable(
  "passkeys",
  {
    id: text("id").primaryKey(),
    userId: ofUser(),
    name: text("name").notNull(),
    /** The device's id of the key pair, in base64url. */
    credentialId: text("credential_id").notNull().unique(),
    /** A COSE key in base64. */
    publicKey: text("public_key").notNull(),
    /** Signatures so far, if the device counts them. A lower count reveals a copied passkey. */
    counter: integer("counter").notNull(),
    deviceType: text("device_type").notNull(),
    backedUp: integer("backed_up", { mode: "boolean" }).notNull(),
    /** The device's transports, separated by commas. */
    transports: text("transports"),
    /** The device's model, if it reveals it. */
    aaguid: text("aaguid"),
    createdAt: moment("created_at").notNull(),
  },
  (table) => [index("passkeys_user").on(table.userId)],
);

/** Links for resetting a password, and challenges for passkeys. */
export const verifications = sqliteTable(
  "verifications",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: moment("expires_at").notNull(),
    createdAt: moment("created_at").notNull(),
    updatedAt: moment("updated_at").notNull(),
  },
  (table) => [
    index("verifications_identifier").on(table.identifier),
    index("verifications_value").on(table.value),
    index("verifications_expiry").on(table.expiresAt),
  ],
);

function ofCompany() {
  return text("company_id")
    .notNull()
    .references(() => companies.id, { onDelete: "cascade" });
}

export const members = sqliteTable(
  "members",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    userId: ofUser(),
    role: text("role").$type<Role>().notNull(),
    createdAt: moment("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("members_once").on(table.companyId, table.userId),
    index("members_user").on(table.userId),
  ],
);

export const invitations = sqliteTable(
  "invitations",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    /**
     * SHA-256 of the tokens of its two links: one was sent to the address, the other was shown to the inviter. Null in
     * invitations from before they had tokens, which cannot be accepted.
     */
    mailTokenHash: text("mail_token_hash").unique(),
    shownTokenHash: text("shown_token_hash").unique(),
    status: text("status").$type<"pending" | "accepted" | "rejected" | "canceled">().notNull(),
    inviterId: text("inviter_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    expiresAt: moment("expires_at").notNull(),
    createdAt: moment("created_at").notNull(),
  },
  (table) => [
    index("invitations_company").on(table.companyId),
    index("invitations_expiry").on(table.expiresAt),
    index("invitations_status").on(table.status),
    index("invitations_inviter").on(table.inviterId),
  ],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    name: text("name").notNull(),
    /** The beginning of the key: enough to recognise it, too little to use it. */
    prefix: text("prefix").notNull(),
    /** SHA-256 of the key, which is long and random, so that a copy of the database is useless. */
    hash: text("hash").notNull().unique(),
    scopes: text("scopes", { mode: "json" }).$type<readonly Scope[]>().notNull(),
    /** Who created it; null if that person was deleted. */
    createdBy: text("created_by").references(() => users.id, { onDelete: "set null" }),
    expiresAt: integer("expires_at"),
    /** Precise to the minute. */
    lastUsedAt: integer("last_used_at"),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [index("api_keys_company").on(table.companyId)],
);

/** Requests with an Idempotency-Key, and their responses. */
export const idempotencyKeys = sqliteTable(
  "idempotency_keys",
  {
    /** SHA-256 of owner, route and key. */
    id: text("id").primaryKey(),
    /** The owner: a person, a person in a company, or an API key, which only the id names. */
    companyId: text("company_id").references(() => companies.id, { onDelete: "cascade" }),
    userId: text("user_id").references(() => users.id, { onDelete: "cascade" }),
    /** The id of the object that the request creates. */
    creationId: text("creation_id").notNull(),
    /** The token of the request that holds the lease; null once there is a response. */
    lease: text("lease"),
    leaseExpiresAt: integer("lease_expires_at"),
    /** Requests that have held the lease; more than one after an interruption. */
    runs: integer("runs").notNull(),
    /** Hash of the request; null until its body has been read. */
    fingerprint: text("fingerprint"),
    /** Encrypted by worker/storage/secrets.ts, and bounded (worker/routes/idempotent.ts). */
    answer: text("answer"),
    expiresAt: integer("expires_at").notNull(),
  },
  (table) => [index("idempotency_keys_expiry").on(table.expiresAt)],
);

/**
 * The rows that a company, or a person without one, has in tables that grow with use, and their bytes where these count.
 * Triggers update them (migrations/0016_count_rows.sql). A migration that recreates one of the tables must recreate its
 * triggers too.
 */
export const usageCounts = sqliteTable(
  "usage_counts",
  {
    ownerId: text("owner_id").notNull(),
    kind: text("kind", { enum: COUNTED }).notNull(),
    rowCount: integer("row_count").notNull(),
    byteCount: integer("byte_count").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.kind] }),
    index("usage_counts_largest").on(table.kind, table.rowCount),
  ],
);

/**
 * The part of an action before the dot, as in the index `audit_log_subject` (migrations/0026_lists.sql), which
 * drizzle-kit cannot describe.
 */
export function subjectOf(action: AnySQLiteColumn): SQL {
  return sql`substr(${action}, 1, instr(${action}, '.') - 1)`;
}

/** Who did what to which object. Names are copies, because the objects may be renamed or deleted. */
export const auditLog = sqliteTable(
  "audit_log",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    createdAt: integer("created_at").notNull(),
    actorKind: text("actor_kind", { enum: ["person", "key", "platform"] }).notNull(),
    actorId: text("actor_id").notNull(),
    actorName: text("actor_name").notNull(),
    /** The network address; empty if unknown. */
    address: text("address").notNull(),
    action: text("action").$type<Action>().notNull(),
    objectId: text("object_id").notNull(),
    objectName: text("object_name").notNull(),
    /** The changes, with the API's field names. Never a secret. */
    detail: text("detail", { mode: "json" }).$type<Readonly<Record<string, unknown>>>(),
  },
  (table) => [
    index("audit_log_newest").on(table.companyId, table.createdAt, table.id),
    index("audit_log_action").on(table.companyId, table.action, table.createdAt, table.id),
    index("audit_log_actor").on(table.companyId, table.actorId, table.createdAt, table.id),
    index("audit_log_object").on(table.companyId, table.objectId, table.createdAt, table.id),
    index("audit_log_age").on(table.createdAt),
  ],
);

/** Webhooks of companies. */
export const webhookEndpoints = sqliteTable(
  "webhook_endpoints",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    url: text("url").notNull(),
    /** The event types that it subscribes to. */
    events: text("events", { mode: "json" }).$type<readonly ContentEvent[]>().notNull(),
    description: text("description").notNull(),
    isEnabled: integer("is_enabled", { mode: "boolean" }).notNull(),
    /** Why the platform disabled it; null when it is enabled, or a person disabled it. */
    disabledReason: text("disabled_reason", { enum: ["failing", "gone"] }),
    /** The signing secret, encrypted by worker/storage/secrets.ts and bound to this row. */
    secret: text("secret").notNull(),
    /** The id of the request that created the secret. */
    secretId: text("secret_id").notNull(),
    /** The previous secret, which also signs for a while after a rotation. */
    previousSecret: text("previous_secret"),
    previousSecretExpiresAt: integer("previous_secret_expires_at"),
    /** Failed attempts since the last success, and the time of the first one. */
    failures: integer("failures").notNull().default(0),
    failingSince: integer("failing_since"),
    lastDeliveredAt: integer("last_delivered_at"),
    /** When the current URL first accepted a test event. Null: unverified, and other events wait. */
    verifiedAt: integer("verified_at"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("webhook_endpoints_company").on(table.companyId),
    index("webhook_endpoints_rotated")
      .on(table.previousSecretExpiresAt)
      .where(sql`previous_secret_expires_at IS NOT NULL`),
    index("webhook_endpoints_secret").on(table.secret),
    index("webhook_endpoints_previous_secret")
      .on(table.previousSecret)
      .where(sql`previous_secret IS NOT NULL`),
  ],
);

/** Events that a webhook subscribes to, with the content as it was; written in the batch of the change. */
export const webhookEvents = sqliteTable(
  "webhook_events",
  {
    /** The `webhook-id` of its requests. */
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    type: text("type").$type<AnyEvent>().notNull(),
    /** Not a foreign key: the content may be deleted first. Null for a test event. */
    contentId: text("content_id"),
    /** The payload's `data`. */
    data: text("data", { mode: "json" }).$type<Readonly<Record<string, unknown>>>().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [
    index("webhook_events_content").on(table.contentId),
    index("webhook_events_age").on(table.createdAt),
    index("webhook_events_oldest").on(table.companyId, table.createdAt, table.id),
  ],
);

/** The delivery of an event to an endpoint. */
export const webhookDeliveries = sqliteTable(
  "webhook_deliveries",
  {
    id: text("id").primaryKey(),
    companyId: ofCompany(),
    endpointId: text("endpoint_id")
      .notNull()
      .references(() => webhookEndpoints.id, { onDelete: "cascade" }),
    eventId: text("event_id")
      .notNull()
      .references(() => webhookEvents.id, { onDelete: "cascade" }),
    state: text("state", { enum: ["pending", "delivered", "failed"] }).notNull(),
    /** Attempts since it was created or last resent. */
    attempts: integer("attempts").notNull(),
    /** The token of the attempt that holds the lease; random. */
    lease: text("lease"),
    leaseExpiresAt: integer("lease_expires_at"),
    /**
     * When its queue message is due; the sweep sends another when none came long after. Null when it is finished, or
     * waits until its webhook is verified.
     */
    nextAttemptAt: integer("next_attempt_at"),
    /** The HTTP status of the last attempt; null without a response. */
    status: integer("status"),
    /** Why it was not delivered. */
    error: text("error"),
    createdAt: integer("created_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (table) => [
    uniqueIndex("webhook_deliveries_once").on(table.eventId, table.endpointId),
    index("webhook_deliveries_newest").on(table.endpointId, table.createdAt, table.id),
    index("webhook_deliveries_state").on(table.endpointId, table.state, table.createdAt, table.id),
    index("webhook_deliveries_oldest").on(table.companyId, table.createdAt, table.id),
    index("webhook_deliveries_waiting")
      .on(table.companyId, table.nextAttemptAt)
      .where(sql`state = 'pending'`),
    index("webhook_deliveries_due")
      .on(table.endpointId, table.nextAttemptAt)
      .where(sql`state = 'pending' AND next_attempt_at IS NOT NULL`),
    index("webhook_deliveries_leased").on(table.companyId).where(sql`lease IS NOT NULL`),
  ],
);

/** The attempts of deliveries. */
export const webhookAttempts = sqliteTable(
  "webhook_attempts",
  {
    id: text("id").primaryKey(),
    deliveryId: text("delivery_id")
      .notNull()
      .references(() => webhookDeliveries.id, { onDelete: "cascade" }),
    /** When it began. */
    createdAt: integer("created_at").notNull(),
    milliseconds: integer("milliseconds").notNull(),
    /** Null without a response. */
    status: integer("status"),
    /** The beginning of the response's body. */
    response: text("response").notNull(),
    error: text("error"),
  },
  (table) => [index("webhook_attempts_delivery").on(table.deliveryId, table.createdAt)],
);

/**
 * Sums over all companies, such as `photos_failed`. Triggers update them (migrations/0032_operations.sql), so that reading
 * them costs the same however many rows there are. A migration that recreates `content_counts`, `compile_tasks` or
 * `webhook_deliveries` must recreate their triggers too. A kind without a row is 0.
 */
export const platformCounts = sqliteTable("platform_counts", {
  kind: text("kind").$type<CountKind>().primaryKey(),
  value: integer("value").notNull(),
});

export type CountKind =
  | `photos_${(typeof MARKER_STATUSES)[number]}`
  | `compilations_${"ready" | "failed"}_${"browser" | "node" | "none"}`
  | "webhooks_pending"
  | `webhooks_${"delivered" | "failed"}`
  | `dead_letters_${(typeof DEAD_LETTER_QUEUES)[number]}`;

/**
 * Compilations and webhook deliveries that failed because their attempts or their queue gave up. Triggers delete a row
 * when its compilation or delivery is retried (migrations/0032_operations.sql).
 */
export const deadLetters = sqliteTable(
  "dead_letters",
  {
    id: text("id").primaryKey(),
    queue: text("queue", { enum: DEAD_LETTER_QUEUES }).notNull(),
    taskId: text("task_id").references(() => compileTasks.id, { onDelete: "cascade" }),
    deliveryId: text("delivery_id").references(() => webhookDeliveries.id, { onDelete: "cascade" }),
    /** The code of the last error; null if no attempt was recorded. */
    code: text("code").$type<ErrorCode>(),
    attempts: integer("attempts").notNull(),
    arrivedAt: integer("arrived_at").notNull(),
  },
  (table) => [
    uniqueIndex("dead_letters_task").on(table.taskId),
    uniqueIndex("dead_letters_delivery").on(table.deliveryId),
    index("dead_letters_oldest").on(table.arrivedAt),
  ],
);

/** The last run of the sweep: one row. */
export const sweepRuns = sqliteTable("sweep_runs", {
  id: text("id", { enum: ["last"] }).primaryKey(),
  startedAt: integer("started_at").notNull(),
  finishedAt: integer("finished_at").notNull(),
  /** When the last run without a failed step finished. */
  succeededAt: integer("succeeded_at").notNull(),
  failedSteps: text("failed_steps", { mode: "json" }).$type<readonly string[]>().notNull(),
});

/** The conditions that operators are alerted of and that hold now (worker/platform/alerts.ts). */
export const alerts = sqliteTable("alerts", {
  name: text("name", { enum: ALERTS }).primaryKey(),
  /** Since when it holds, as far as it was noticed. */
  since: integer("since").notNull(),
  /** When it was last sent. Null: not yet. */
  sentAt: integer("sent_at"),
});

/** Counts of throttled attempts, such as signing in (worker/accounts/throttle.ts). */
export const attempts = sqliteTable(
  "attempts",
  {
    key: text("key").primaryKey(),
    count: integer("count").notNull(),
    resetsAt: integer("resets_at").notNull(),
  },
  (table) => [index("attempts_end").on(table.resetsAt)],
);

/** The development mailbox. */
export const mails = sqliteTable("mails", {
  id: text("id").primaryKey(),
  recipient: text("recipient").notNull(),
  subject: text("subject").notNull(),
  body: text("body").notNull(),
  createdAt: integer("created_at").notNull(),
});

export type CountedTable = (typeof COUNTED)[number];

export type ApiKeyRow = typeof apiKeys.$inferSelect;
export type AuditRow = typeof auditLog.$inferSelect;
export type Company = typeof companies.$inferSelect;
export type Content = typeof arContent.$inferSelect;
export type CompileTaskRow = typeof compileTasks.$inferSelect;
export type ConnectionRow = typeof storageConnections.$inferSelect;
export type StorageMigrationRow = typeof storageMigrations.$inferSelect;
export type FileMoveRow = typeof fileMoves.$inferSelect;
export type InvitationRow = typeof invitations.$inferSelect;
export type MemberRow = typeof members.$inferSelect;
export type OrphanedFileRow = typeof orphanedFiles.$inferSelect;
export type ProjectRow = typeof projects.$inferSelect;
export type VideoUploadRow = typeof videoUploads.$inferSelect;
export type WebhookAttemptRow = typeof webhookAttempts.$inferSelect;
export type WebhookDeliveryRow = typeof webhookDeliveries.$inferSelect;
export type WebhookEndpointRow = typeof webhookEndpoints.$inferSelect;
export type WebhookEventRow = typeof webhookEvents.$inferSelect;
