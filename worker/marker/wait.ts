import type { Bindings } from "../bindings.ts";
import type { ContentStore, ContentWithTask } from "../content/store.ts";

/** The longest wait of a request: proxies close silent connections after about a minute. */
export const MAX_WAIT_SECONDS = 30;

/** Milliseconds between polls. The last pause repeats, which makes twelve polls in the longest wait. */
const PAUSES = [500, 1000, 2000, 3000] as const;

/**
 * Waits until a marker is ready or failed, or the time is up.
 *
 * @returns the last state; undefined when the content was deleted
 */
export async function waitForMarker(
  { now, sleep }: Pick<Bindings, "now" | "sleep">,
  store: ContentStore,
  found: ContentWithTask,
  seconds: number,
): Promise<ContentWithTask | undefined> {
  const until = now() + seconds * 1000;
  let current: ContentWithTask | undefined = found;
  for (let polls = 0; current && isOpen(current); polls++) {
    const left = until - now();
    if (left <= 0) break;
    await sleep(Math.min(PAUSES[Math.min(polls, PAUSES.length - 1)], left));
    current = await store.get(found.content.id);
  }
  return current;
}

function isOpen({ content }: ContentWithTask): boolean {
  return content.markerStatus === "pending" || content.markerStatus === "processing";
}
