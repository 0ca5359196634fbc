import { signal } from "@preact/signals";
import type { ArContent } from "../../../client/client.ts";
import { toastError } from "../ui/toasts.tsx";
import { contents } from "./contents.ts";
import { idsBetween } from "./ids-between.ts";

/** The photos that an action runs on. They belong to the filter that is shown: another filter clears them. */

/** What actions need of a photo. */
export type SelectedPhoto = Pick<
  ArContent,
  | "id"
  | "unique_id"
  | "title"
  | "order_number"
  | "image_url"
  | "image_width"
  | "image_height"
  | "thumbnail_url"
  | "marker_status"
  | "marker_metadata"
  | "viewer_url"
>;

const photos = signal<ReadonlyMap<string, SelectedPhoto>>(new Map());
/** How many photos of the filter were read while all of them are being selected; null otherwise. */
const loaded = signal<number | null>(null);
let loading = new AbortController();
/** The photo that was selected last, where a range begins. */
let anchor: string | null = null;

export const selection = { photos, loaded, toggle, selectAll, remove, clear };

/** Selects or deselects a photo; with `isRange`, also those between it and the one before. */
function toggle(content: ArContent, isRange: boolean): void {
  const isSelected = !photos.value.has(content.id);
  const items = contents.items.value ?? [];
  const range = new Set(isRange ? idsBetween(items, anchor, content.id) : [content.id]);
  const changed = new Map(photos.value);
  for (const item of items) {
    if (!range.has(item.id)) continue;
    if (isSelected) changed.set(item.id, item);
    else changed.delete(item.id);
  }
  photos.value = changed;
  anchor = content.id;
}

/** Selects all photos of the filter, also those that the page does not show yet. */
async function selectAll(): Promise<void> {
  stopLoading();
  const { signal } = (loading = new AbortController());
  const found = new Map<string, SelectedPhoto>();
  loaded.value = 0;
  try {
    for await (const items of contents.all(signal)) {
      for (const item of items) found.set(item.id, item);
      loaded.value = found.size;
    }
    photos.value = found;
  } catch (error) {
    if (!signal.aborted) toastError(error);
  } finally {
    if (!signal.aborted) loaded.value = null;
  }
}

function remove(ids: Iterable<string>): void {
  const changed = new Map(photos.value);
  for (const id of ids) changed.delete(id);
  photos.value = changed;
}

function clear(): void {
  stopLoading();
  anchor = null;
  if (photos.value.size > 0) photos.value = new Map();
}

function stopLoading(): void {
  loading.abort();
  loaded.value = null;
}

contents.filter.subscribe(clear);
