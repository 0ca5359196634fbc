import type { ArContent, ArContentPage } from "../../../client/client.ts";
import type { Filter } from "./filter.ts";

/** Combines pages of content into one list. */

/** The loaded part of the list. */
export interface ContentList {
  /** The filter that it was loaded with. */
  readonly filter: Filter;
  readonly items: readonly ArContent[];
  readonly total: number;
  /** False: there may be more than `total`. */
  readonly isTotalExact: boolean;
  readonly nextCursor: string | null;
}

export function isMoving({ marker_status }: ArContent): boolean {
  return marker_status === "pending" || marker_status === "processing";
}

/**
 * Replaces the first items by a new first page. Later items that were loaded before stay. The page of a search may be
 * empty, and more follow.
 */
export function refreshed(before: ContentList | null, filter: Filter, page: ArContentPage): ContentList {
  const replaced = { filter, items: page.items, ...countOf(page), nextCursor: page.next_cursor };
  if (!before || page.next_cursor === null || before.items.length <= page.items.length) return replaced;
  const oldest = page.items.at(-1);
  if (!oldest) return { ...before, ...countOf(page) };
  const fresh = new Set(page.items.map(({ id }) => id));
  const isLater = ({ created_at }: ArContent, at: number) =>
    filter.sort === "newest" ? created_at < oldest.created_at : at >= page.items.length;
  const older = before.items.filter((item, at) => !fresh.has(item.id) && isLater(item, at));
  if (older.length === 0) return replaced;
  return { ...replaced, items: [...page.items, ...older], nextCursor: before.nextCursor };
}

/** Appends the next page. An item that moved between the two calls appears once. */
export function extended(before: ContentList, page: ArContentPage): ContentList {
  const known = new Set(before.items.map(({ id }) => id));
  const items = [...before.items, ...page.items.filter(({ id }) => !known.has(id))];
  return { ...before, items, ...countOf(page), nextCursor: page.next_cursor };
}

function countOf({ total, is_total_exact }: ArContentPage) {
  return { total, isTotalExact: is_total_exact };
}
