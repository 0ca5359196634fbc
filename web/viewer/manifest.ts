import type { ViewerManifest } from "../../client/client.ts";

export type ManifestResult =
  | { readonly kind: "found"; readonly manifest: ViewerManifest }
  | { readonly kind: "unknown" }
  /** The rate limit of this network address is exceeded. Retry after `seconds`. */
  | { readonly kind: "limited"; readonly seconds: number }
  | { readonly kind: "unreachable" };

/** Returns the public id from the page's path, `/v/{unique_id}`, or "" if the path has no id. */
export function uniqueIdFrom(path: string): string {
  return decodeURIComponent(/^\/v\/([^/]+)/.exec(path)?.[1] ?? "");
}

/** Fetches the manifest of `uniqueId`. Every client error except 429 counts as `unknown`. */
export async function loadManifest(uniqueId: string): Promise<ManifestResult> {
  try {
    const response = await fetch(`/api/viewer/${encodeURIComponent(uniqueId)}`, { cache: "no-store" });
    if (response.ok) return { kind: "found", manifest: await response.json() };
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status === 429 && seconds > 0) return { kind: "limited", seconds };
    const isTemporary = response.status >= 500 || response.status === 429;
    return { kind: isTemporary ? "unreachable" : "unknown" };
  } catch {
    return { kind: "unreachable" };
  }
}
