/** Milliseconds between polls while something is pending or processing. */
export const BUSY_INTERVAL_MS = 1_500;
/** Otherwise: often enough to show photos that programs submit. */
export const IDLE_INTERVAL_MS = 8_000;
const SLOWEST_INTERVAL_MS = 30_000;

/** Returns the pause before the next poll. Each failure in a row doubles it. */
export function pollInterval(busy: boolean, failures: number): number {
  const base = busy ? BUSY_INTERVAL_MS : IDLE_INTERVAL_MS;
  return Math.min(SLOWEST_INTERVAL_MS, base * 2 ** failures);
}

/**
 * Calls `refresh` now and after each pause. Pauses while the tab is hidden, and calls at once when it is shown or back
 * online.
 *
 * @param refresh returns whether something is pending or processing
 * @returns a function that stops polling and aborts a running refresh
 */
export function poll(refresh: (signal: AbortSignal) => Promise<boolean>): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let failures = 0;

  const tick = async () => {
    clearTimeout(timer);
    if (running || signal.aborted || document.hidden) return;
    running = true;
    let busy = false;
    try {
      busy = await refresh(signal);
      failures = 0;
    } catch {
      failures += 1;
    }
    running = false;
    if (!signal.aborted) timer = setTimeout(tick, pollInterval(busy, failures));
  };

  document.addEventListener("visibilitychange", tick, { signal });
  addEventListener("online", tick, { signal });
  void tick();
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
}
