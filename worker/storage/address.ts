import { StorageError } from "./provider.ts";

/** What the edge may be sent to. */
export interface AddressPolicy {
  /** For development only: plain http, any port, and hosts of this machine and its network. */
  readonly allowPrivate: boolean;
}

/** The port of https, and those that no system service has by tradition. */
const HTTPS_PORT = 443;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Services without encryption that live above 1023: an https request must not even knock there. */
const FOREIGN_PORTS: ReadonlySet<number> = new Set([
  1080, 1433, 1521, 2049, 2375, 2379, 2380, 3128, 3306, 3389, 5432, 5672, 5900, 5984, 6379, 8086, 9042, 9092,
  9200, 9300, 10250, 10255, 11211, 15672, 27017,
]);

/** Last labels that the public name system does not have, or that name no host on the Internet. */
const PRIVATE_SUFFIXES: ReadonlySet<string> = new Set([
  "alt",
  "arpa",
  "corp",
  "example",
  "home",
  "internal",
  "intranet",
  "invalid",
  "lan",
  "local",
  "localdomain",
  "localhost",
  "mail",
  "onion",
  "private",
  "test",
]);

/** Blocks of IPv4 that no public server has: the registry of special-purpose addresses (RFC 6890). */
const SPECIAL_IPV4: readonly (readonly [block: string, bits: number, what: string])[] = [
  ["0.0.0.0", 8, "an unspecified"],
  ["10.0.0.0", 8, "a private"],
  ["100.64.0.0", 10, "a carrier's internal"],
  ["127.0.0.0", 8, "a loopback"],
  ["169.254.0.0", 16, "a link-local"],
  ["172.16.0.0", 12, "a private"],
  ["192.0.0.0", 24, "a reserved"],
  ["192.0.2.0", 24, "a documentation"],
  ["192.88.99.0", 24, "a reserved"],
  ["192.168.0.0", 16, "a private"],
  ["198.18.0.0", 15, "a benchmark"],
  ["198.51.100.0", 24, "a documentation"],
  ["203.0.113.0", 24, "a documentation"],
  ["224.0.0.0", 4, "a multicast"],
  ["240.0.0.0", 4, "a reserved"],
];

/**
 * Checks that an address which a user gave, or which a backend answered with, leads to a public server, so
 * that nobody makes the edge ask machines that only it can reach (server-side request forgery).
 *
 * It judges what the address says. Spellings of IPv4 as one number, octal, hexadecimal, with fewer parts or
 * in other scripts' digits are one address to `URL`, and so to this. What a name resolves to it cannot see:
 * a Worker has no resolver, and one that it asked over HTTPS could answer the check otherwise than the
 * request after it. That door is closed one floor below: Cloudflare connects a Worker's `fetch` to public
 * addresses only, and so does workerd's own `internet` service, which allows `public` and nothing else
 * unless it is configured otherwise. `wrangler dev` does allow private addresses; it is no place for
 * strangers' settings. Whatever follows a redirect checks every hop.
 *
 * @throws StorageError `invalid_config`, whose sentence repeats no more of the address than its host
 */
export function checkAddress(address: string | URL, { allowPrivate }: AddressPolicy): URL {
  const url = parse(address);
  const { protocol, hostname, username, password } = url;
  if (protocol !== "https:" && !(allowPrivate && protocol === "http:")) {
    throw refused(`it begins with ${protocol}//; expected https://`);
  }
  if (username !== "" || password !== "") {
    throw refused("it has a user name or a password in it; they have fields of their own");
  }
  if (allowPrivate) return url;

  const port = url.port === "" ? HTTPS_PORT : Number(url.port);
  if ((port !== HTTPS_PORT && port < FIRST_UNPRIVILEGED_PORT) || FOREIGN_PORTS.has(port)) {
    throw refused(`port ${port} is not one for https; expected 443, or a free one from 1024 on`);
  }
  const trouble = hostname.startsWith("[")
    ? troubleOfIPv6(hostname.slice(1, -1))
    : /^\d+(\.\d+){3}$/.test(hostname)
      ? troubleOfIPv4(hostname)
      : troubleOfName(hostname);
  if (trouble !== null) throw refused(`${hostname} is ${trouble}; expected a server on the Internet`);
  return url;
}

function parse(address: string | URL): URL {
  const url = URL.parse(address);
  if (!url || url.hostname === "") throw refused("it is not a URL; expected https:// and a host");
  return url;
}

function refused(why: string): StorageError {
  return new StorageError("invalid_config", `This address cannot be used: ${why}.`);
}

/** What is wrong with a host by name; null: nothing. */
function troubleOfName(hostname: string): string | null {
  const labels = hostname.replace(/\.$/, "").split(".");
  const last = labels.at(-1) ?? "";
  if (labels.includes("")) return "no host name";
  if (PRIVATE_SUFFIXES.has(last)) return "a private name";
  return labels.length === 1 ? "a name without a domain" : null;
}

/** `address` is dotted decimal. */
function troubleOfIPv4(address: string): string | null {
  const value = numberOf(address);
  const found = SPECIAL_IPV4.find(([block, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(value / size) === numberOf(block) / size;
  });
  return found ? `${found[2]} address` : null;
}

function numberOf(dotted: string): number {
  return dotted.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

/**
 * Public servers have addresses in 2000::/3 (RFC 4291), which leaves out loopback, link-local, unique local,
 * multicast, IPv4-mapped and the NAT64 prefixes. Of the rest go the blocks that carry an IPv4 address inside
 * (6to4, Teredo) or belong to protocols and documentation.
 */
function troubleOfIPv6(address: string): string | null {
  const [first, second] = groupsOf(address);
  const isGlobal = first >= 0x2000 && first <= 0x3fff;
  if (!isGlobal) return "not a global unicast address";
  if (first === 0x2002) return "a 6to4 address";
  if (first === 0x2001 && second < 0x0200) return "a protocol's address";
  if ((first === 0x2001 && second === 0x0db8) || (first === 0x3fff && second < 0x1000)) {
    return "a documentation address";
  }
  return null;
}

/** The eight groups of an address as `URL` writes it: hexadecimal, with at most one `::`. */
function groupsOf(address: string): number[] {
  const [head, tail] = address.split("::");
  const numbers = (part: string | undefined) =>
    part ? part.split(":").map((group) => Number.parseInt(group, 16)) : [];
  const before = numbers(head);
  const after = numbers(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
