import { COMPILER_VERSION, DEFAULT_MAX_SIZE } from "../../compiler/compile.ts";
import { inspectImage } from "../../compiler/image/inspect.ts";
import { targetSize } from "../../compiler/image/resize.ts";
import { hasAscii, SIGNATURES } from "../../compiler/image/sniff.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { scoreTarget } from "../../compiler/quality.ts";
import { assertTrackable } from "../../compiler/trackable.ts";
import { CompileError, type ImageTarget } from "../../compiler/types.ts";
import type { Bindings } from "../bindings.ts";
import { DELIVERED_KINDS, KINDS } from "../content/file-kinds.ts";
import { discardFiles, reserveFiles } from "../content/orphaned-files.ts";
import { mediaUrl, versionedPath } from "../content/paths.ts";
import type { Company, Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { Executor, MarkerMetadata } from "../schemas.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { type FinishedMarker, findLease, finish } from "./life.ts";

/** Four times the densest marker that was measured: random blocks of 6 px in an image of 1280 × 1280 px. */
export const MAX_MARKER_BYTES = 4_000_000;

/** Of the pictures of a photo; the longer sides are twice those that the compiler makes, and exactly those. */
export const PREVIEW_LIMITS = {
  thumbnail: { bytes: 500_000, side: 960 },
  picture: { bytes: 2_000_000, side: 1600 },
} as const;

/** Markers of JPEG segments. Adobe's says how colours are stored. */
const ADOBE = 0xee;
const COMMENT = 0xfe;
const START_OF_SCAN = 0xda;

/** The delivery of an executor. */
export interface Delivery {
  readonly marker: Uint8Array<ArrayBuffer>;
  /** JPEGs. Null: none was sent. */
  readonly thumbnail: Uint8Array<ArrayBuffer> | null;
  readonly picture: Uint8Array<ArrayBuffer> | null;
  /** Duration of the compilation; null if unknown. */
  readonly milliseconds: number | null;
  /** The version of the executor's compiler; null: unknown. */
  readonly compilerVersion: string | null;
}

interface DeliveryRequest {
  readonly company: Company;
  readonly content: Content;
  readonly leaseHash: string;
  readonly delivery: Delivery;
  readonly now: number;
}

/**
 * Validates a marker, stores it and makes it ready. Every executor delivers here.
 *
 * @returns whether the lease held; if not, nothing has changed and no file is left
 * @throws Refusal or CompileError for bytes that are not a marker of this image, before anything changes
 */
export async function deliver(
  services: Pick<Bindings, "db" | "storages" | "webhookQueue" | "settings">,
  { company, content, leaseHash, delivery, now }: DeliveryRequest,
): Promise<boolean> {
  const { db, storages } = services;
  const lease = { contentId: content.id, leaseHash };
  const task = await findLease(db, lease, now);
  if (!task) return false;
  // The same delivery again: the response to the first one was lost.
  if (task.state === "ready") return true;
  const metadata = validateDelivery(content, delivery, task.executor ?? "node");

  const { uniqueId } = content;
  const version = task.generation;
  const kinds = DELIVERED_KINDS.filter((kind) => delivery[kind] !== null);
  const paths = kinds.map((kind) => {
    const { contentType } = KINDS[kind];
    return versionedPath(kind, { storagePath: company.storagePath, uniqueId, version, contentType });
  });
  const reserved = await reserveFiles(db, { companyId: company.id, contentId: content.id, paths, now });
  const ids = reserved.map(({ id }) => id);
  try {
    const storage = await storages.open(reserved[0].storageId);
    for (const [i, kind] of kinds.entries()) {
      const bytes = delivery[kind]!;
      const { contentType } = KINDS[kind];
      await storage.upload(reserved[i].path, bytes, { length: bytes.length, contentType });
    }
    const named = reserved.map((file, i) => {
      const kind = kinds[i];
      return [kind, { ...file, url: mediaUrl(uniqueId, kind, version), bytes: delivery[kind]!.length }];
    });
    const files: FinishedMarker["files"] = Object.fromEntries(named);
    if (!(await finish(db, lease, { files, metadata }, { quotas: services.settings.quotas, now }))) {
      await discardFiles(services, ids, now);
      return false;
    }
    await enqueueDeliveries(services, [content.id]);
    return true;
  } catch (error) {
    await discardFiles(services, ids, now);
    throw error;
  }
}

/** Decodes a delivered marker, checks it against its photo, and returns its metadata. */
function validateDelivery(
  content: Pick<Content, "imageWidth" | "imageHeight" | "maxFeatures">,
  { marker, thumbnail, picture, milliseconds, compilerVersion }: Delivery,
  executor: Executor,
): MarkerMetadata {
  if (marker.length > MAX_MARKER_BYTES) {
    throw new Refusal(
      "marker_too_large",
      `The marker has ${marker.length} bytes; expected at most ${MAX_MARKER_BYTES}.`,
    );
  }
  const targets = decodeMind(marker);
  if (targets.length !== 1) {
    throw new CompileError("invalid_marker", `The marker has ${targets.length} targets; expected one.`);
  }
  const [target] = targets;
  const expected = targetSize(content.imageWidth, content.imageHeight, DEFAULT_MAX_SIZE);
  if (target.width !== expected.width || target.height !== expected.height) {
    throw new Refusal(
      "foreign_marker",
      `The marker is for an image of ${target.width} × ${target.height} px; ` +
        `expected ${expected.width} × ${expected.height} px for this photo.`,
    );
  }
  assertTrackable(target);
  assertWithinMaxFeatures(target, content.maxFeatures);
  if (thumbnail) assertPreview("thumbnail", thumbnail);
  if (picture) assertPreview("picture", picture);
  return {
    bytes: marker.length,
    width: target.width,
    height: target.height,
    keyframes: target.keyframes.length,
    points: target.keyframes.reduce((sum, { maxima, minima }) => sum + maxima.count + minima.count, 0),
    tracking_points: target.tracking.reduce((sum, { points }) => sum + points.length, 0),
    quality: scoreTarget(target),
    compiler_version: compilerVersion ?? COMPILER_VERSION,
    milliseconds,
    executor,
  };
}

function assertWithinMaxFeatures(target: ImageTarget, maxFeatures: number | null): void {
  if (maxFeatures === null) return;
  for (const { width, height, maxima, minima } of target.keyframes) {
    const points = maxima.count + minima.count;
    if (points <= maxFeatures) continue;
    throw new Refusal(
      "foreign_marker",
      `The marker's keyframe of ${width} × ${height} px has ${points} points; ` +
        `expected at most ${maxFeatures} (max_features).`,
    );
  }
}

/** @throws Refusal `invalid_thumbnail`, `invalid_picture` */
export function assertPreview(kind: keyof typeof PREVIEW_LIMITS, bytes: Uint8Array): void {
  const limit = PREVIEW_LIMITS[kind];
  const code = `invalid_${kind}` as const;
  if (bytes.length > limit.bytes) {
    const expected = `expected at most ${limit.bytes}`;
    throw new Refusal(code, `The ${kind} has ${bytes.length} bytes; ${expected}.`);
  }
  const expected = `expected a JPEG of at most ${limit.side} px on its longer side`;
  if (!hasAscii(bytes, 0, SIGNATURES.jpeg)) {
    throw new Refusal(code, `The ${kind} is not a JPEG; ${expected}.`);
  }
  if (hasNotes(bytes)) {
    throw new Refusal(code, `The ${kind} has metadata, such as Exif; ${expected} with pixels only.`);
  }
  try {
    const { width, height } = inspectImage(bytes);
    if (Math.max(width, height) <= limit.side) return;
    throw new Refusal(code, `The ${kind} has ${width} × ${height} px; ${expected}.`);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    // The minimum is for photos; the picture of a panorama may be smaller.
    if (error.code !== "image_too_small") throw new Refusal(code, error.message);
  }
}

/** Returns whether a JPEG says more than its pixels (APP1 to APP15 and comments) before them. Everybody can read it. */
function hasNotes(jpeg: Uint8Array): boolean {
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1];
    if ((marker >= 0xe1 && marker <= 0xef && marker !== ADOBE) || marker === COMMENT) return true;
    if (marker === START_OF_SCAN) return false;
    at += 2 + ((jpeg[at + 2] << 8) | jpeg[at + 3]);
  }
  return false;
}
