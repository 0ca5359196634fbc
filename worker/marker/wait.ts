import type { Bindings } from "../bindings.ts";
import type { ContentStore, ContentWithTask } from "../content/store.ts";

/** Longest that a request waits: proxies give up on silent ones after a minute or so. */
export const MAX_WAIT_SECONDS = 30;

/** Pauses between looks, milliseconds; the last one repeats: twelve looks in the longest wait. */
const PAUSES = [500, 1000, 2000, 3000] as const;

/**
 * Waits until a marker is ready or failed, or the time is over.
 *
 * @returns what was seen last; undefined when the content is gone
 */
export async function waitForMarker(
  { now, sleep }: Pick<Bindings, "now" | "sleep">,
  store: ContentStore,
  found: ContentWithTask,
  seconds: number,
): Promise<ContentWithTask | undefined> {
  const until = now() + seconds * 1000;
  let current: ContentWithTask | undefined = found;
  for (let looks = 0; current && isOpen(current); looks++) {
    const left = until - now();
    if (left <= 0) break;
    await sleep(Math.min(PAUSES[Math.min(looks, PAUSES.length - 1)], left));
    current = await store.get(found.content.id);
  }
  return current;
}

function isOpen({ content }: ContentWithTask): boolean {
  return content.markerStatus === "pending" || content.markerStatus === "processing";
}
