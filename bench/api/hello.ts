import { Hono } from "hono";

/** A Hono Worker without any work. Its rates are the limits in bench/api.ts. */
export default new Hono()
  .get("/hello", (c) => c.text("hello"))
  .get("/bytes/:count", (c) => c.body(bytes(Number(c.req.param("count")))));

/** Most bytes per call of `getRandomValues`. */
const CHUNK = 65_536;

const made = new Map<number, Uint8Array<ArrayBuffer>>();

/** Returns random bytes, because zeros would stay in the processor's nearest cache. */
function bytes(count: number): Uint8Array<ArrayBuffer> {
  const known = made.get(count);
  if (known) return known;
  const fresh = new Uint8Array(count);
  for (let at = 0; at < count; at += CHUNK) crypto.getRandomValues(fresh.subarray(at, at + CHUNK));
  made.set(count, fresh);
  return fresh;
}
