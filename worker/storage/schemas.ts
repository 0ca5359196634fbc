import { z } from "@hono/zod-openapi";
import { FILE_KINDS } from "../content/file-kinds.ts";
import { nameText } from "../http/fields.ts";
import { PROVIDERS, s3Settings, yandexDiskSettings } from "./settings.ts";
import { CONNECTION_STEPS } from "./test-connection.ts";

/** The wire of storage connections; see schemas.ts. */

const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** How requests and answers name the platform's own bucket, which is a connection without a row. */
export const PLATFORM = "platform";

const connectionId = z
  .string()
  .max(64)
  .openapi({
    description: `A connection's id, or "${PLATFORM}" for the platform's own bucket.`,
    example: "2b1f3a52-6a0c-4b53-9f0e-0d6c1f2b7a11",
  });

export const connectionName = nameText(100);

const usage = z
  .object({
    /** What lies in the company's folder: leftovers that no row names count too. */
    objects: z.number().int(),
    bytes: z.number().int(),
    /** Of the storage as a whole, where its backend says so. */
    quota: orNull(z.object({ used_bytes: z.number(), total_bytes: z.number().nullable() })),
    measured_at: z.iso.datetime(),
    age_seconds: z.number(),
  })
  .openapi("StorageUsage");
export type StorageUsage = z.infer<typeof usage>;

const heldFiles = z
  .object({
    count: z.number().int(),
    /** Of originals, markers and videos; the sizes of thumbnails are not noted. */
    bytes: z.number().int(),
  })
  .openapi("HeldFiles");

export const connection = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.enum(["r2", ...PROVIDERS]),
    /** The platform's own bucket: always there, and nothing about it can be changed. */
    built_in: z.boolean(),
    /** New files go here. */
    is_current: z.boolean(),
    /** Null when they cannot be decrypted; `settings_error` says why. */
    settings: orNull(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
    settings_error: z.string().nullable(),
    /** Names of the secret settings that are set. Their values never leave the API. */
    secrets: z.array(z.string()),
    /** Files of this company that are here, by its content. */
    files: heldFiles,
    /** Companies whose new files go here. */
    companies: z.array(z.object({ id: z.string(), name: z.string() })),
    /** What was measured last; see `GET …/usage`. */
    usage: orNull(usage),
    last_test_at: z.iso.datetime().nullable(),
    /** What the last test failed with; null when it passed. */
    last_test_error: z.string().nullable(),
    created_at: z.iso.datetime().nullable(),
    updated_at: z.iso.datetime().nullable(),
  })
  .openapi("StorageConnection");
export type StorageConnection = z.infer<typeof connection>;

export const connectionList = z.object({ items: z.array(connection) }).openapi("StorageConnectionList");

export const newConnection = z
  .discriminatedUnion("provider", [
    z.strictObject({ provider: z.literal("s3"), name: connectionName, settings: s3Settings }),
    z.strictObject({
      provider: z.literal("yandex_disk"),
      name: connectionName,
      settings: yandexDiskSettings,
    }),
  ])
  .openapi("NewStorageConnection");

/** Settings that are left out stay as they are, secrets too. */
export const connectionChange = z
  .strictObject({
    name: connectionName.optional(),
    settings: z
      .record(z.string(), z.unknown())
      .optional()
      .openapi({
        description: "Some of the provider's settings.",
        example: { secret_access_key: "…" },
      }),
  })
  .openapi("StorageConnectionChange");
export type StorageConnectionChange = z.infer<typeof connectionChange>;

export const connectionTrial = z
  .strictObject({
    provider: z.enum(PROVIDERS),
    settings: z.record(z.string(), z.unknown()),
    connection_id: z.string().max(64).optional().openapi({
      description: "A saved connection, whose settings serve where these are silent: its secrets too.",
    }),
  })
  .openapi("StorageConnectionTrial");

export const connectionReport = z
  .object({
    ok: z.boolean(),
    /** In order; what could not be tried because of a failure before it is left out. */
    steps: z.array(
      z.object({
        step: z.enum(CONNECTION_STEPS),
        ok: z.boolean(),
        milliseconds: z.number(),
        error: z
          .object({ code: z.string(), message: z.string(), field: z.string().optional() })
          .optional()
          .openapi({
            description:
              "`code`: not_found, denied, quota_exceeded, unavailable, conflict, invalid_config, mismatch (the " +
              "storage answered with something else) or internal_error. `field`: the setting that is wrong.",
          }),
      }),
    ),
  })
  .openapi("StorageConnectionReport");
export type StorageConnectionReport = z.infer<typeof connectionReport>;

export const connectionUsage = z.object({ files: heldFiles, usage }).openapi("StorageConnectionUsage");
export type StorageConnectionUsage = z.infer<typeof connectionUsage>;

export const currentStorage = z.strictObject({ connection_id: connectionId }).openapi("CurrentStorage");

export const presetList = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        provider: z.enum(PROVIDERS),
        /** What a form begins with; angle brackets stand for what the person knows. */
        settings: z.record(z.string(), z.string()),
      }),
    ),
  })
  .openapi("StoragePresetList");

const movedFile = z.object({
  content_id: z.string(),
  kind: z.enum(FILE_KINDS),
  /** Null: not looked at yet. */
  bytes: z.number().int().nullable(),
});

const storageMigrationState = z.enum(["running", "paused", "cancelled", "done"]).openapi("MigrationState");

export const storageMigration = z
  .object({
    id: z.string(),
    /** The connection that the files are moved to. */
    to: z.string(),
    /** A migration may end `done` with files that failed; a new one tries them again. */
    state: storageMigrationState,
    files: z.object({
      done: z.number().int(),
      failed: z.number().int(),
      left: z.number().int(),
      total: z.number().int(),
    }),
    /** Sizes of thumbnails are known only once they are moved. */
    bytes: z.object({ done: z.number().int(), left: z.number().int() }),
    /** The file that is on its way. */
    current: orNull(movedFile),
    /** The first hundred files that were given up, and why. */
    failures: z.array(movedFile.extend({ error_code: z.string(), error_message: z.string() })),
    /** Why it paused by itself, or what the file on its way met last. */
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
  })
  .openapi("StorageMigration");
export type StorageMigration = z.infer<typeof storageMigration>;

export const storageMigrationList = z
  .object({ items: z.array(storageMigration) })
  .openapi("StorageMigrationList");

export const newStorageMigration = z.strictObject({ to: connectionId }).openapi("NewStorageMigration");
