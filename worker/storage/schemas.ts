import { z } from "@hono/zod-openapi";
import { FILE_KINDS } from "../content/file-kinds.ts";
import { nameText } from "../http/fields.ts";
import { PROVIDERS, s3Settings, yandexDiskSettings } from "./settings.ts";
import { CONNECTION_STEPS } from "./test-connection.ts";

/** Requests and responses of the API's storage routes. */

const orNull = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()]);

/** The API's id of the platform's own bucket, a connection without a row. */
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
    /** Objects in the company's folder, including those that no content refers to. On Yandex Disk: recorded files. */
    objects: z.number().int(),
    bytes: z.number().int(),
    /** Of the whole storage; null when it does not report one. */
    quota: orNull(z.object({ used_bytes: z.number(), total_bytes: z.number().nullable() })),
    measured_at: z.iso.datetime(),
    age_seconds: z.number(),
  })
  .openapi("StorageUsage");
export type StorageUsage = z.infer<typeof usage>;

const heldFiles = z
  .object({
    count: z.number().int(),
    /** Without thumbnails and QR codes whose size the sweep has not recorded yet. */
    bytes: z.number().int(),
  })
  .openapi("HeldFiles");

export const connection = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.enum(["r2", ...PROVIDERS]),
    /** True for the platform's own bucket, which cannot be changed or deleted. */
    built_in: z.boolean(),
    /** New files go here. */
    is_current: z.boolean(),
    /** Null when they cannot be decrypted; see `settings_error`. */
    settings: orNull(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
    settings_error: z.string().nullable(),
    /** Names of the secret settings that are set. No response contains their values. */
    secrets: z.array(z.string()),
    /** Files of the company's content in this storage. */
    files: heldFiles,
    /** Files that were deleted or replaced, and are kept for up to 24 hours. */
    deleted_files: heldFiles,
    /** Companies whose new files go here. */
    companies: z.array(z.object({ id: z.string(), name: z.string() })),
    /** The last measurement; see `GET …/usage`. */
    usage: orNull(usage),
    last_test_at: z.iso.datetime().nullable(),
    /** Why the last test failed; null when it passed. */
    last_test_error: z.string().nullable(),
    /** When its files were given up. It is deleted once nothing names them. */
    given_up_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime().nullable(),
    updated_at: z.iso.datetime().nullable(),
  })
  .openapi("StorageConnection");
export type StorageConnection = z.infer<typeof connection>;

export const connectionLosses = z
  .object({
    photos: z.number().int().openapi({
      description: "Photos whose original is in this storage. They are deleted, with all their files.",
    }),
    markers: z.number().int().openapi({
      description: "Other photos whose marker is in this storage. They have to be compiled again.",
    }),
    videos: z.number().int().openapi({ description: "Videos of other photos." }),
  })
  .openapi("StorageConnectionLosses");

export const givingUp = z
  .strictObject({
    photos: z
      .number()
      .int()
      .min(0)
      .openapi({ description: "The number of photos that will be deleted, as in the losses." }),
  })
  .openapi("StorageConnectionGivingUp");

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

/** Settings that are left out stay the same, secrets included. */
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

export const connectionTrial = z
  .strictObject({
    provider: z.enum(PROVIDERS),
    settings: z.record(z.string(), z.unknown()),
    connection_id: z.string().max(64).optional().openapi({
      description: "A saved connection, whose settings and secrets are used for those that you omit.",
    }),
  })
  .openapi("StorageConnectionTrial");

export const connectionReport = z
  .object({
    ok: z.boolean(),
    /** In order. Steps that an earlier failure made impossible are left out. */
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
              "storage returned different content) or internal_error. `field`: the invalid setting.",
          }),
      }),
    ),
  })
  .openapi("StorageConnectionReport");
export type StorageConnectionReport = z.infer<typeof connectionReport>;

export const trialUpload = z
  .object({
    url: z.string().openapi({ description: "Accepts one PUT within a minute." }),
    bytes: z.number().int().openapi({ description: "The exact size of its body." }),
  })
  .openapi("TrialUpload");
export type TrialUpload = z.infer<typeof trialUpload>;

export const connectionUsage = z
  .object({ files: heldFiles, deleted_files: heldFiles, usage })
  .openapi("StorageConnectionUsage");
export type StorageConnectionUsage = z.infer<typeof connectionUsage>;

export const currentStorage = z.strictObject({ connection_id: connectionId }).openapi("CurrentStorage");

export const presetList = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        provider: z.enum(PROVIDERS),
        /** Initial values of a form; angle brackets mark what the person fills in. */
        settings: z.record(z.string(), z.string()),
      }),
    ),
  })
  .openapi("StoragePresetList");

const movedFile = z.object({
  content_id: z.string(),
  kind: z.enum(FILE_KINDS),
  /** Null until the file is copied. */
  bytes: z.number().int().nullable(),
});

const storageMigrationState = z.enum(["running", "paused", "cancelled", "done"]).openapi("MigrationState");

export const storageMigration = z
  .object({
    id: z.string(),
    /** The connection that the files are moved to. */
    to: z.string(),
    /** It can be `done` although files failed; a new storage migration retries them. */
    state: storageMigrationState,
    files: z.object({
      done: z.number().int(),
      failed: z.number().int(),
      left: z.number().int(),
      total: z.number().int(),
    }),
    /** Without thumbnails and QR codes whose size the sweep has not recorded yet. */
    bytes: z.object({ done: z.number().int(), left: z.number().int() }),
    /** The file that is being copied. */
    current: orNull(movedFile),
    /** The first hundred files that failed, and why. */
    failures: z.array(movedFile.extend({ error_code: z.string(), error_message: z.string() })),
    /** Why it paused by itself, or the last error of the current file. */
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
