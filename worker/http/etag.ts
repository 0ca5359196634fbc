import { Refusal } from "../errors.ts";
import { hex } from "../sha256.ts";

/** Entity tags of JSON answers, and the conditions of requests that name them (RFC 9110, sections 8.8.3 and 13). */

const TAG_BYTES = 16;

/** What is read of a request: Hono's context has it, whatever its environment. */
interface Conditional {
  readonly req: { header(name: string): string | undefined };
}

/** A strong tag: other bytes, another tag. */
export async function etagOf(body: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${hex(digest.subarray(0, TAG_BYTES))}"`;
}

/** Whether `If-None-Match` says that the client has this answer. */
export function isKnown(c: Conditional, etag: string): boolean {
  const tags = tagsOf(c.req.header("If-None-Match") ?? "");
  return tags.some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}

/**
 * Checks `If-Match` against the answer that a GET would have now.
 *
 * @returns whether there is such a condition: then the change must be guarded against others meanwhile
 */
export async function assertMatch(c: Conditional, body: unknown): Promise<boolean> {
  const header = c.req.header("If-Match");
  if (header === undefined) return false;
  const etag = await etagOf(body);
  if (!tagsOf(header).some((tag) => tag === "*" || tag === etag)) throw changedMeanwhile();
  return true;
}

export function changedMeanwhile(): Refusal {
  return new Refusal(
    "precondition_failed",
    "It is no longer what If-Match names; read it again and decide anew. Nothing was changed.",
  );
}

function tagsOf(header: string): string[] {
  return header.match(/\*|(?:W\/)?"[^"]*"/g) ?? [];
}

export const IF_MATCH = {
  name: "If-Match",
  in: "header",
  schema: { type: "string" },
  description: "The ETag of what is to be changed: when it is another by now, nothing is.",
} as const;

export const IF_NONE_MATCH = {
  name: "If-None-Match",
  in: "header",
  schema: { type: "string" },
  description: "The ETag of an answer that the client has: when it is still the same, the answer is 304.",
} as const;
