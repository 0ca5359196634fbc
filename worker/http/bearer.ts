import type { Context } from "hono";

/** Returns the credentials of `Authorization: Bearer …`; empty if there are none. */
export function bearerToken(c: Pick<Context, "req">): string {
  return /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1] ?? "";
}
