import type { Context } from "hono";

/** Returns the IP address of the client; empty if the platform does not provide it. */
export function addressOf(c: Context): string {
  return c.req.header("cf-connecting-ip") ?? "";
}

/**
 * Returns the part of an IP address that identifies one client: all of IPv4, also when IPv6 carries it
 * (`::ffff:203.0.113.7`), and the /64 network of IPv6, which providers assign as a whole.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head, tail] = address.toLowerCase().replace(/%.*/, "").replace(DOTTED, hexadecimal).split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
  const prefix = groups.slice(0, 6).join();
  if (prefix === MAPPED)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The first 96 bits of an IPv4 address in IPv6 (RFC 4291), as groups in decimal. */
const MAPPED = "0,0,0,0,0,65535";

/** The last 32 bits of an IPv6 address, written like an IPv4 address. */
const DOTTED = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

/** Returns the two groups of `DOTTED`. */
function hexadecimal(_: string, ...bytes: string[]): string {
  const [a, b, c, d] = bytes.map(Number);
  return [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
}
