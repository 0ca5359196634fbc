import { StorageError } from "./provider.ts";

/** Which addresses the edge may request. */
export interface AddressPolicy {
  /** For development only: allows http, any port, and hosts of this machine and its network. */
  readonly allowPrivate: boolean;
}

/** https uses its own port, or one that is not reserved for system services. */
const HTTPS_PORT = 443;
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Ports above 1023 of well-known services that are not https: databases, caches, message queues, proxies. */
const OTHER_SERVICES: ReadonlySet<number> = new Set([
  1080, 1433, 1521, 2049, 2375, 2379, 2380, 3128, 3306, 3389, 5432, 5672, 5900, 5984, 6379, 8086, 9042, 9092,
  9200, 9300, 10250, 10255, 11211, 15672, 27017,
]);

/** Top-level labels that public DNS does not have, or that are not of hosts on the Internet. */
const PRIVATE_SUFFIXES: ReadonlySet<string> = new Set([
  "alt",
  "arpa",
  "consul",
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
  "svc",
  "test",
]);

/** Blocks of special-purpose IPv4 addresses, which public servers do not have (RFC 6890). */
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
 * Checks that an address from a user or a backend leads to a public server. This prevents server-side request forgery:
 * requests to machines that only the edge can reach.
 *
 * Only the address itself is checked. `URL` normalizes all spellings of an IPv4 address (one number, octal,
 * hexadecimal, fewer parts, digits of other scripts). The address that a name resolves to is not checked: a Worker has
 * no resolver, and a resolver over HTTPS could return another address than the request uses. The platform prevents
 * that: Cloudflare connects a Worker's `fetch` to public addresses only, and so does workerd's `internet` service by
 * default. `wrangler dev` allows private addresses, so it must not serve strangers. Redirects are checked hop by hop.
 *
 * @throws StorageError `invalid_config`, whose message has the host at most
 */
export function checkAddress(address: string | URL, { allowPrivate }: AddressPolicy): URL {
  const url = parse(address);
  const { protocol, hostname, username, password } = url;
  if (protocol !== "https:" && !(allowPrivate && protocol === "http:")) {
    throw refused(`it starts with ${protocol}//; expected https://`);
  }
  if (username !== "" || password !== "") {
    throw refused("it contains a user name or password; use the fields for these");
  }
  if (allowPrivate) return url;

  const port = url.port === "" ? HTTPS_PORT : Number(url.port);
  if ((port !== HTTPS_PORT && port < FIRST_UNPRIVILEGED_PORT) || OTHER_SERVICES.has(port)) {
    throw refused(`port ${port} is not allowed; expected 443, or one from 1024 that no other service uses`);
  }
  const problem = hostname.startsWith("[")
    ? problemOfIPv6(hostname.slice(1, -1))
    : /^\d+(\.\d+){3}$/.test(hostname)
      ? problemOfIPv4(hostname)
      : problemOfName(hostname);
  if (problem !== null) throw refused(`${hostname} is ${problem}; expected a server on the Internet`);
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

/** Returns why a host name is not public; null when it is. */
function problemOfName(hostname: string): string | null {
  const labels = hostname.replace(/\.$/, "").split(".");
  const last = labels.at(-1) ?? "";
  if (labels.includes("")) return "not a host name";
  if (PRIVATE_SUFFIXES.has(last)) return "a private name";
  return labels.length === 1 ? "a name without a domain" : null;
}

/** Returns why an address in dotted decimal is not public; null when it is. */
function problemOfIPv4(address: string): string | null {
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
 * Returns why an IPv6 address is not public; null when it is. Public servers have addresses in 2000::/3 (RFC 4291),
 * which excludes loopback, link-local, unique local, multicast, IPv4-mapped and NAT64 addresses. Blocks that contain an
 * IPv4 address (6to4, Teredo) or belong to protocols and documentation are not public either.
 */
function problemOfIPv6(address: string): string | null {
  const [first, second] = groupsOf(address);
  const isGlobal = first >= 0x2000 && first <= 0x3fff;
  if (!isGlobal) return "not a global unicast address";
  if (first === 0x2002) return "a 6to4 address";
  if (first === 0x2001 && second < 0x0200) return "a reserved address";
  if ((first === 0x2001 && second === 0x0db8) || (first === 0x3fff && second < 0x1000)) {
    return "a documentation address";
  }
  return null;
}

/** Returns the eight groups of an address as `URL` writes it: hexadecimal, with at most one `::`. */
function groupsOf(address: string): number[] {
  const [head, tail] = address.split("::");
  const numbers = (part: string | undefined) =>
    part ? part.split(":").map((group) => Number.parseInt(group, 16)) : [];
  const before = numbers(head);
  const after = numbers(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
