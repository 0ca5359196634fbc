import { Hono } from "hono";

/** What a Hono Worker can answer at most, for nothing is done: the limits that bench/api.ts measures against. */
export default new Hono()
  .get("/hello", (c) => c.text("hello"))
  .get("/bytes/:count", (c) => c.body(bytes(Number(c.req.param("count")))));

/** What `getRandomValues` gives at most. */
const CHUNK = 65_536;

const made = new Map<number, Uint8Array<ArrayBuffer>>();

/** Random, for a page of zeros never leaves the processor's nearest cache. */
function bytes(count: number): Uint8Array<ArrayBuffer> {
  const known = made.get(count);
  if (known) return known;
  const fresh = new Uint8Array(count);
  for (let at = 0; at < count; at += CHUNK) crypto.getRandomValues(fresh.subarray(at, at + CHUNK));
  made.set(count, fresh);
  return fresh;
}
