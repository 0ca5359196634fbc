import { COMPILER_VERSION, DEFAULT_MAX_SIZE } from "../../compiler/compile.ts";
import { inspectImage } from "../../compiler/image/inspect.ts";
import { targetSize } from "../../compiler/image/resize.ts";
import { hasAscii, SIGNATURES } from "../../compiler/image/sniff.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { scoreTarget } from "../../compiler/quality.ts";
import { assertTrackable } from "../../compiler/trackable.ts";
import { CompileError, type ImageTarget } from "../../compiler/types.ts";
import type { Bindings } from "../bindings.ts";
import { KINDS } from "../content/file-kinds.ts";
import type { FilePlace } from "../content/files.ts";
import { discardFiles, reserveFiles } from "../content/orphaned-files.ts";
import { mediaUrl, versionedPath } from "../content/paths.ts";
import type { Company, Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import type { Executor, MarkerMetadata } from "../schemas.ts";
import type { StorageProvider } from "../storage/provider.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { findLease, finish } from "./life.ts";

/** Four times the densest marker that was measured: random blocks of 6 px in an image of 1280 × 1280 px. */
export const MAX_MARKER_BYTES = 4_000_000;
export const MAX_THUMBNAIL_BYTES = 500_000;
/** Twice the side of the thumbnails that the compiler makes. */
const MAX_THUMBNAIL_SIDE = 960;

/** The delivery of an executor. */
export interface Delivery {
  readonly marker: Uint8Array<ArrayBuffer>;
  /** JPEG. */
  readonly thumbnail: Uint8Array<ArrayBuffer> | null;
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
  const kinds = delivery.thumbnail ? (["marker", "thumbnail"] as const) : (["marker"] as const);
  const paths = kinds.map((kind) => {
    const { contentType } = KINDS[kind];
    return versionedPath(kind, { storagePath: company.storagePath, uniqueId, version, contentType });
  });
  const reserved = await reserveFiles(db, { companyId: company.id, contentId: content.id, paths, now });
  const ids = reserved.map(({ id }) => id);
  try {
    const [marker, thumbnail] = reserved.map((file, i) => ({
      ...file,
      url: mediaUrl(uniqueId, kinds[i], version),
    }));
    const storage = await storages.open(marker.storageId);
    await put(storage, "marker", marker, delivery.marker);
    if (delivery.thumbnail) await put(storage, "thumbnail", thumbnail, delivery.thumbnail);
    const files = {
      marker,
      thumbnail: delivery.thumbnail ? { ...thumbnail, bytes: delivery.thumbnail.length } : null,
      metadata,
    };
    if (!(await finish(db, lease, files, { quotas: services.settings.quotas, now }))) {
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

function put(
  storage: StorageProvider,
  kind: "marker" | "thumbnail",
  { path }: FilePlace,
  bytes: Uint8Array<ArrayBuffer>,
) {
  return storage.upload(path, bytes, { length: bytes.length, contentType: KINDS[kind].contentType });
}

/** Decodes a delivered marker, checks it against its photo, and returns its metadata. */
function validateDelivery(
  content: Pick<Content, "imageWidth" | "imageHeight" | "maxFeatures">,
  { marker, thumbnail, milliseconds, compilerVersion }: Delivery,
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
  if (thumbnail) assertThumbnail(thumbnail);
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

function assertThumbnail(bytes: Uint8Array): void {
  if (bytes.length > MAX_THUMBNAIL_BYTES) {
    throw new Refusal(
      "invalid_thumbnail",
      `The thumbnail has ${bytes.length} bytes; expected at most ${MAX_THUMBNAIL_BYTES}.`,
    );
  }
  const expected = `expected a JPEG of at most ${MAX_THUMBNAIL_SIDE} px on its longer side`;
  if (!hasAscii(bytes, 0, SIGNATURES.jpeg)) {
    throw new Refusal("invalid_thumbnail", `The thumbnail is not a JPEG; ${expected}.`);
  }
  try {
    const { width, height } = inspectImage(bytes);
    if (Math.max(width, height) <= MAX_THUMBNAIL_SIDE) return;
    throw new Refusal("invalid_thumbnail", `The thumbnail has ${width} × ${height} px; ${expected}.`);
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    // The minimum is for photos; the thumbnail of a panorama may be smaller.
    if (error.code !== "image_too_small") throw new Refusal("invalid_thumbnail", error.message);
  }
}
