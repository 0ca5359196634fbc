import { ApiError } from "../../../client/client.ts";
import type { CompileProgress } from "../../../compiler/types.ts";

/** The API needs no more reports than this. */
export const PROGRESS_INTERVAL_MS = 2_000;
/** Sent even without progress, well within a lease of 60 s, so that a waiting photo keeps its lease. */
export const KEEP_ALIVE_MS = 15_000;

/** The content was deleted or leased to another executor. */
const LOST = new Set([404, 409]);

export interface Heartbeat {
  /** Stores the progress, and sends it if the last report is old enough. */
  beat(progress: CompileProgress): void;
  stop(): void;
}

/**
 * Keeps a lease alive by reporting progress. Reports are sent from `beat` as well as from a timer: browsers throttle
 * the timers of a hidden tab, but not the messages of its worker. A report without an answer is ignored. If a report
 * is refused, the lease is lost: `onLost` is called once.
 */
export function startHeartbeat(
  send: (progress: CompileProgress) => Promise<unknown>,
  onLost: (error: ApiError) => void,
): Heartbeat {
  let latest: CompileProgress = { stage: "decode", done: 0, total: 1 };
  let reported: CompileProgress | null = latest;
  let reportedAt = Date.now();
  let inFlight = false;
  let stopped = false;

  const report = async () => {
    const age = Date.now() - reportedAt;
    if (stopped || inFlight || age < (latest === reported ? KEEP_ALIVE_MS : PROGRESS_INTERVAL_MS)) return;
    inFlight = true;
    reported = latest;
    reportedAt = Date.now();
    try {
      await send(latest);
    } catch (error) {
      if (!stopped && error instanceof ApiError && LOST.has(error.status)) {
        stop();
        onLost(error);
      }
    } finally {
      inFlight = false;
    }
  };

  const timer = setInterval(report, PROGRESS_INTERVAL_MS);
  const stop = () => {
    clearInterval(timer);
    stopped = true;
  };
  return {
    beat(progress) {
      latest = progress;
      void report();
    },
    stop,
  };
}
