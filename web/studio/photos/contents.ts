import { computed, signal } from "@preact/signals";
import type { ArContent, ContentPage, MarkerStatus } from "../../../worker/schemas.ts";
import * as api from "../api/client.ts";

const PAGE_SIZE = 24;
/** The API's largest page: further items are refreshed only when they are loaded. */
const REFRESH_LIMIT = 100;

export interface Filter {
  readonly q: string;
  readonly status: MarkerStatus | "";
  /** Id of a project; empty: all that are not archived. */
  readonly project: string;
}

/** A part of what the server has, newest first, under the filter that it was asked with. */
export interface Contents {
  readonly filter: Filter;
  readonly items: readonly ArContent[];
  readonly total: number;
  readonly nextCursor: string | null;
}

const list = signal<Contents | null>(null);
const filter = signal<Filter>({ q: "", status: "", project: "" });
/** Why the newest refresh failed; the items before it stay. */
const error = signal<Error | null>(null);
const loadingMore = signal(false);

/** Null until the first answer. */
const items = computed(() => list.value?.items ?? null);
const total = computed(() => list.value?.total ?? 0);
/** What is shown was asked under an earlier filter. */
const isStale = computed(() => list.value !== null && list.value.filter !== filter.value);
const hasMore = computed(() => list.value !== null && list.value.nextCursor !== null);

export const contents = {
  items,
  total,
  isStale,
  hasMore,
  filter,
  error,
  loadingMore,
  setFilter,
  refresh,
  loadMore,
  put,
  remove,
};

function setFilter(change: Partial<Filter>): void {
  const wanted = { ...filter.value, ...change };
  const { q, status, project } = filter.value;
  // The same filter is no other list.
  if (wanted.q !== q || wanted.status !== status || wanted.project !== project) filter.value = wanted;
}

/** Reads the newest items again. Answers whether any of them is on its way. */
async function refresh(signal: AbortSignal): Promise<boolean> {
  const asked = filter.value;
  const known = list.value?.filter === asked ? list.value.items.length : 0;
  try {
    const limit = Math.min(REFRESH_LIMIT, Math.max(PAGE_SIZE, known));
    const page = await api.listContents({ ...query(asked), limit }, signal);
    if (asked !== filter.value) return true;
    list.value = refreshed(list.value?.filter === asked ? list.value : null, asked, page);
    error.value = null;
    return page.items.some(isMoving);
  } catch (reason) {
    if (!signal.aborted) error.value = reason instanceof Error ? reason : new Error(String(reason));
    throw reason;
  }
}

async function loadMore(): Promise<void> {
  const asked = filter.value;
  const cursor = list.value?.nextCursor;
  if (!cursor || loadingMore.value) return;
  loadingMore.value = true;
  try {
    const page = await api.listContents({ ...query(asked), cursor, limit: PAGE_SIZE });
    if (list.value?.filter === asked) list.value = extended(list.value, page);
  } finally {
    loadingMore.value = false;
  }
}

/** Shows what a call of our own just answered, without waiting for the next refresh. */
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

function query({ q, status, project }: Filter): api.ContentQuery {
  return { q: q.trim() || undefined, status: status || undefined, project_id: project || undefined };
}

function matches(content: ArContent, { q, status, project }: Filter): boolean {
  return (
    (status === "" || status === content.marker_status) &&
    (project === "" || project === content.project_id) &&
    content.title.toLowerCase().includes(q.trim().toLowerCase())
  );
}

export function isMoving({ marker_status }: ArContent): boolean {
  return marker_status === "pending" || marker_status === "processing";
}

/** The newest page laid over what was loaded before; older items beyond its reach stay. */
export function refreshed(before: Contents | null, filter: Filter, page: ContentPage): Contents {
  const replaced = { filter, items: page.items, total: page.total, nextCursor: page.next_cursor };
  const oldest = page.items.at(-1);
  if (!before || !oldest || page.next_cursor === null || before.items.length <= page.items.length) {
    return replaced;
  }
  const fresh = new Set(page.items.map(({ id }) => id));
  const older = before.items.filter(({ id, created_at }) => !fresh.has(id) && created_at < oldest.created_at);
  if (older.length === 0) return replaced;
  return { ...replaced, items: [...page.items, ...older], nextCursor: before.nextCursor };
}

/** The next page behind what is loaded; an item that moved between the two calls appears once. */
export function extended(before: Contents, page: ContentPage): Contents {
  const known = new Set(before.items.map(({ id }) => id));
  const items = [...before.items, ...page.items.filter(({ id }) => !known.has(id))];
  return { ...before, items, total: page.total, nextCursor: page.next_cursor };
}
