import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";

/**
 * How often the API may be called. The platform's counters say yes or no and nothing else: neither how much is
 * left nor when a window ends. So an answer announces the policy (draft-ietf-httpapi-ratelimit-headers), and a
 * refusal the longest time that it can last. Attempts to sign in are counted elsewhere: accounts/throttle.ts.
 */

/** What is counted for itself, and by whom: `public` by network address, the others by key or person. */
export const POLICIES = ["public", "read", "write", "batch"] as const;
export type Policy = (typeof POLICIES)[number];

/** Of every window; the platform's counters know 10 and 60. */
export const WINDOW_SECONDS = 60;

export interface RateLimit {
  /** Requests of one caller in each window. */
  readonly requests: number;
  /** Counts one more; false: it is one too many. */
  count(caller: string): Promise<boolean>;
}

/** A policy that is left out has no limit. */
export type RateLimits = Readonly<Partial<Record<Policy, RateLimit>>>;

/** Reads `public 6000, read 3000`: requests in each window. */
export function parseRates(text: string): Partial<Record<Policy, number>> {
  const rates: Partial<Record<Policy, number>> = {};
  for (const part of text.split(",").map((part) => part.trim())) {
    if (part === "") continue;
    const [, name, requests] = /^(\w+) +(\d{1,9})$/.exec(part) ?? [];
    const policy = POLICIES.find((policy) => policy === name);
    if (!policy) {
      const expected = `a list such as "read 3000, write 1200" of ${POLICIES.join(", ")}`;
      throw new Error(`RATE_LIMITS has ${JSON.stringify(part)}; expected ${expected}.`);
    }
    rates[policy] = Number(requests);
  }
  return rates;
}

/** Refuses what `caller` asks too often. @returns what to announce; null: there is no limit */
export async function countRequest(
  limits: RateLimits,
  policy: Policy,
  caller: string,
): Promise<string | null> {
  const limit = limits[policy];
  if (!limit) return null;
  const announced = `"${policy}";q=${limit.requests};w=${WINDOW_SECONDS}`;
  // A counter that is broken is no reason to close.
  const isAllowed = await limit.count(`${policy}:${caller}`).catch((error) => {
    logFailure("A request was not counted", error, { policy });
    return true;
  });
  if (isAllowed) return announced;
  throw new Refusal(
    "too_many_requests",
    `More than ${limit.requests} requests of the kind "${policy}" in ${WINDOW_SECONDS} seconds; ` +
      `try again in ${WINDOW_SECONDS} seconds.`,
    {
      "Retry-After": String(WINDOW_SECONDS),
      "RateLimit-Policy": announced,
      RateLimit: `"${policy}";r=0;t=${WINDOW_SECONDS}`,
    },
  );
}
