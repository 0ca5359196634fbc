import { signal } from "@preact/signals";

/**
 * What the page reads, it can ask for again by itself when the API says that it was asked too often. Nothing is
 * asked meanwhile: it would be refused too.
 */

/** When reading goes on, milliseconds of the epoch; null: nothing holds it up. */
export const heldUntil = signal<number | null>(null);

let held: Promise<void> | null = null;

/**
 * The first answer that is not "too often". An answer that does not say when to come again is given as it is.
 *
 * @param ask sends a request that changes nothing
 * @throws the reason of the signal, also while it waits
 */
export async function patiently(ask: () => Promise<Response>, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    if (held) await unlessAborted(held, signal);
    const response = await ask();
    const seconds = secondsToWait(response.status, response.headers.get("Retry-After"));
    if (seconds === null) return response;
    void response.body?.cancel();
    held ??= hold(seconds);
  }
}

/** How long whoever asked too often is to wait; null: the answer says nothing of the kind. */
export function secondsToWait(status: number, retryAfter: string | null): number | null {
  return status === 429 && retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
}

/** Waits until a time, milliseconds of the epoch. Rejects with the reason of the signal. */
export function waitUntil(time: number, signal: AbortSignal): Promise<void> {
  const passed = new Promise<void>((resolve) => setTimeout(resolve, time - Date.now()));
  return unlessAborted(passed, signal);
}

function hold(seconds: number): Promise<void> {
  const milliseconds = seconds * 1_000;
  heldUntil.value = Date.now() + milliseconds;
  return new Promise((resolve) => {
    setTimeout(() => {
      held = null;
      heldUntil.value = null;
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
