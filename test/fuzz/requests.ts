import { type Corpus, spoilFile } from "./files.ts";
import { multipart, type Part } from "./multipart.ts";
import type { Random } from "./random.ts";
import { EVIL_TEXTS, exampleOf, type Schema, spoilJson } from "./values.ts";
import type { Request } from "./wire.ts";

/** The values that requests are made of. */
export interface World {
  readonly document: ApiDocument;
  readonly corpus: Corpus;
  /** The headers of the permitted callers: a program and a person, both of the company. */
  readonly callers: readonly Readonly<Record<string, string>>[];
  /** The Worker's origin. */
  readonly origin: string;
  /** The ids of the company's contents. */
  readonly contents: readonly string[];
  /** The content whose compilation is leased, and the token of the lease. */
  readonly leased: { readonly id: string; readonly token: string };
  readonly uniqueId: string;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}

interface Media {
  /** Examples of a refusal, by code. */
  readonly examples?: object;
}

/**
 * Operations that are left out: they would end the company's access to its storage, or the access of its
 * member or its key to the company, so that all later requests would be refused for that reason alone.
 */
const SPARED = [
  "PUT /api/company/storage",
  "PUT /api/me/password",
  "POST /api/setup",
  "POST /api/me/companies",
  "POST /api/storage-migrations",
];

type Kind = (random: Random, world: World) => Request;

const SUBMISSIONS = "/api/ar-content";

const json: Kind = (random, world) => {
  const [path, method, operation] = pickOperation(random, world, ({ requestBody }) =>
    Boolean(requestBody?.content["application/json"]),
  );
  const schema = operation.requestBody!.content["application/json"].schema ?? {};
  const value = exampleOf(schema, random, (reference) => resolve(world, reference));
  const type = random.chance(0.93)
    ? "application/json"
    : random.pick(["text/plain", "", "application/json; charset=utf-16", "multipart/form-data", "*/*"]);
  const body = Buffer.from(spoilJson(value, random), random.chance(0.97) ? "utf8" : "latin1");
  return { method, path: fill(path, random, world), headers: { "Content-Type": type }, body };
};

const query: Kind = (random, world) => {
  const [path, method, operation] = pickOperation(random, world, () => true, "get");
  const names = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === "query")
    .map(({ name }) => name);
  const pairs = Array.from({ length: 1 + random.below(4) }, () => {
    const name = random.pick([...names, "limit", "cursor", random.pick(EVIL_TEXTS)]);
    return `${escapeText(name, random)}=${escapeText(random.pick(EVIL_TEXTS), random)}`;
  });
  return { method, path: `${fill(path, random, world)}?${pairs.join("&")}`, headers: {} };
};

const path: Kind = (random, world) => {
  const method = random.pick([
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
  ]);
  const known = random.pick(Object.keys(world.document.paths)).split("/").slice(1);
  const segments = [...known, ...(random.chance(0.3) ? ["x"] : [])].map((segment) =>
    random.chance(0.5) ? segment.replace(/^\{.*\}$/, "1") : escapeText(random.pick(EVIL_TEXTS), random),
  );
  const start = random.pick([
    "/",
    "/",
    "//",
    "/api/",
    "/media/",
    "/v/",
    "/assets/",
    "/api/auth/",
    "/%2e%2e/",
    "/./",
  ]);
  return { method, path: start + segments.join("/"), headers: {} };
};

