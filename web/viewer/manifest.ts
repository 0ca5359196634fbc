import type { z } from "zod";
import type { viewerManifest } from "../../worker/schemas.ts";

export type ViewerManifest = z.infer<typeof viewerManifest>;

export type ManifestAnswer =
  | { readonly kind: "found"; readonly manifest: ViewerManifest }
  | { readonly kind: "unknown" }
  /** Whoever shares this network address asked more than is allowed: good again after so many seconds. */
  | { readonly kind: "limited"; readonly seconds: number }
  | { readonly kind: "unreachable" };

/** The public id in the page's path, `/v/{unique_id}`; empty if there is none. */
export function uniqueIdOf(path: string): string {
  return decodeURIComponent(/^\/v\/([^/]+)/.exec(path)?.[1] ?? "");
}

/** Asks the edge what `uniqueId` shows. An id that it does not know and one that it refuses are the same here. */
export async function loadManifest(uniqueId: string): Promise<ManifestAnswer> {
  try {
    const response = await fetch(`/api/viewer/${encodeURIComponent(uniqueId)}`, { cache: "no-store" });
    if (response.ok) return { kind: "found", manifest: await response.json() };
    const seconds = Number(response.headers.get("Retry-After"));
    if (response.status === 429 && seconds > 0) return { kind: "limited", seconds };
    const isPassing = response.status >= 500 || response.status === 429;
    return { kind: isPassing ? "unreachable" : "unknown" };
  } catch {
    return { kind: "unreachable" };
  }
}
