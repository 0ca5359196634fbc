import { computed, signal } from "@preact/signals";
import type { ArContent } from "../../../client/client.ts";
import * as api from "../api/content.ts";
import { type ContentList, extended, isMoving, refreshed } from "./content-list.ts";
import { ALL_PHOTOS, addressOf, type Filter, filterOf, isFiltered, queryOf } from "./filter.ts";

const PAGE_SIZE = 24;
/** The largest page of the API. Items beyond it are not refreshed. */
const REFRESH_LIMIT = 100;

const list = signal<ContentList | null>(null);
const filter = signal<Filter>(location.pathname === "/" ? filterOf(location.search) : ALL_PHOTOS);
/** Why the newest refresh failed. The earlier items stay. */
const error = signal<Error | null>(null);
const loadingMore = signal(false);
/** The photos that are about to be deleted. */
const hidden = signal<ReadonlySet<string>>(new Set());

/** Null until the first answer. */
const items = computed(() => list.value?.items.filter(({ id }) => !hidden.value.has(id)) ?? null);
const total = computed(() => {
  const { items = [], total = 0 } = list.value ?? {};
  return total - items.filter(({ id }) => hidden.value.has(id)).length;
});
const isTotalExact = computed(() => list.value?.isTotalExact ?? true);
/** The items that are shown belong to an earlier filter. */
const isStale = computed(() => list.value !== null && list.value.filter !== filter.value);
const hasMore = computed(() => list.value !== null && list.value.nextCursor !== null);

export const contents = {
  items,
  total,
  isTotalExact,
  isStale,
  hasMore,
  filter,
  error,
  loadingMore,
  setFilter,
  refresh,
  loadMore,
  all,
  put,
  remove,
  hide,
  unhide,
};

function setFilter(change: Partial<Filter>): void {
  const wanted = { ...filter.value, ...change };
  // Setting an equal filter does not reload the list.
  if (addressOf(wanted) !== addressOf(filter.value)) filter.value = wanted;
}

/** Loads the newest items again. Returns whether any of them is pending or compiling. */
async function refresh(signal: AbortSignal): Promise<boolean> {
  const asked = filter.value;
  const known = list.value?.filter === asked ? list.value.items.length : 0;
  try {
    const limit = Math.min(REFRESH_LIMIT, Math.max(PAGE_SIZE, known));
    const page = await api.listContents({ ...queryOf(asked), limit }, signal);
    if (asked !== filter.value) return true;
    list.value = refreshed(list.value?.filter === asked ? list.value : null, asked, page);
    error.value = null;
    return page.items.some(isMoving);
  } catch (reason) {
    if (!signal.aborted) error.value = reason instanceof Error ? reason : new Error(String(reason));
    throw reason;
  }
}

/** Loads the next page. Pages of a search may be empty: goes on to the next one that is not. */
async function loadMore(): Promise<void> {
  const asked = filter.value;
  if (loadingMore.value) return;
  loadingMore.value = true;
  try {
    for (;;) {
      const cursor = list.value?.nextCursor;
      if (!cursor || list.value?.filter !== asked) return;
      const page = await api.listContents({ ...queryOf(asked), cursor, limit: PAGE_SIZE });
      if (list.value?.filter !== asked) return;
      list.value = extended(list.value, page);
      if (page.items.length > 0) return;
    }
  } finally {
    loadingMore.value = false;
  }
}

/** Yields all photos of the filter, page by page. */
async function* all(signal: AbortSignal): AsyncGenerator<readonly ArContent[]> {
  const asked = queryOf(filter.value);
  let cursor: string | undefined;
  do {
    const page = await api.listContents({ ...asked, cursor, limit: REFRESH_LIMIT }, signal);
    yield page.items.filter(({ id }) => !hidden.value.has(id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** Shows a content that was just changed, without waiting for the next refresh. */
function put(content: ArContent): void {
  if (!list.value) return;
  const known = list.value.items.some(({ id }) => id === content.id);
  const { items, total } = list.value;
  if (known) {
    list.value = { ...list.value, items: items.map((item) => (item.id === content.id ? content : item)) };
  } else if (matches(content, filter.value)) {
    list.value = { ...list.value, items: [content, ...items], total: total + 1 };
  }
}

function remove(id: string): void {
  if (!list.value?.items.some((item) => item.id === id)) return;
  const { items, total } = list.value;
  list.value = { ...list.value, items: items.filter((item) => item.id !== id), total: total - 1 };
}

function hide(ids: Iterable<string>): void {
  hidden.value = new Set([...hidden.value, ...ids]);
}

function unhide(ids: Iterable<string>): void {
  const shown = new Set(ids);
  hidden.value = new Set([...hidden.value].filter((id) => !shown.has(id)));
}

/** Returns whether a new content belongs to the list, as far as this can be told here: it comes first. */
function matches(content: ArContent, wanted: Filter): boolean {
  const { project, status, sort } = wanted;
  if (sort !== "newest" || (project !== "" && project !== content.project_id)) return false;
  return !isFiltered({ ...wanted, status: "" }) && (status === "" || status === content.marker_status);
}
