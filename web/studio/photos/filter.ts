import type { MarkerStatus } from "../../../client/client.ts";
import type { ContentQuery } from "../api/content.ts";

/** Which photos the list shows, and in which order. The address of the page contains it. */

export const SORTS = ["newest", "title", "score", "expiry"] as const;
export const SHOWS = ["without_video", "weak", "expiring", "paused"] as const;
export const STATUSES: readonly MarkerStatus[] = ["pending", "processing", "ready", "failed"];

type Sort = (typeof SORTS)[number];
export type Show = (typeof SHOWS)[number];

export interface Filter {
  readonly q: string;
  readonly status: MarkerStatus | "";
  /** The ID of a project; empty: all projects that are not archived. */
  readonly project: string;
  readonly sort: Sort;
  readonly show: readonly Show[];
}

export const ALL_PHOTOS: Filter = { q: "", status: "", project: "", sort: "newest", show: [] };

/** Returns whether the filter may hide photos of its project. */
export function isFiltered({ q, status, show }: Filter): boolean {
  return q.trim() !== "" || status !== "" || show.length > 0;
}

/** Returns the address of the list, such as `/?q=anna&sort=title`. Equal filters have the same one. */
export function addressOf({ q, status, project, sort, show }: Filter): string {
  const parts = {
    q: q.trim(),
    status,
    project,
    sort: sort === "newest" ? "" : sort,
    show: SHOWS.filter((key) => show.includes(key)).join(" "),
  };
  const search = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ""));
  return search.size > 0 ? `/?${search}` : "/";
}

/** Reads a filter from an address. Ignores what is invalid. */
export function filterOf(address: string): Filter {
  const search = new URL(address, "http://studio").searchParams;
  const shown = search.get("show")?.split(" ") ?? [];
  return {
    q: search.get("q") ?? "",
    status: STATUSES.find((status) => status === search.get("status")) ?? "",
    project: search.get("project") ?? "",
    sort: SORTS.find((sort) => sort === search.get("sort")) ?? "newest",
    show: SHOWS.filter((key) => shown.includes(key)),
  };
}

/** Returns the query of the API. */
export function queryOf({ q, status, project, sort, show }: Filter): ContentQuery {
  return {
    q: q.trim() || undefined,
    status: status || undefined,
    project_id: project || undefined,
    sort,
    ...Object.fromEntries(show.map((key) => [key, "true"])),
  };
}