const submission: Kind = (random, { corpus }) => {
  const image = random.pick(corpus.images);
  const parts: Part[] = [];
  if (random.chance(0.95)) {
    parts.push({
      name: "image",
      fileName: random.chance(0.7) ? "photo.jpg" : random.pick(EVIL_TEXTS).replaceAll(/["\r\n\0]/g, ""),
      type: random.pick([
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "text/html",
        "application/octet-stream",
      ]),
      body: spoilFile(image, random),
    });
  }
  const texts: Readonly<Record<string, readonly string[]>> = {
    title: EVIL_TEXTS,
    description: EVIL_TEXTS,
    compile: ["server", "browser", "", "cloud"],
    max_features: ["20", "19", "5001", "-1", "1e3", "NaN", "", "٢٠"],
    project_id: ["", "1", ...EVIL_TEXTS],
    [random.pick(EVIL_TEXTS).replaceAll(/["\r\n\0]/g, "")]: EVIL_TEXTS,
  };
  for (const [name, values] of Object.entries(texts)) {
    if (random.chance(0.25)) parts.push({ name, body: Buffer.from(random.pick(values)) });
  }
  if (random.chance(0.05)) parts.push({ ...parts[0], name: "image", body: image });
  if (random.chance(0.3)) parts.reverse();
  const { type, body } = multipart(parts, random);
  return { method: "POST", path: SUBMISSIONS, headers: { "Content-Type": type }, body };
};

const marker: Kind = (random, { corpus, leased, contents }) => {
  const id = random.chance(0.9) ? leased.id : random.pick(contents);
  const headers: Record<string, string> = {
    "Vivimark-Lease": random.chance(0.95) ? leased.token : random.pick(["", "x", "a".repeat(3000)]),
    "Content-Type": random.pick(["application/octet-stream", "application/octet-stream", "text/html", ""]),
  };
  if (random.chance(0.3)) {
    const { type, body } = multipart(
      [
        { name: "marker", fileName: "m.mind", body: spoilFile(corpus.marker, random) },
        { name: "thumbnail", fileName: "t.jpg", body: spoilFile(corpus.images[0], random) },
      ],
      random,
    );
    return {
      method: "PUT",
      path: `${SUBMISSIONS}/${id}/marker`,
      headers: { ...headers, "Content-Type": type },
      body,
    };
  }
  const body = spoilFile(corpus.marker, random);
  return { method: "PUT", path: `${SUBMISSIONS}/${id}/marker`, headers, body };
};

const video: Kind = (random, { corpus, contents }) => ({
  method: "PUT",
  path: `${SUBMISSIONS}/${random.pick(contents)}/video`,
  headers: { "Content-Type": random.pick(["video/mp4", "video/webm", "text/html", "video/", ""]) },
  body: spoilFile(random.pick(corpus.videos), random),
});

const HEADERS: Readonly<Record<string, readonly string[]>> = {
  Range: [
    "bytes=0-",
    "bytes=-0",
    "bytes=5-1",
    "bytes=0-0,2-3",
    "bytes=99999999999999999999-",
    "lines=1-2",
    "bytes=",
  ],
  "If-None-Match": ["*", '"x"', "W/", '"'.repeat(500)],
  "If-Match": ["*", '"x"', ""],
  "If-Range": ['"x"', "Sun, 99 Foo 2026 00:00:00 GMT"],
  Origin: ["null", "https://example.net", "x"],
  Cookie: ["a=b", "=;=;=", "vivimark.session_token=%00", `vivimark.session_token=${"x".repeat(3000)}`],
  Authorization: ["Bearer", "Bearer ", "Basic Og==", `Bearer vk_${"x".repeat(2000)}`, "Bearer é"],
  Accept: ["application/xml", "*/*;q=x", ""],
  "Accept-Encoding": ["br;q=0, identity;q=0", "x".repeat(500)],
  "X-Forwarded-For": ["127.0.0.1, ::1", "'"],
  "CF-Connecting-IP": ["127.0.0.1", "x".repeat(400)],
  "X-HTTP-Method-Override": ["DELETE"],
  "Transfer-Encoding": ["gzip, chunked"],
  Upgrade: ["websocket", "h2c"],
  "Vivimark-Lease": ["", "x"],
  "Content-Encoding": ["gzip", "br"],
};

const headers: Kind = (random, world) => {
  const targets = [
    SUBMISSIONS,
    `${SUBMISSIONS}/${random.pick(world.contents)}`,
    `/media/${world.uniqueId}/picture`,
    `/api/viewer/${world.uniqueId}`,
    "/api/health",
    "/api/me",
    "/",
  ];
  const spoilt: Record<string, string> = {};
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = random.pick(Object.keys(HEADERS));
    spoilt[name] = Buffer.from(random.pick(HEADERS[name])).toString("latin1");
  }
  return {
    method: random.pick(["GET", "GET", "HEAD", "OPTIONS"]),
    path: random.pick(targets),
    headers: spoilt,
  };
};

const account: Kind = (random) => {
  const path = random.pick([
    "sign-in/email",
    "passkey/generate-authenticate-options",
    "passkey/verify-authentication",
    "sign-up/email",
    "request-password-reset",
    "reset-password",
    "get-session",
    "sign-out",
    "organization/invite-member",
    "organization/accept-invitation",
    "organization/set-active",
    "organization/remove-member",
    "organization/update-member-role",
    "organization/cancel-invitation",
    "error",
    random.pick(EVIL_TEXTS),
  ]);
  const names = [
    "email",
    "password",
    "token",
    "newPassword",
    "organizationId",
    "role",
    "memberId",
    "redirectTo",
    "response",
  ];
  const value = Object.fromEntries(
    names.map((name) => [name, random.pick([...EVIL_TEXTS, "a@b.c", "admin"])]),
  );
  return {
    method: random.pick(["GET", "POST", "POST"]),
    path: `/api/auth/${escapeText(path, random).replaceAll("%2F", "/")}`,
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(spoilJson(value, random)),
  };
};

/** The share of each kind of request. */
const KINDS: readonly (readonly [share: number, kind: Kind])[] = [
  [0.26, json],
  [0.12, query],
  [0.14, path],
  [0.2, submission],
  [0.1, marker],
  [0.04, video],
  [0.09, headers],
  [0.05, account],
];

export function makeRequest(random: Random, world: World): Request {
  let left = random.next();
  const kind = KINDS.find(([share]) => (left -= share) < 0)?.[1] ?? json;
  const made = kind(random, world);
  const caller = random.chance(0.85) ? random.pick(world.callers) : {};
  const body = made.body && made.method !== "GET" && made.method !== "HEAD" ? made.body : undefined;
  const all: Record<string, string> = { Origin: world.origin, ...caller, ...made.headers };
  if (body) all["Content-Length"] = String(body.length);
  return { ...made, headers: all, ...(body ? { body } : { body: undefined }) } as Request;
}

/** Returns bytes that may be invalid HTTP. */
export function makeBytes(random: Random): Buffer {
  const lines = [
    "GET /api/health HTTP/9.9\r\nHost: x\r\n\r\n",
    "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /api/ar-content HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "POST /api/ar-content HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "POST /api/ar-content HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    "POST /api/ar-content HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "POST /api/ar-content HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n",
    `GET /${"a".repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(70_000)}\r\n\r\n`,
    "get / http/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02\0\x01\0",
    "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
    "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
  ];
  return random.chance(0.9) ? Buffer.from(random.pick(lines), "latin1") : random.bytes(random.below(300));
}

function pickOperation(
  random: Random,
  { document }: World,
  fits: (operation: Operation) => boolean,
  only?: string,
): [path: string, method: string, operation: Operation] {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method, operation]) => (only ?? method) === method && fits(operation))
      .map(([method, operation]): [string, string, Operation] => [path, method.toUpperCase(), operation])
      .filter(([, method]) => !SPARED.includes(`${method} ${path}`)),
  );
  return random.pick(all);
}

function fill(path: string, random: Random, { contents, uniqueId }: World): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (random.chance(0.3)) return escapeText(random.pick(EVIL_TEXTS), random) || "x";
    if (name === "kind") return random.pick(["image", "picture", "marker", "video", "thumbnail"]);
    if (name === "number") return String(random.below(4));
    if (name === "unique_id") return uniqueId;
    // Never pick the id of an API key, a connection or a storage migration: those must stay.
    return random.pick(contents);
  });
}

/** Escapes a text for a path, rarely correctly. */
function escapeText(text: string, random: Random): string {
  const bytes = Buffer.from(text);
  if (random.chance(0.6))
    return [...bytes]
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`)
      .join("")
      .slice(0, 3000);
  return [...bytes]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`,
    )
    .join("")
    .slice(0, 3000);
}

function resolve({ document }: World, reference: string): Schema {
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  return document.components.schemas[name];
}
