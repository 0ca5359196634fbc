import type { Bindings } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";

/** The result of a check. */
export interface Checked {
  readonly ok: boolean;
  readonly milliseconds: number;
  /** The setting that is missing. Other reasons are in the log only. */
  readonly detail?: string;
}

/** Runs checks at the same time, and logs why one fails. */
export async function check(
  checks: Bindings["dependencies"],
  now: () => number,
): Promise<Record<string, Checked>> {
  const checked = Object.entries(checks).map(async ([name, run]) => {
    const started = now();
    try {
      await run();
      return [name, { ok: true, milliseconds: now() - started }] as const;
    } catch (error) {
      logFailure("A dependency does not respond", error, { dependency: name });
      const detail = error instanceof Refusal ? { detail: error.message } : {};
      return [name, { ok: false, milliseconds: now() - started, ...detail }] as const;
    }
  });
  return Object.fromEntries(await Promise.all(checked));
}
