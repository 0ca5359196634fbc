import { Refusal } from "../errors.ts";
import { hex } from "../sha256.ts";

/** Entity tags of JSON responses and conditional requests (RFC 9110, sections 8.8.3 and 13). */

const TAG_BYTES = 16;

/** The part of Hono's context that is read, for contexts of any environment. */
interface Conditional {
  readonly req: { header(name: string): string | undefined };
}

/** Returns a strong tag: 16 bytes of the SHA-256 of the JSON. */
export async function etagOf(body: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${hex(digest.subarray(0, TAG_BYTES))}"`;
}

/** Returns whether `If-None-Match` contains the tag. */
export function isNotModified(c: Conditional, etag: string): boolean {
  const tags = tagsOf(c.req.header("If-None-Match") ?? "");
  return tags.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}

/**
 * Checks `If-Match` against the current response of a GET.
 *
 * @returns whether the request has the condition: then the change must also be guarded in the database
 * @throws Refusal `precondition_failed`
 */
export async function assertMatch(c: Conditional, body: unknown): Promise<boolean> {
  const header = c.req.header("If-Match");
  if (header === undefined) return false;
  const etag = await etagOf(body);
  if (!tagsOf(header).some((tag) => tag === "*" || tag === etag)) throw changedSinceRead();
  return true;
}

export function changedSinceRead(): Refusal {
  return new Refusal(
    "precondition_failed",
    "The object has changed since If-Match was read. Nothing was changed; read it again and retry.",
  );
}

function tagsOf(header: string): string[] {
  return header.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
}

export const IF_MATCH = {
  name: "If-Match",
  in: "header",
  schema: { type: "string" },
  description: "The ETag of the object. If the object has changed since, the request fails with 412.",
} as const;

export const IF_NONE_MATCH = {
  name: "If-None-Match",
  in: "header",
  schema: { type: "string" },
  description: "The ETag of the client's copy. If the object has not changed since, the response is 304.",
} as const;
