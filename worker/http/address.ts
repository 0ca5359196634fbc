import type { Context } from "hono";

/** The network address that a request comes from; empty when the platform does not say. */
export function addressOf(c: Context): string {
  return c.req.header("cf-connecting-ip") ?? "";
}

/**
 * What of an address one party has for sure: all of IPv4, and the first half of IPv6, of which providers give
 * whole networks away.
 */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head, tail] = address.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
