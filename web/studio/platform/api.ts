import type { Health, Platform, RetriedDeadLetters } from "../../../client/client.ts";
import { vivimark } from "../api/client.ts";
import { Unreachable } from "../api/errors.ts";

/** Calls of the API about the platform. */

export function getPlatform(signal: AbortSignal): Promise<Platform> {
  return vivimark.call("GET /api/platform", { signal });
}

/** Returns the dependencies, also while one of them does not respond: the status is 503 then. */
export async function getHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch("/api/health", { signal });
  const type = response.headers.get("Content-Type");
  if (!type?.startsWith("application/json")) throw new Unreachable();
  return response.json();
}

/** @param ids null: the oldest 100 */
export function retryDeadLetters(ids: readonly string[] | null): Promise<RetriedDeadLetters> {
  return vivimark.call("POST /api/platform/dead-letters/retry", { body: ids ? { ids: [...ids] } : {} });
}
