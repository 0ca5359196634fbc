import type { Bindings } from "../bindings.ts";
import { Refusal } from "../errors.ts";

/** The part of Hono's context that tells the origin. */
interface Asked {
  readonly env: Pick<Bindings, "settings">;
  readonly req: { readonly url: string };
}

/** Returns the origin of the pages that send a request, for cookies and for the check of their Origin header. */
export function originOf({ env, req }: Asked): string {
  return env.settings.publicUrl || new URL(req.url).origin;
}

/**
 * Returns the origin of links that leave the platform: PUBLIC_URL or, on loopback, the origin of the request. Anywhere
 * else it is "", which leaves links relative: the sender of a request chooses its Host header, and must not choose where
 * the links of other people lead. A forged loopback name leads to nobody but the reader.
 */
export function publicOriginOf({ env, req }: Asked): string {
  const { origin, hostname } = new URL(req.url);
  return env.settings.publicUrl || (isLoopback(hostname) ? origin : "");
}

/**
 * Returns the origin of a link that is mailed, printed or stored.
 *
 * @throws Refusal `public_url_missing` when only the Host header tells it
 */
export function linkOriginOf(c: Asked): string {
  const origin = publicOriginOf(c);
  if (origin !== "") return origin;
  throw new Refusal(
    "public_url_missing",
    "This installation cannot make links, QR codes or passkeys: PUBLIC_URL is not set. Ask the operator to set it to " +
      "the address of this installation.",
  );
}

export function isLoopback(hostname: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}
