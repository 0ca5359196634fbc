/// <reference path="../node-async-hooks.d.ts" />
import { AsyncLocalStorage } from "node:async_hooks";

/** Time that a request to the API may lose to one host that does not respond, all attempts together. */
export const REQUEST_PATIENCE_SECONDS = 20;

/** The same for a queue message, and for a sweep. */
const JOB_PATIENCE_SECONDS = 120;

/**
 * The time that the work of a request or job may still lose to hosts that do not respond; each host has its own. Only
 * silence that ended an attempt, and pauses before the next one, use it up: a host that is slow but responds does not.
 */
export class Patience {
  readonly seconds: number;
  readonly #lost = new Map<string, number>();

  constructor(seconds: number = JOB_PATIENCE_SECONDS) {
    this.seconds = seconds;
  }

  /** Returns the seconds that are left for a host. */
  left(host: string): number {
    return Math.max(0, this.seconds - (this.#lost.get(host) ?? 0));
  }

  /** Notes that seconds were lost to a host. */
  lose(host: string, seconds: number): void {
    this.#lost.set(host, (this.#lost.get(host) ?? 0) + seconds);
  }
}

const current = new AsyncLocalStorage<Patience>();

/** Runs `work`, all of whose requests to storages share `patience`. */
export function withPatience<T>(patience: Patience, work: () => T): T {
  return current.run(patience, work);
}

/** Returns what the running work shares; outside of `withPatience`, every request has a job's. */
export function currentPatience(): Patience {
  return current.getStore() ?? new Patience();
}
