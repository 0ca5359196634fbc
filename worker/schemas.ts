import { z } from "@hono/zod-openapi";
import { SCORED_PLAYERS } from "../compiler/quality/model.ts";
import { decimal, descriptionText, nameText, optionalText, orNull, titleText } from "./http/fields.ts";
import { problem } from "./http/problem.ts";

export const markerStatus = z.enum(["pending", "processing", "ready", "failed"]).openapi("MarkerStatus");
export type MarkerStatus = z.infer<typeof markerStatus>;

const executor = z.enum(["browser", "node"]).openapi("Executor");
export type Executor = z.infer<typeof executor>;

/** The progress of the running compilation. */
export const progress = z
  .object({
    stage: z.enum(["decode", "resize", "match", "track", "encode"]),
    done: z.number().int().min(0).max(100_000),
    total: z.number().int().min(1).max(100_000),
  })
  .refine(({ done, total }) => done <= total, { path: ["done"], message: 'expected at most "total"' })
  .openapi("Progress");
export type ProgressBody = z.infer<typeof progress>;

/** The quality of a marker, from `scoreTarget` in compiler/quality.ts. */
const quality = z
  .object({
    /** Whose success is predicted: our player's; MindAR's only for a marker that the sweep has not scored again yet. */
    player: z.enum(SCORED_PLAYERS),
    /** Predicted share of a camera's views in which the player finds the photo, in percent. */
    score: z.number().int().min(0).max(100),
    /** 0 to 5 in steps of 0.5. */
    stars: z.number().min(0).max(5),
    parts: z
      .array(
        z.object({
          name: z.enum(["detail", "spread", "distinctness", "contrast", "sharpness"]),
          score: z.number().int().min(0).max(100),
        }),
      )
      .readonly(),
    /** Most important first; empty if the photo needs no improvement. */
    reasons: z
      .array(
        z.object({
          code: z.enum([
            "little_detail",
            "repeating_pattern",
            "blurred",
            "too_dark",
            "too_bright",
            "low_contrast",
            "empty_area",
            "small_in_print",
          ]),
          message: z.string(),
          advice: z.string(),
        }),
      )
      .readonly(),
    /** Longer side of the print, mm, at which a phone at arm's length finds the photo in half of all views. */
    print: z.number().int().nullable(),
    /** Trackable detail by area: roughly square cells, row-major, 0 (none) to 100 (plenty). */
    map: z.object({
      columns: z.number().int(),
      rows: z.number().int(),
      cells: z.array(z.number().int().min(0).max(100)).readonly(),
    }),
  })
  .openapi("Quality");

const markerMetadata = z
  .object({
    bytes: z.number().int(),
    width: z.number().int(),
    height: z.number().int(),
    keyframes: z.number().int(),
    /** Feature points over all keyframes. */
    points: z.number().int(),
    tracking_points: z.number().int(),
    /** Null for markers made before scores existed. */
    quality: orNull(quality),
    compiler_version: z.string(),
    /** Compile time that the executor reported; null if it reported none. */
    milliseconds: z.number().nullable(),
    executor,
  })
  .openapi("MarkerMetadata");
export type MarkerMetadata = z.infer<typeof markerMetadata>;

export const lease = z.object({ token: z.string(), expires_at: z.iso.datetime() }).openapi("Lease");
export type Lease = z.infer<typeof lease>;

const videoMetadata = z
  .object({
    /** Size in pixels as players show it, so after the rotation. */
    width: z.number().int(),
    height: z.number().int(),
    /** Degrees clockwise by which players turn the stored frames. */
    rotation: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
    /** Seconds; null: the file does not say. */
    duration: z.number().nullable(),
    codec: z.enum(["h264", "vp8", "vp9", "av1"]),
    has_sound: z.boolean(),
  })
  .openapi("VideoMetadata");
export type VideoMetadata = z.infer<typeof videoMetadata>;

const seconds = z.number().min(0).max(86_400);
const fraction = z.number().min(0).max(1);

const playbackFields = {
  start: seconds.describe("Seconds at which it begins."),
  end: seconds.nullable().describe("Seconds at which it begins again; null: its end."),
  poster: seconds.nullable().describe("Seconds of the frame that is shown before it plays; null: the photo."),
  is_muted: z.boolean().describe("Whether it plays without sound, which viewers cannot turn on."),
  fit: z
    .enum(["cover", "contain"])
    .describe("cover: it fills the photo, and what does not fit is cut off; contain: all of it is shown."),
  x: fraction.describe(
    "Where it lies if it is wider or narrower than the photo: 0 at the left, 1 at the right.",
  ),
  y: fraction.describe("Likewise if it is higher or lower: 0 at the top, 1 at the bottom."),
};

