import { MAX_ENTRIES } from "../audit/log.ts";
import { MAX_KEPT_BYTES, MAX_KEYS } from "../db/idempotency.ts";
import type { Company, CompileTaskRow, Content, CountedTable } from "../db/tables.ts";
import { usageOf } from "../db/usage-counts.ts";
import type { ArContent, CompanyUsage, CompileTask, Lease, MarkerMetadata } from "../schemas.ts";
import { MAX_DELIVERIES, MAX_EVENTS } from "../webhooks/deliveries.ts";
import { DAY_MILLISECONDS, dayOf, endOfDay, type Quotas } from "./quotas.ts";

/**
 * Returns content as the API represents it. Media addresses are relative to the API; the viewer's, which is
 * printed, is absolute.
 */

export function contentBody(content: Content, task: CompileTaskRow, origin: string): ArContent {
  return {
    id: content.id,
    project_id: content.projectId,
    company_id: content.companyId,
    unique_id: content.uniqueId,
    title: content.title,
    description: content.description,
    order_number: content.orderNumber,
    customer_name: content.customerName,
    customer_email: content.customerEmail,
    customer_phone: content.customerPhone,
    image_url: content.imageUrl,
    image_sha256: content.imageSha256,
    image_width: content.imageWidth,
    image_height: content.imageHeight,
    image_bytes: content.imageBytes,
    thumbnail_url: content.thumbnailUrl,
    picture_url: content.pictureUrl,
    marker_url: content.markerUrl,
    marker_status: content.markerStatus,
    marker_generated_at: timestamp(content.markerGeneratedAt),
    marker_metadata: metadataBody(content.markerMetadata),
    max_features: content.maxFeatures,
    video_url: content.videoUrl,
    video_bytes: content.videoBytes,
    video_type: content.videoType,
    video_metadata: content.videoMetadata,
    video_playback: content.videoPlayback,
    is_active: content.isActive,
    expires_at: timestamp(content.expiresAt),
    viewer_url: viewerUrl(content.uniqueId, origin),
    qr_url: `/api/ar-content/${content.id}/qr.svg`,
    task_id: task.id,
    executor: task.executor,
    progress: task.progress,
    error_code: task.errorCode,
    error_message: task.errorMessage,
    created_at: new Date(content.createdAt).toISOString(),
    updated_at: new Date(content.updatedAt).toISOString(),
  };
}

/**
 * Adds what the metadata of old markers lacks until they are scored again: the `quality`, or its `player`. In some the
 * quality has no score: their points were not checked.
 */
function metadataBody(metadata: MarkerMetadata | null): MarkerMetadata | null {
  const quality = metadata?.quality ?? null;
  const isScored = quality !== null && Number.isFinite(quality.score);
  return (
    metadata && { ...metadata, quality: isScored ? { ...quality, player: quality.player ?? "mindar" } : null }
  );
}

export function taskBody(task: CompileTaskRow): CompileTask {
  return {
    task_id: task.id,
    content_id: task.contentId,
    generation: task.generation,
    state: task.state,
    executor: task.executor,
    attempts: task.attempts,
    progress: task.progress,
    lease_expires_at: timestamp(task.leaseExpiresAt),
    next_attempt_at: task.state === "pending" ? timestamp(task.nextAttemptAt) : null,
    error_code: task.errorCode,
    error_message: task.errorMessage,
    created_at: new Date(task.createdAt).toISOString(),
    started_at: timestamp(task.startedAt),
    finished_at: timestamp(task.finishedAt),
  };
}

export function leaseBody(lease: { readonly token: string; readonly expiresAt: number }): Lease {
  return { token: lease.token, expires_at: new Date(lease.expiresAt).toISOString() };
}

export function viewerUrl(uniqueId: string, origin: string): string {
  return `${origin}/v/${uniqueId}`;
}

export function timestamp(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

/**
 * Returns what a company uses. `compilationDays` are the days with compilations; the last `days` are shown.
 */
export function usageBody(
  { contentCount, contentBytes }: Company,
  usage: {
    readonly counts: Parameters<typeof usageOf>[0];
    /** The files that are deleted and kept. */
    readonly deleted: { readonly files: number; readonly bytes: number };
    readonly quotas: Quotas;
    readonly compilationDays: readonly { readonly day: string; readonly compilations: number }[];
    readonly days: number;
    readonly now: number;
  },
): CompanyUsage {
  const { quotas, counts, deleted, compilationDays, days, now } = usage;
  const { contents, bytes, compilationsADay } = quotas;
  const compilations = new Map(compilationDays.map((row) => [row.day, row.compilations]));
  const on = (day: string) => ({ day, compilations: compilations.get(day) ?? 0 });
  const limited = (used: number, limit: number) => ({ used, limit: limit === 0 ? null : limit });
  const today = on(dayOf(now));
  const keys = usageOf(counts, "idempotency_keys");
  const limitedRows = (table: CountedTable, max: number) => limited(usageOf(counts, table).rows, max);
  return {
    contents: limited(contentCount, contents),
    bytes: limited(contentBytes, bytes),
    deleted_files: { count: deleted.files, bytes: deleted.bytes },
    compilations: {
      ...limited(today.compilations, compilationsADay),
      resets_at: new Date(endOfDay(now)).toISOString(),
    },
    records: {
      idempotency_keys: limited(keys.rows, MAX_KEYS),
      idempotency_bytes: limited(keys.bytes, MAX_KEPT_BYTES),
      audit_entries: limitedRows("audit_log", MAX_ENTRIES),
      webhook_events: limitedRows("webhook_events", MAX_EVENTS),
      webhook_deliveries: limitedRows("webhook_deliveries", MAX_DELIVERIES),
    },
    days: Array.from({ length: days }, (_, i) => on(dayOf(now - (days - 1 - i) * DAY_MILLISECONDS))),
  };
}
