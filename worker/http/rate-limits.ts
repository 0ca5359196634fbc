import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";

/**
 * Rate limits of the API. The platform's counters only say yes or no: neither how much is left nor when a window
 * ends. So a response has the policy (draft-ietf-httpapi-ratelimit-headers), and a refusal the longest possible
 * wait. accounts/throttle.ts counts sign-in attempts.
 */

/** `public` counts requests by network address, the others by API key or person. */
export const POLICIES = ["public", "read", "write", "batch"] as const;
export type Policy = (typeof POLICIES)[number];

/** The length of a window; the platform's counters support 10 and 60. */
const WINDOW_SECONDS = 60;

interface RateLimit {
  /** Most requests of one caller in a window. */
  readonly requests: number;
  /** Counts a request. Returns false above the limit. */
  count(caller: string): Promise<boolean>;
}

/** A missing policy has no limit. */
export type RateLimits = Readonly<Partial<Record<Policy, RateLimit>>>;

/** Parses `public 6000, read 3000`: requests per window by policy. Throws for anything else. */
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

/**
 * Counts a request of `caller`.
 *
 * @returns the RateLimit-Policy header; null without a limit
 * @throws Refusal `too_many_requests`
 */
export async function countRequest(
  limits: RateLimits,
  policy: Policy,
  caller: string,
): Promise<string | null> {
  const limit = limits[policy];
  if (!limit) return null;
  const policyHeader = `"${policy}";q=${limit.requests};w=${WINDOW_SECONDS}`;
  // A broken counter must not block requests.
  const isAllowed = await limit.count(`${policy}:${caller}`).catch((error) => {
    logFailure("A request could not be counted", error, { policy });
    return true;
  });
  if (isAllowed) return policyHeader;
  throw new Refusal(
    "too_many_requests",
    `Too many requests: the rate limit "${policy}" allows ${limit.requests} in ${WINDOW_SECONDS} s. ` +
      `Try again in ${WINDOW_SECONDS} s.`,
    {
      "Retry-After": String(WINDOW_SECONDS),
      "RateLimit-Policy": policyHeader,
      RateLimit: `"${policy}";r=0;t=${WINDOW_SECONDS}`,
    },
  );
}
