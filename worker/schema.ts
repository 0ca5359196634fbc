import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { ErrorCode } from "./errors.ts";
import type { MarkerMetadata, ProgressBody } from "./schemas.ts";

/** The tables. Times are milliseconds since 1970; ids are random UUIDs; paths are keys in the storage. */

export const storageConnections = sqliteTable(
  "storage_connections",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references((): AnySQLiteColumn => companies.id, { onDelete: "cascade" }),
    provider: text("provider", { enum: ["r2", "s3", "yandex_disk"] }).notNull(),
    name: text("name").notNull(),
    /** Encrypted at rest; null when the provider needs none. */
    settings: text("settings"),
    lastTestAt: integer("last_test_at"),
    lastTestError: text("last_test_error"),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("storage_connections_company").on(table.companyId)],
);

export const companies = sqliteTable("companies", {
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
  /** Folder of the storage that holds everything of this company, without slashes at its ends. */
  storagePath: text("storage_path").notNull(),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

export const projects = sqliteTable(
  "projects",
  {
    id: text("id").primaryKey(),
    companyId: text("company_id")
      .notNull()
      .references(() => companies.id, { onDelete: "cascade" }),
    name: text("name").notNull(),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [index("projects_company").on(table.companyId)],
);

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
    /** The public name: in links, QR codes and media addresses. */
    uniqueId: text("unique_id").notNull().unique(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    /** Title and description as `searchable` folds them: SQLite's own functions fold ASCII only. */
    searchText: text("search_text").notNull(),

    imagePath: text("image_path").notNull(),
    imageUrl: text("image_url").notNull(),
    imageType: text("image_type").notNull(),
    imageSha256: text("image_sha256").notNull(),
    imageWidth: integer("image_width").notNull(),
    imageHeight: integer("image_height").notNull(),
    imageBytes: integer("image_bytes").notNull(),

    /** Generation of the newest compilation asked for; its task explains `marker_status`. */
    generation: integer("generation").notNull(),
    maxFeatures: integer("max_features"),
    markerStatus: text("marker_status", { enum: ["pending", "processing", "ready", "failed"] }).notNull(),
    /** The marker that is served: while a newer generation compiles, still the one before. */
    markerPath: text("marker_path"),
    markerUrl: text("marker_url"),
    markerGeneratedAt: integer("marker_generated_at"),
    markerMetadata: text("marker_metadata", { mode: "json" }).$type<MarkerMetadata>(),
    thumbnailPath: text("thumbnail_path"),
    thumbnailUrl: text("thumbnail_url"),

    videoPath: text("video_path"),
    videoUrl: text("video_url"),
    videoType: text("video_type", { enum: ["video/mp4", "video/webm"] }),
    videoBytes: integer("video_bytes"),
    /** Counts videos ever attached, so that an address never names two of them. */
    videoVersion: integer("video_version").notNull().default(0),

    isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
    createdAt: integer("created_at").notNull(),
    updatedAt: integer("updated_at").notNull(),
    /** Set: gone for everybody; the row remains until its files are removed. In the future: not there yet. */
    deletedAt: integer("deleted_at"),
  },
  (table) => [
    index("ar_content_newest").on(table.companyId, table.createdAt, table.id),
    index("ar_content_project").on(table.projectId),
    index("ar_content_image").on(table.companyId, table.imageSha256),
    index("ar_content_deleted").on(table.deletedAt).where(sql`deleted_at IS NOT NULL`),
  ],
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
    /** Who has it, or who had it last. */
    executor: text("executor", { enum: ["browser", "node"] }),
    /** SHA-256 of the lease's token: a copy of the database opens nothing. Kept when ready, so that a
     * delivery that is repeated because its answer got lost is recognised. */
    leaseHash: text("lease_hash"),
    leaseExpiresAt: integer("lease_expires_at"),
    /** How often the Node compiler claimed it. */
    attempts: integer("attempts").notNull().default(0),
    progress: text("progress", { mode: "json" }).$type<ProgressBody>(),
    /** When a queue message for this task is due; the sweep sends another when none came long after. */
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
  ],
);

export type Company = typeof companies.$inferSelect;
export type Content = typeof arContent.$inferSelect;
export type CompileTaskRow = typeof compileTasks.$inferSelect;
