import { type SQL, sql } from "drizzle-orm";

/** Filters of lists of photos. */

export const CONTENT_FILTERS = ["without_video", "weak", "paused", "expiring"] as const;
export type ContentFilter = (typeof CONTENT_FILTERS)[number];

export const EXPIRING_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

/**
 * The filters with a partial index of the newest photos (migrations/0030_sorts.sql), which has this exact text. `weak`:
 * at most two stars, for which the studio shows a warning.
 */
const INDEXED: Readonly<Partial<Record<ContentFilter, SQL>>> = {
  without_video: sql`ar_content.video_path IS NULL`,
  weak: sql`json_extract(ar_content.marker_metadata, '$.quality.stars') <= 2`,
  paused: sql`ar_content.is_active = 0`,
};

export function isIndexed(filter: ContentFilter): boolean {
  return filter in INDEXED;
}

export function filterCondition(filter: ContentFilter, now: number): SQL {
  const until = now + EXPIRING_DAYS * DAY_MS;
  return INDEXED[filter] ?? sql`(ar_content.expires_at > ${now} AND ar_content.expires_at <= ${until})`;
}