/** The shortest part of a video that can be repeated. */
export const MIN_PART_SECONDS = 0.1;

/** How viewers play a video. */
const videoPlayback = z.object(playbackFields).openapi("VideoPlayback");
export type VideoPlayback = z.infer<typeof videoPlayback>;

export const videoPlaybackRequest = z
  .strictObject({
    start: playbackFields.start.default(0),
    end: playbackFields.end.default(null),
    poster: playbackFields.poster.default(null),
    is_muted: playbackFields.is_muted.default(false),
    fit: playbackFields.fit.default("cover"),
    x: playbackFields.x.default(0.5),
    y: playbackFields.y.default(0.5),
  })
  // Rounded: 0.6 - 0.5 is less than 0.1.
  .refine(({ start, end }) => end === null || Math.round(1_000 * (end - start)) >= 1_000 * MIN_PART_SECONDS, {
    path: ["end"],
    message: `expected at least ${MIN_PART_SECONDS} more than "start"`,
  })
  .openapi("VideoPlaybackRequest");

export const arContent = z
  .object({
    id: z.string(),
    project_id: z.string(),
    company_id: z.string(),
    unique_id: z.uuid(),
    title: z.string(),
    description: z.string(),
    /** The order and the customer: for the company only, never in what viewers load. */
    order_number: z.string().nullable(),
    customer_name: z.string().nullable(),
    customer_email: z.string().nullable(),
    customer_phone: z.string().nullable(),
    /** The original, for members and API keys of the company only. */
    image_url: z.string(),
    image_sha256: z.string(),
    /** Upright size of the original, pixels. */
    image_width: z.number().int(),
    image_height: z.number().int(),
    image_bytes: z.number().int(),
    /** JPEG of at most 480 px, from the first compilation on. */
    thumbnail_url: z.string().nullable(),
    /** JPEG of at most 1600 px, which viewers get: from the first compilation on. */
    picture_url: z.string().nullable(),
    marker_url: z.string().nullable(),
    marker_status: markerStatus,
    marker_generated_at: z.iso.datetime().nullable(),
    marker_metadata: orNull(markerMetadata),
    max_features: z.number().int().nullable(),
    video_url: z.string().nullable(),
    video_bytes: z.number().int().nullable(),
    video_type: z.string().nullable(),
    /** What the file itself says; null without a video, and for videos from before it was read. */
    video_metadata: orNull(videoMetadata),
    /** Null: as a whole, with sound, covering the photo. */
    video_playback: orNull(videoPlayback),
    is_active: z.boolean(),
    /** When viewers stop showing the photo; null: never. */
    expires_at: z.iso.datetime().nullable(),
    viewer_url: z.string(),
    qr_url: z.string(),
    /** The newest compilation, which explains `marker_status`. */
    task_id: z.string().nullable(),
    executor: orNull(executor),
    progress: orNull(progress),
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi("ArContent");
export type ArContent = z.infer<typeof arContent>;

/** The response of `POST /api/ar-content`. `lease` is set if the client has to compile the photo itself. */
export const submission = z
  .object({
    content: arContent,
    task_id: z.string(),
    lease: orNull(lease),
    /** True when an existing marker of the same image and options was reused. */
    reused: z.boolean(),
  })
  .openapi("Submission");
export type Submission = z.infer<typeof submission>;

/** The result of one photo of a batch. */
const batchItem = z
  .object({
    /** Its position in the batch, from 0. */
    index: z.number().int(),
    /** The file name or URL. */
    name: z.string(),
    /** The status of the same request for this photo alone: 201, or the error's. */
    status: z.number().int(),
    content_id: z.string().nullable(),
    task_id: z.string().nullable(),
    reused: z.boolean(),
    error: z.lazy(() => orNull(problem)),
  })
  .openapi("BatchItem");
export type BatchItem = z.infer<typeof batchItem>;

export const batchResult = z
  .object({ items: z.array(batchItem), submitted: z.number().int(), refused: z.number().int() })
  .openapi("BatchResult");
export type BatchResult = z.infer<typeof batchResult>;

/** The most photos in one bulk request. */
export const MAX_BULK = 200;

const bulkIds = z
  .array(z.string().max(64))
  .min(1)
  .max(MAX_BULK)
  .refine((ids) => new Set(ids).size === ids.length, "expected each ID once");

/** One action on many photos. */
export const bulkRequest = z
  .discriminatedUnion("action", [
    z.strictObject({ action: z.literal("pause"), ids: bulkIds }),
    z.strictObject({ action: z.literal("resume"), ids: bulkIds }),
    z.strictObject({ action: z.literal("move"), ids: bulkIds, project_id: z.string().max(64) }),
    z.strictObject({
      action: z.literal("set_expiry"),
      ids: bulkIds,
      expires_at: z.iso.datetime().nullable().describe("Null: never."),
    }),
    z.strictObject({ action: z.literal("recompile"), ids: bulkIds }),
    z.strictObject({
      action: z.literal("delete"),
      ids: bulkIds,
      keep_files: z
        .boolean()
        .optional()
        .describe("Whether their files stay in the storage for 24 hours. Default: true."),
    }),
  ])
  .openapi("BulkRequest");
export type BulkRequest = z.infer<typeof bulkRequest>;

/** The result of one photo of a bulk request. */
const bulkItem = z
  .object({
    id: z.string(),
    /** The status of the same request for this photo alone: 200, 204 for a deletion, or the error's. */
    status: z.number().int(),
    /** The new compilation; null for other actions. */
    task_id: z.string().nullable(),
    error: z.lazy(() => orNull(problem)),
  })
  .openapi("BulkItem");
export type BulkItem = z.infer<typeof bulkItem>;

export const bulkResult = z
  .object({ items: z.array(bulkItem), done: z.number().int(), refused: z.number().int() })
  .openapi("BulkResult");
export type BulkResult = z.infer<typeof bulkResult>;

export const contentPage = z
  .object({
    items: z.array(arContent),
    next_cursor: z.string().nullable(),
    /** Photos on all pages; of a search with many candidates, those among the newest. */
    total: z.number().int(),
    /** Whether `total` counts all of them. False: there may be more. */
    is_total_exact: z.boolean(),
  })
  .openapi("ArContentPage");
export type ContentPage = z.infer<typeof contentPage>;

/** `superseded`: a newer task replaced this one. */
const taskState = z.enum(["pending", "processing", "ready", "failed", "superseded"]).openapi("TaskState");

export const compileTask = z
  .object({
    task_id: z.string(),
    content_id: z.string(),
    generation: z.number().int(),
    state: taskState,
    executor: orNull(executor),
    attempts: z.number().int(),
    progress: orNull(progress),
    lease_expires_at: z.iso.datetime().nullable(),
    next_attempt_at: z.iso.datetime().nullable(),
    error_code: z
      .string()
      .nullable()
      .openapi({
        description:
          "Why the compilation or its last attempt failed. Errors in the photo: image_damaged, too_few_features, " +
          "invalid_option and the other errors of an upload. Platform errors: compiler_missing, " +
          "compiler_unreachable, compiler_busy, compiler_error, compile_timeout, compile_crashed, storage_unavailable, image_missing, " +
          "retries_exhausted.",
      }),
    error_message: z.string().nullable(),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
  })
  .openapi("CompileTask");
export type CompileTask = z.infer<typeof compileTask>;

/** The public data of a photo for the viewer. Contains nothing about the company. */
export const viewerManifest = z
  .object({
    unique_id: z.uuid(),
    title: z.string(),
    description: z.string(),
    /** Upright size of the original, pixels: the proportions of both pictures. */
    image_width: z.number().int(),
    image_height: z.number().int(),
    thumbnail_url: z.string().nullable(),
    /** Null until the first compilation. */
    picture_url: z.string().nullable(),
    marker_status: markerStatus,
    marker_url: z.string().nullable(),
    /** Size of the compiled target in pixels, the unit of the player's pose. */
    target_width: z.number().int().nullable(),
    target_height: z.number().int().nullable(),
    video_url: z.string().nullable(),
    video_type: z.string().nullable(),
    /** Null: as a whole, with sound, covering the photo. */
    video_playback: orNull(videoPlayback),
  })
  .openapi("ViewerManifest");
export type ViewerManifest = z.infer<typeof viewerManifest>;

export const taskList = z.object({ items: z.array(compileTask) }).openapi("CompileTaskList");

/** The response of `POST …/marker/lease`. */
export const takenLease = lease.extend({ task_id: z.string() }).openapi("TakenLease");
export type TakenLease = z.infer<typeof takenLease>;

export const health = z
  .object({
    status: z.enum(["ok", "degraded"]),
    dependencies: z.record(
      z.string(),
      z.object({
        ok: z.boolean(),
        milliseconds: z.number(),
        detail: z.string().optional().openapi({ description: "The setting that is missing." }),
      }),
    ),
  })
  .openapi("Health");

/** `server` is the Node compiler, `browser` the client that sends the request. */
export const compileWhere = z.enum(["server", "browser"]).openapi("CompileWhere");
const maxFeatures = z.number().int().min(20).max(5000);

const projectName = nameText(100);
const expiresAfterDays = z.number().int().min(1).max(3650);

export const project = z
  .object({
    id: z.string(),
    name: z.string(),
    company_id: z.string(),
    /** The default of submissions. */
    max_features: z.number().int().nullable(),
    /** Days for which viewers show submitted photos; null: without limit. */
    expires_after_days: z.number().int().nullable(),
    /** Number of photos. */
    contents: z.number().int(),
    /** When it was archived; null: open. */
    archived_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi("Project");
export type Project = z.infer<typeof project>;
export const projectList = z.object({ items: z.array(project) }).openapi("ProjectList");

export const newProject = z
  .strictObject({
    name: projectName,
    max_features: maxFeatures.nullable().default(null),
    expires_after_days: expiresAfterDays.nullable().default(null),
  })
  .openapi("NewProject");

export const projectChange = z
  .strictObject({
    name: projectName.optional(),
    max_features: maxFeatures.nullable().optional(),
    expires_after_days: expiresAfterDays.nullable().optional(),
    archived: z.boolean().optional(),
  })
  .openapi("ProjectChange");

/** The order that a photo belongs to. */
const order = z.object({
  order_number: optionalText(64).describe("Unique in the project. Viewers never get it."),
  customer_name: optionalText(200).describe("Viewers never get it."),
  customer_email: optionalText(254).describe("Viewers never get it. Its form is not checked."),
  customer_phone: optionalText(40).describe("Viewers never get it. Its form is not checked."),
});
export type OrderFields = { readonly [Field in keyof z.infer<typeof order>]?: string | null | undefined };

/** The fields of a new photo, besides the photo itself. */
const photoFields = {
  title: titleText.optional().describe("Default: the name of the file."),
  description: descriptionText.optional(),
  ...order.partial().shape,
  project_id: z.string().max(64).optional().describe("Default: the oldest project that is not archived."),
  compile: compileWhere.optional().describe("Default: server."),
  max_features: maxFeatures
    .optional()
    .describe("Keeps at most this many of the strongest points per keyframe. Default: the project's."),
  expires_at: z.iso
    .datetime()
    .optional()
    .describe("When viewers stop showing the photo. Default: after the project's `expires_after_days`."),
};

/** A photo with its URL, as JSON. */
export const remotePhoto = z
  .strictObject({
    image_url: z.string().max(2048).openapi({
      description:
        "An https URL of a JPEG, PNG or WebP of at most 20 MB. It is downloaded before the response, within 30 s.",
      example: "https://images.example.com/portrait.jpg",
    }),
    ...photoFields,
  })
  .openapi("RemotePhoto");

/** The text fields of a photo's upload form. */
export const photoTexts = z.object({
  ...photoFields,
  max_features: decimal(maxFeatures)
    .optional()
    .describe(photoFields.max_features.description ?? ""),
});

export const contentChange = z
  .strictObject({
    title: titleText.optional(),
    description: descriptionText.optional(),
    order_number: order.shape.order_number.nullable().optional(),
    customer_name: order.shape.customer_name.nullable().optional(),
    customer_email: order.shape.customer_email.nullable().optional(),
    customer_phone: order.shape.customer_phone.nullable().optional(),
    is_active: z.boolean().optional(),
    project_id: z.string().max(64).optional(),
    expires_at: z.iso.datetime().nullable().optional(),
  })
  .openapi("ArContentChange");

/** `max_features`: if absent, keeps the previous value; null keeps every point. */
export const recompileRequest = z
  .strictObject({ compile: compileWhere.default("server"), max_features: maxFeatures.nullable().optional() })
  .openapi("RecompileRequest");

/** Usage and its limit; null: unlimited. */
const used = z.object({ used: z.number().int(), limit: z.number().int().nullable() });

export const companyUsage = z
  .object({
    contents: used,
    /** Bytes of photos, markers and videos. */
    bytes: used,
    /** Files that were deleted or replaced, and are kept for up to 24 hours. They do not count in `bytes`. */
    deleted_files: z.object({ count: z.number().int(), bytes: z.number().int() }),
    /** Compilations requested today (UTC). */
    compilations: used.extend({ resets_at: z.iso.datetime() }),
    /** Records that are kept for a time. The oldest entries, events and deliveries are deleted above their limit. */
    records: z.object({
      /** The Idempotency-Keys of the last 24 hours. */
      idempotency_keys: used,
      /** Bytes of the responses that are kept for them, encrypted. */
      idempotency_bytes: used,
      audit_entries: used,
      webhook_events: used,
      webhook_deliveries: used,
    }),
    /** The last 30 days (UTC), oldest first. */
    days: z.array(z.object({ day: z.iso.date(), compilations: z.number().int() })),
  })
  .openapi("CompanyUsage");
export type CompanyUsage = z.infer<typeof companyUsage>;
