import { signal } from "@preact/signals";

/** Repeats requests that a rate limit refused. Until then, no other request is sent, since it would be refused too. */

/** When requests resume, in milliseconds of the epoch; null without a rate limit. */
export const pausedUntil = signal<number | null>(null);

let pause: Promise<void> | null = null;

/**
 * Sends a request again for as long as a rate limit refuses it. Returns a refusal without Retry-After unchanged.
 *
 * @param ask sends a request that changes nothing
 * @throws the reason of the signal, also while it waits
 */
export async function afterRateLimits(ask: () => Promise<Response>, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    if (pause) await unlessAborted(pause, signal);
    const response = await ask();
    const seconds = secondsToWait(response.status, response.headers.get("Retry-After"));
    if (seconds === null) return response;
    void response.body?.cancel();
    pause ??= pauseFor(seconds);
  }
}

/** Returns how long a rate limit asks to wait; null for other answers. */
export function secondsToWait(status: number, retryAfter: string | null): number | null {
  return status === 429 && retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
}

/** Waits until a time in milliseconds of the epoch. Rejects with the signal's reason. */
export function waitUntil(time: number, signal: AbortSignal): Promise<void> {
  const passed = new Promise<void>((resolve) => setTimeout(resolve, time - Date.now()));
  return unlessAborted(passed, signal);
}

function pauseFor(seconds: number): Promise<void> {
  const milliseconds = seconds * 1_000;
  pausedUntil.value = Date.now() + milliseconds;
  return new Promise((resolve) => {
    setTimeout(() => {
      pause = null;
      pausedUntil.value = null;
      resolve();
    }, milliseconds);
  });
}

function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    void work.then(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
  });
}
