import { ApiError, type BulkItem, type BulkRequest, type BulkResult } from "../../../client/client.ts";
import { MAX_BULK } from "../api/bulk-limit.ts";
import { messageOf, retryTimeOf, Unreachable } from "../api/errors.ts";

/** Runs one action on any number of photos, in requests of at most 200. */

/** After this many retries without an answer, the remaining photos are reported as not changed. */
const RETRIES = 3;

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

export type BulkAction = DistributiveOmit<BulkRequest, "ids">;

export interface BulkDependencies {
  readonly send: (request: BulkRequest, key: string, signal: AbortSignal) => Promise<BulkResult>;
  /** Waits before the nth retry of a request. */
  readonly pause: (retry: number) => Promise<void>;
  /** Waits until a time in milliseconds of the epoch. */
  readonly until: (time: number, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

export interface BulkOutcome {
  readonly done: readonly string[];
  /** Why photos were not changed, by id. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Expected failures are outcomes, not exceptions. Photos after a cancellation are in neither list. */
export async function runBulk(
  action: BulkAction,
  ids: readonly string[],
  deps: BulkDependencies,
): Promise<BulkOutcome> {
  const done: string[] = [];
  const refused = new Map<string, string>();
  for (let from = 0; from < ids.length && !deps.signal.aborted; from += MAX_BULK) {
    const some = ids.slice(from, from + MAX_BULK);
    deps.onProgress(from);
    try {
      for (const { id, error } of await send(action, some, deps)) {
        if (error) refused.set(id, error.detail);
        else done.push(id);
      }
    } catch (error) {
      if (deps.signal.aborted) break;
      for (const id of ids.slice(from)) refused.set(id, messageOf(error));
      break;
    }
  }
  return { done, refused };
}

/** Sends one request, again if it gets no answer or is refused by a rate limit. The key makes this safe. */
async function send(action: BulkAction, ids: readonly string[], deps: BulkDependencies): Promise<BulkItem[]> {
  const key = crypto.randomUUID();
  const request = { ...action, ids: [...ids] } as BulkRequest;
  for (let retry = 1; ; ) {
    try {
      return (await deps.send(request, key, deps.signal)).items;
    } catch (error) {
      const retryAt = error instanceof ApiError ? retryTimeOf(error) : null;
      const isRunning = error instanceof ApiError && error.code === "request_in_progress";
      if (retryAt !== null) await deps.until(retryAt, deps.signal);
      else if ((error instanceof Unreachable || isRunning) && retry <= RETRIES) await deps.pause(retry++);
      else throw error;
    }
  }
}
