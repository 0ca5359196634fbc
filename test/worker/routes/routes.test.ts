import { env } from "cloudflare:workers";
import { inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createCompany } from "../../../worker/accounts/companies.ts";
import { hashPassword } from "../../../worker/accounts/passwords.ts";
import {
  PERMISSIONS,
  type Permission,
  ROLES,
  type Role,
  roleMay,
  SCOPES,
  scopesMay,
} from "../../../worker/accounts/permissions.ts";
import type { CreatedApiKey, Member } from "../../../worker/accounts/schemas.ts";
import { api } from "../../../worker/api.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import {
  accounts,
  apiKeys,
  attempts,
  auditLog,
  deadLetters,
  invitations,
  members,
  storageMigrations,
  users,
  webhookEndpoints,
} from "../../../worker/db/tables.ts";
import { POLICIES, type Policy } from "../../../worker/http/rate-limits.ts";
import { pages } from "../../../worker/pages.ts";
import type { ArContent, Submission } from "../../../worker/schemas.ts";
import type { Delivery, WebhookWithSecret } from "../../../worker/webhooks/schemas.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, form, json, ORIGIN, refusal, SECRET, s3 } from "../edge.ts";
import { png } from "../fixtures.ts";
import { acceptWithNewAccount, invite } from "../invitations.ts";

/**
 * Requests every route of the API's document without authentication, as a member of another company, in every
 * role and with every scope. A route that is missing in `REQUESTS` or `PUBLIC` fails.
 */

/** Routes without authentication: their data is public, or protected by a secret of its own. */
const PUBLIC = new Set([
  "GET /media/{unique_id}/{kind}",
  "GET /api/viewer/{unique_id}",
  "GET /api/health",
  "GET /api/metrics",
  "GET /api/setup",
  "POST /api/setup",
  "GET /api/invitation",
  "POST /api/invitation/account",
  "GET /api/mailbox",
  "POST /api/auth/sign-in/email",
  "GET /api/auth/passkey/generate-authenticate-options",
  "POST /api/auth/passkey/verify-authentication",
  "POST /api/auth/sign-out",
  "GET /api/auth/get-session",
  "POST /api/auth/request-password-reset",
  "POST /api/auth/reset-password",
]);

/** Routes of a person, not of a company, with request bodies about the first company. */
const PERSONAL: Readonly<Record<string, ((there: There) => object) | null>> = {
  "GET /api/me": null,
  "PATCH /api/me": null,
  "PUT /api/me/password": null,
  "GET /api/me/sessions": null,
  "DELETE /api/me/sessions/{id}": null,
  "GET /api/me/passkeys": null,
  "POST /api/me/passkeys": null,
  "POST /api/me/passkeys/options": null,
  "DELETE /api/me/passkeys/{id}": null,
  "POST /api/me/companies": null,
  "POST /api/auth/organization/update-member-role": ({ member }) => ({ memberId: member, role: "viewer" }),
  "POST /api/auth/organization/remove-member": ({ member }) => ({ memberIdOrEmail: member }),
  "POST /api/auth/organization/leave": () => ({ organizationId: FIRST_COMPANY_ID }),
  "POST /api/auth/organization/invite-member": () => ({
    email: "friend@example.net",
    role: "viewer",
    organizationId: FIRST_COMPANY_ID,
  }),
  "POST /api/auth/organization/cancel-invitation": ({ invitation }) => ({ invitationId: invitation }),
  "POST /api/auth/organization/accept-invitation": ({ invitationToken }) => ({ token: invitationToken }),
  "POST /api/auth/organization/set-active": () => ({ organizationId: FIRST_COMPANY_ID }),
};
const isPersonal = (name: string) => Object.hasOwn(PERSONAL, name);

/** Queries of the reads among them. */
const UNGUARDED_READS: Readonly<Record<string, (there: There) => string>> = {
  "GET /media/{unique_id}/{kind}": ({ content }) => content.image_url,
  "GET /api/viewer/{unique_id}": ({ content }) => `/api/viewer/${content.unique_id}`,
  "GET /api/health": () => "/api/health",
  "GET /api/metrics": () => "/api/metrics",
  "GET /api/setup": () => "/api/setup",
  "GET /api/invitation": () => "/api/invitation",
  "GET /api/mailbox": () => "/api/mailbox",
  "GET /api/me": () => "/api/me",
  "GET /api/me/passkeys": () => "/api/me/passkeys",
  "GET /api/me/sessions": () => "/api/me/sessions",
  "GET /api/auth/get-session": () => "/api/auth/get-session",
};

/** A GET that creates something. */
const BEGINNING = "GET /api/auth/passkey/generate-authenticate-options";

/** The objects of the first company. */
interface There {
  readonly content: ArContent;
  readonly project: string;
  readonly task: string;
  readonly lease: string;
  readonly connection: string;
  readonly key: string;
  readonly migration: string;
  readonly invitation: string;
  readonly invitationToken: string;
  readonly member: string;
  readonly webhook: string;
  /** A delivery of the webhook. */
  readonly delivery: string;
  /** A video upload of the content. */
  readonly upload: string;
}

interface Sample {
  /** Whether it is about an object of the company: another company's object is not found. */
  readonly about?: "content" | "project" | "task" | "connection" | "key" | "migration" | "webhook";
  /** Whether it needs a service that these tests do not set up: permitted callers get an error. */
  readonly isUnavailable?: boolean;
  /** Whether it is only for the company that set up the platform. */
  readonly isOfPlatform?: boolean;
  /** Whether its response repeats the ids of the request. */
  readonly echoes?: boolean;
  readonly body?: (there: There) => RequestInit;
}

/** Routes that change no audited object: steps of a compilation or an upload, and tests. */
const UNNOTED = new Set([
  "POST /api/ar-content/{id}/marker/lease",
  "DELETE /api/ar-content/{id}/marker/lease",
  "POST /api/ar-content/{id}/marker/progress",
  "POST /api/ar-content/{id}/video-uploads",
  "DELETE /api/ar-content/{id}/video-uploads/{upload_id}",
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/part-urls",
  "DELETE /api/ar-content/{id}/video",
  "POST /api/storage-connections/test",
  "POST /api/storage-connections/{id}/test",
  "POST /api/webhooks/{id}/test",
]);

const PASSWORD = "a password of everybody's";
const newUpload = { length: 12_000_000, content_type: "video/mp4" };
const newWebhook = { url: "https://shop.example.net/hook", events: ["marker.ready"] };
const trial = { provider: "s3", settings: s3("second").settings };
const lease = ({ lease }: There) => ({ "Vivimark-Lease": lease });
const photo = () => ({ body: form({ image: png() }) });
const video = () => ({ body: new Uint8Array(16), headers: { "Content-Type": "video/mp4" } });

const REQUESTS: Readonly<Record<string, Sample>> = {
  "GET /api/ar-content": {},
  "POST /api/ar-content": { body: photo },
  "POST /api/ar-content/batch": { body: photo },
  "POST /api/ar-content/bulk": {
    echoes: true,
    body: ({ content }) => json("POST", { action: "pause", ids: [content.id] }),
  },
  "GET /api/ar-content/{id}": { about: "content" },
  "PATCH /api/ar-content/{id}": { about: "content", body: () => json("PATCH", { title: "Changed" }) },
  "DELETE /api/ar-content/{id}": { about: "content" },
  "GET /api/ar-content/{id}/tasks": { about: "content" },
  "GET /api/ar-content/{id}/qr.svg": { about: "content" },
  "PUT /api/ar-content/{id}/marker": {
    about: "content",
    body: (there) => ({
      body: new Uint8Array(16),
      headers: { "Content-Type": "application/octet-stream", ...lease(there) },
    }),
  },
  "PUT /api/ar-content/{id}/image": {
    about: "content",
    body: () => ({ body: png(), headers: { "Content-Type": "image/png" } }),
  },
  "POST /api/ar-content/{id}/marker/lease": { about: "content" },
  "DELETE /api/ar-content/{id}/marker/lease": {
    about: "content",
    body: (there) => ({ headers: lease(there) }),
  },
  "POST /api/ar-content/{id}/marker/progress": {
    about: "content",
    body: (there) => json("POST", { stage: "match", done: 1, total: 2 }, lease(there)),
  },
  "POST /api/ar-content/{id}/marker/recompile": { about: "content", body: () => json("POST", {}) },
  "PUT /api/ar-content/{id}/video": { about: "content", body: video },
  "DELETE /api/ar-content/{id}/video": { about: "content" },
  // The photo has no video.
  "PUT /api/ar-content/{id}/video/playback": {
    about: "content",
    isUnavailable: true,
    body: () => json("PUT", {}),
  },
  "GET /api/tasks/{task_id}": { about: "task" },
  "GET /api/projects": {},
  "POST /api/projects": { body: () => json("POST", { name: "Another" }) },
  "GET /api/projects/{id}": { about: "project" },
  "PATCH /api/projects/{id}": { about: "project", body: () => json("PATCH", { name: "Renamed" }) },
  "GET /api/company": {},
  "PATCH /api/company": { body: () => json("PATCH", { name: "Portraits" }) },
  "GET /api/company/storage": {},
  "GET /api/company/members": {},
  "GET /api/company/invitations": {},
  "GET /api/company/usage": {},
  "PUT /api/company/storage": {
    about: "connection",
    body: ({ connection }) => json("PUT", { connection_id: connection }),
  },
  "GET /api/storage-connections": {},
  "GET /api/storage-connections/presets": {},
  "POST /api/storage-connections": { body: () => json("POST", s3("second")) },
  "POST /api/storage-connections/test": {
    about: "connection",
    body: ({ connection }) => json("POST", { ...trial, connection_id: connection }),
  },
  "GET /api/storage-connections/{id}": { about: "connection" },
  "PATCH /api/storage-connections/{id}": { about: "connection", body: () => json("PATCH", { name: "N" }) },
  "DELETE /api/storage-connections/{id}": { about: "connection" },
  "DELETE /api/storage-connections/{id}/deleted-files": { about: "connection" },
  "GET /api/storage-connections/{id}/losses": { about: "connection" },
  "POST /api/storage-connections/{id}/give-up": {
    about: "connection",
    body: () => json("POST", { photos: 0 }),
  },
  "POST /api/storage-connections/{id}/test": { about: "connection" },
  "POST /api/storage-connections/{id}/cors": { about: "connection", isUnavailable: true },
  "POST /api/storage-connections/{id}/trial-upload": { about: "connection", isUnavailable: true },
  "GET /api/storage-connections/{id}/usage": { about: "connection" },
  "GET /api/storage-connections/yandex/authorize": { isUnavailable: true },
  "GET /api/storage-connections/yandex/callback": { isUnavailable: true },
  "POST /api/storage-connections/yandex/exchange": {
    isUnavailable: true,
    body: () => json("POST", { code: "code", state: "state" }),
  },
  "GET /api/storage-migrations": {},
  "POST /api/storage-migrations": {
    about: "connection",
    body: ({ connection }) => json("POST", { to: connection }),
  },
  "GET /api/storage-migrations/{id}": { about: "migration" },
  "POST /api/storage-migrations/{id}/pause": { about: "migration" },
  "POST /api/storage-migrations/{id}/resume": { about: "migration" },
  "POST /api/storage-migrations/{id}/cancel": { about: "migration" },
  "POST /api/ar-content/{id}/video-uploads": { about: "content", body: () => json("POST", newUpload) },
  "GET /api/ar-content/{id}/video-uploads/{upload_id}": { about: "content" },
  "DELETE /api/ar-content/{id}/video-uploads/{upload_id}": { about: "content" },
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/part-urls": {
    about: "content",
    body: () => json("POST", { numbers: [1] }),
  },
  "PUT /api/ar-content/{id}/video-uploads/{upload_id}/parts/{number}": { about: "content", body: video },
  "POST /api/ar-content/{id}/video-uploads/{upload_id}/complete": { about: "content" },
  "GET /api/webhooks": {},
  "POST /api/webhooks": { body: () => json("POST", newWebhook) },
  "GET /api/webhooks/{id}": { about: "webhook" },
  "PATCH /api/webhooks/{id}": { about: "webhook", body: () => json("PATCH", { description: "Changed" }) },
  "DELETE /api/webhooks/{id}": { about: "webhook" },
  "POST /api/webhooks/{id}/rotate-secret": { about: "webhook" },
  "POST /api/webhooks/{id}/test": { about: "webhook" },
  "GET /api/webhooks/{id}/deliveries": { about: "webhook" },
  "GET /api/webhooks/{id}/deliveries/{delivery_id}": { about: "webhook" },
  "POST /api/webhooks/{id}/deliveries/{delivery_id}/send-again": { about: "webhook" },
  "GET /api/audit-log": {},
  "GET /api/audit-log/export.csv": {},
  "GET /api/api-keys": {},
  "POST /api/api-keys": { body: () => json("POST", { name: "Another", scopes: ["read"] }) },
  "DELETE /api/api-keys/{id}": { about: "key" },
  "GET /api/platform": { isOfPlatform: true },
  "POST /api/platform/dead-letters/retry": { isOfPlatform: true, body: () => json("POST", {}) },
};

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly permission: Permission | undefined;
  readonly security: readonly object[];
  readonly responses: object;
}

/** The parts of an operation of the document that are read. */
interface Described {
  readonly "x-permission"?: Permission;
  readonly security?: object[];
  readonly responses: object;
}

const document = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
const operations: Operation[] = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Described>).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    permission: operation["x-permission"],
    security: operation.security ?? [],
    responses: operation.responses,
  })),
);
const guarded = operations.filter(({ name }) => !PUBLIC.has(name) && !isPersonal(name));

let edge: Edge;
let owner: Browser;
let there: There;
let passwordHash: string;
const roles = new Map<string, Browser>();
const keys = new Map<string, string>();
let stranger: Browser;

/** The log lines of all requests, and the secrets that they sent or received. */
const logged: string[] = [];
const secrets = new Set([
  PASSWORD,
  OWNER.password,
  SECRET,
  "the token of the set-up link",
  "token-of-the-mailbox",
  "key-of-the-metrics",
]);

beforeAll(async () => {
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...said) => void logged.push(said.map(String).join(" ")));
  }
  edge = new Edge();
  // Sessions of better-auth expire by the machine's clock, not the edge's.
  edge.clock = Date.now();
  owner = (await setUp(edge))!;
  passwordHash = await hashPassword(PASSWORD);
  for (const role of ROLES) roles.set(role, await member(`${role}@example.net`, FIRST_COMPANY_ID, role));
  for (const scope of SCOPES) {
    const { key } = await owner.json<CreatedApiKey>(
      "/api/api-keys",
      json("POST", { name: scope, scopes: [scope] }),
    );
    keys.set(scope, key);
    secrets.add(key);
  }
  const everything = { name: "everything", scopes: SCOPES };
  keys.set("everything", (await owner.json<CreatedApiKey>("/api/api-keys", json("POST", everything))).key);
  stranger = await member("stranger@example.net", null, "owner");
  there = await furnish();
});

afterAll(() => vi.restoreAllMocks());

test("the document's routes are the tested ones, and each has its permission", () => {
  const names = operations.map(({ name }) => name).sort();
  expect(names).toEqual([...PUBLIC, ...Object.keys(PERSONAL), ...Object.keys(REQUESTS)].sort());
  for (const { name, permission, security, responses } of guarded) {
    expect([name, permission]).toEqual([name, expect.any(String)]);
    expect(Object.keys(PERMISSIONS)).toContain(permission);
    expect([name, security]).toEqual([name, [{ session: [] }, { key: [] }]]);
    expect([name, Object.keys(responses)]).toEqual([name, expect.arrayContaining(["401", "403"])]);
  }
});

test("every route under /api and /media is in the document, or is the document itself", () => {
  const known = new Set(
    operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
  );
  const others = [...api.routes, ...pages.routes]
    .filter(({ method, path }) => /^\/(api|media)/.test(path) && !known.has(`${method} ${path}`))
    // Middleware of a group has a star in its path.
    .map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(others)].sort()).toEqual([
    "ALL /api/*",
    "ALL /api/ar-content/:id/*",
    "ALL /api/auth/*",
    "ALL /api/docs/*",
    "ALL /api/health/*",
    "ALL /api/invitation/*",
    "ALL /api/mailbox/*",
    "ALL /api/metrics/*",
    "ALL /api/openapi.json/*",
    "ALL /api/setup/*",
    "ALL /api/viewer/*",
    "ALL /media/*",
    "GET /api/docs",
    "GET /api/openapi.json",
  ]);
});

describe.each(operations.filter(({ name }) => !PUBLIC.has(name)))("$name", (operation) => {
  test("without authentication: 401", async () => {
    const response = await send(operation, (path, init) => edge.anonymously(path, init));
    expect((await refusal(response)).code).toBe("unauthenticated");
  });
});

describe.each(guarded)("$name", (operation) => {
  beforeAll(async () => {
    there = await furnish();
  });

  test("another company: finds and changes nothing of this one", async () => {
    const before = await snapshot();
    const response = await send(operation, (path, init) => stranger.fetch(path, init));
    const { about, isOfPlatform } = REQUESTS[operation.name];
    if (about || isOfPlatform) expect((await refusal(response)).status).toBe(about ? 404 : 403);
    else {
      const text = await response.text();
      expect(response.status < 300).toBe(!REQUESTS[operation.name].isUnavailable);
      for (const id of [
        ...(REQUESTS[operation.name].echoes ? [] : [there.content.id]),
        there.content.unique_id,
        there.connection,
        there.key,
        there.webhook,
        FIRST_COMPANY_ID,
      ]) {
        expect(text).not.toContain(id);
      }
    }
    expect(await snapshot()).toEqual(before);
  });

  test("roles: exactly those in the table", async () => {
    for (const role of ROLES) {
      const response = await send(operation, (path, init) => roles.get(role)!.fetch(path, init));
      const refused = response.status === 403 && (await refusal(response)).code === "forbidden";
      expect([role, refused]).toEqual([role, !roleMay(role, operation.permission!)]);
    }
  });

  test("scopes: exactly those in the table", async () => {
    for (const scope of SCOPES) {
      const Authorization = `Bearer ${keys.get(scope)}`;
      const response = await send(operation, (path, init) => {
        const headers = new Headers(init.headers);
        headers.set("Authorization", Authorization);
        return edge.anonymously(path, { ...init, headers });
      });
      const refused = response.status === 403 && (await refusal(response)).code === "forbidden";
      expect([scope, refused]).toEqual([scope, !scopesMay([scope], operation.permission!)]);
    }
  });
});

describe.each(guarded.filter(({ method }) => method !== "GET"))("$name", (operation) => {
  test("writes an audit entry for a change", async () => {
    there = await furnish();
    await edge.db.delete(auditLog);
    const response = await send(operation, (path, init) => owner.fetch(path, init));
    await response.text();
    const isNoted = (await edge.db.select().from(auditLog)).length > 0;
    expect(isNoted).toBe(response.ok && !UNNOTED.has(operation.name));
  });
});

describe.each(Object.entries(PERSONAL).filter(([, body]) => body !== null))("%s", (name, body) => {
  const path = name.replace("POST ", "");

  test("a member of another company finds and changes nothing of this one", async () => {
    const before = await snapshot();
    const response = await stranger.post(path, body!(there));
    // The secret of a link reveals that the invitation exists.
    const expected = path.endsWith("accept-invitation") ? [403, "forbidden"] : [404, "not_found"];
    const { status, code } = await refusal(response);
    expect([status, code]).toEqual(expected);
    expect(await snapshot()).toEqual(before);
  });
});

describe("a cross-site request with the cookie", () => {
  const changing = operations.filter(({ name, method }) => method !== "GET" && !PUBLIC.has(name));

  test.each(changing)("$name is rejected without effect", async (operation) => {
    const before = await snapshot();
    for (const said of [
      { Origin: "https://evil.example" },
      { Origin: ORIGIN, "Sec-Fetch-Site": "cross-site" },
    ]) {
      const response = await send(operation, (path, init) => {
        const headers = new Headers(init.headers);
        headers.set("Cookie", owner.cookie());
        for (const [name, value] of Object.entries(said)) headers.set(name, value);
        return edge.anonymously(path, { ...init, headers });
      });
      const problem = await refusal(response);
      expect([problem.status, problem.code]).toEqual([403, "foreign_origin"]);
    }
    expect(await snapshot()).toEqual(before);
  });
});

describe("above the rate limit", () => {
  test.each(operations)("$name is rejected without effect", async (operation) => {
    const { name, method, responses } = operation;
    const asked: string[] = [];
    const refusing = (policy: Policy) => ({
      requests: 7,
      count: async () => {
        asked.push(policy);
        return false;
      },
    });
    const rateLimits = Object.fromEntries(POLICIES.map((policy) => [policy, refusing(policy)]));
    const before = await snapshot();
    const response = await send(operation, (path, init) => {
      const headers = new Headers(init.headers);
      headers.set("Cookie", owner.cookie());
      headers.set("Origin", ORIGIN);
      return edge.anonymously(path, { ...init, headers }, { rateLimits });
    });
    const policy = PUBLIC.has(name)
      ? "public"
      : ["POST /api/ar-content/batch", "POST /api/ar-content/bulk"].includes(name)
        ? "batch"
        : method === "GET"
          ? "read"
          : "write";
    expect((await refusal(response)).code).toBe("too_many_requests");
    expect(asked).toEqual([policy]);
    expect(Object.keys(responses)).toContain("429");
    expect(await snapshot()).toEqual(before);
  });
});

describe("at most two round trips to the database", () => {
  beforeAll(async () => {
    there = await furnish();
  });

  /** Measures the second request: the first one measures or stores things once. */
  async function roundTrips(path: string, headers: Record<string, string>, status: number): Promise<number> {
    const counted = countingDatabase();
    const ask = async () => {
      const response = await edge.anonymously(path, { headers }, { db: counted.db, replica: counted.db });
      expect([path, response.status]).toEqual([path, status]);
      await response.text();
    };
    await ask();
    counted.restart();
    await ask();
    return counted.roundTrips();
  }

  const reads = operations.filter(({ method }) => method === "GET");
  const ofCompanies = reads.filter(({ name }) => guarded.some((operation) => operation.name === name));

  test.each(ofCompanies)("$name", async ({ name, path, permission }) => {
    const { about, isUnavailable } = REQUESTS[name];
    const filled = fill(path, about);
    // The two routes that need Yandex return an error, or redirect to the studio.
    const status = !isUnavailable ? 200 : name.endsWith("callback") ? 303 : 503;
    const bySession = await roundTrips(filled, { Cookie: owner.cookie() }, status);
    const bearer = { Authorization: `Bearer ${keys.get("everything")}` };
    const byKey = await roundTrips(filled, bearer, scopesMay(SCOPES, permission!) ? status : 403);
    for (const count of [bySession, byKey]) {
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThanOrEqual(2);
    }
  });

  test("other reads", async () => {
    const others = reads
      .filter((operation) => !ofCompanies.includes(operation) && operation.name !== BEGINNING)
      .map(({ name }) => name);
    expect(Object.keys(UNGUARDED_READS).sort()).toEqual(others.sort());
    for (const [name, path] of Object.entries(UNGUARDED_READS)) {
      const bearers: Readonly<Record<string, string>> = {
        "GET /api/mailbox": "token-of-the-mailbox",
        "GET /api/metrics": "key-of-the-metrics",
        "GET /api/invitation": there.invitationToken,
      };
      const headers: Record<string, string> = Object.hasOwn(bearers, name)
        ? { Authorization: `Bearer ${bearers[name]}` }
        : { Cookie: owner.cookie() };
      const count = await roundTrips(path(there), headers, 200);
      expect([name, count <= 2]).toEqual([name, true]);
    }
  });
});

describe("the log of all these requests", () => {
  test("has a line for each route, with its pattern instead of the path", async () => {
    // The route that is left out.
    await acceptWithNewAccount(edge, there.invitationToken, { name: "Eve", password: PASSWORD });
    const lines = logged.map((text) => JSON.parse(text)).filter(({ event }) => event === "request");
    const walked = new Set(lines.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`));
    for (const { name } of operations) expect(walked).toContain(name);
    expect(lines.some(({ company_id: id, actor }) => id === FIRST_COMPANY_ID && actor.kind === "key")).toBe(
      true,
    );
  });

  test("contains no secret", () => {
    for (const browser of [owner, stranger, ...roles.values()]) {
      for (const cookie of browser.cookies.values()) {
        secrets.add(cookie);
        // The signed token too.
        secrets.add(decodeURIComponent(cookie).split(".")[0]);
      }
    }
    expect(secrets.size).toBeGreaterThan(20);
    const log = logged.join("\n");
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(8);
      expect([secret, log.includes(secret)]).toEqual([secret, false]);
    }
  });
});

function send(
  { name, method, path }: Operation,
  fetch: (path: string, init: RequestInit) => Promise<Response>,
): Promise<Response> {
  const { about, body } = REQUESTS[name] ?? {};
  const own = PERSONAL[name];
  return fetch(fill(path, about), { ...(own ? json("POST", own(there)) : body?.(there)), method });
}

function fill(path: string, about: Sample["about"]): string {
  return path
    .replace("{upload_id}", there?.upload)
    .replace("{number}", "1")
    .replace("{delivery_id}", there?.delivery)
    .replace(/\{\w+\}/, about ? idOf(about) : "none");
}

function idOf(about: NonNullable<Sample["about"]>): string {
  return about === "content" ? there.content.id : there[about];
}

/** Creates an object of each kind in the first company. */
async function furnish(): Promise<There> {
  const { content, task_id: task, lease }: Submission = await edge.submit({ compile: "browser" });
  // Stays below the limit of storage connections.
  if (there) await edge.fetch(`/api/storage-connections/${there.connection}`, { method: "DELETE" });
  const { id: connection } = await edge.connection("second");
  // Stays below the limits of API keys and of invitations.
  await edge.db.batch([
    edge.db.delete(apiKeys).where(inArray(apiKeys.name, ["Key", "Another"])),
    edge.db.delete(attempts),
  ]);
  const { id: key, key: secret } = await owner.json<CreatedApiKey>(
    "/api/api-keys",
    json("POST", { name: "Key", scopes: ["read"] }),
  );
  secrets.add(secret);
  const { id: upload } = await edge.json<{ id: string }>(
    `/api/ar-content/${content.id}/video-uploads`,
    json("POST", newUpload),
  );
  // Stays below the limits of webhooks and of invitations.
  await edge.db.batch([edge.db.delete(webhookEndpoints), edge.db.delete(invitations)]);
  await edge.db
    .insert(deadLetters)
    .values({ id: "letter", queue: "webhooks", attempts: 1, arrivedAt: 0 })
    .onConflictDoNothing();
  const hook = await edge.json<WebhookWithSecret>("/api/webhooks", json("POST", newWebhook));
  secrets.add(hook.secret);
  const tested = await edge.json<Delivery>(`/api/webhooks/${hook.id}/test`, { method: "POST" });
  const migration = crypto.randomUUID();
  const times = { nextMessageAt: edge.clock, createdAt: edge.clock, updatedAt: edge.clock };
  await edge.db
    .insert(storageMigrations)
    .values({ id: migration, companyId: FIRST_COMPANY_ID, toStorageId: null, state: "done", ...times });
  const invitation = await invite(edge, owner, { email: `${migration}@example.net`, role: "viewer" });
  for (const secret of [lease!.token, invitation.token, invitation.mailToken]) secrets.add(secret);
  const { items } = await owner.json<{ items: Member[] }>("/api/company/members");
  return {
    content,
    project: content.project_id,
    task,
    lease: lease!.token,
    connection,
    key,
    migration,
    upload,
    webhook: hook.id,
    delivery: tested.id,
    invitation: invitation.id,
    invitationToken: invitation.mailToken,
    member: items.find(({ email }) => email === "viewer@example.net")!.id,
  };
}

/** Returns everything that the first company has. */
async function snapshot(): Promise<unknown[]> {
  const of = (table: string, column: string) =>
    env.DB.prepare(`SELECT * FROM ${table} WHERE ${column} = ? ORDER BY id`).bind(FIRST_COMPANY_ID).all();
  const tables = [
    "ar_content",
    "compile_tasks",
    "projects",
    "storage_connections",
    "api_keys",
    "members",
    "invitations",
    "storage_migrations",
    "video_uploads",
    "audit_log",
    "webhook_endpoints",
    "webhook_events",
    "webhook_deliveries",
  ];
  const rows = await Promise.all([of("companies", "id"), ...tables.map((table) => of(table, "company_id"))]);
  return rows.map(({ results }) => results);
}

/** Signs a person in: a member of the company, or the owner of a company of their own. */
async function member(email: string, companyId: string | null, role: Role): Promise<Browser> {
  const id = crypto.randomUUID();
  const times = { createdAt: new Date(edge.clock), updatedAt: new Date(edge.clock) };
  await edge.db.insert(users).values({ id, name: email, email, ...times });
  await edge.db.insert(accounts).values({
    id,
    userId: id,
    accountId: id,
    providerId: "credential",
    password: passwordHash,
    ...times,
  });
  if (companyId === null)
    await createCompany(edge.db, {
      owner: { id, name: email },
      name: "Another company",
      address: "",
      now: edge.clock,
    });
  else await edge.db.insert(members).values({ id, companyId, userId: id, role, createdAt: times.createdAt });
  return Browser.signedIn(edge, { email, password: PASSWORD });
}

/** Returns the database with a count of its round trips: statements and batches. */
function countingDatabase() {
  let count = 0;
  const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === "bind") return (...values: unknown[]) => counting(target.bind(...values));
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...values: unknown[]) => {
          if (["all", "first", "raw", "run"].includes(String(name))) count += 1;
          return value.apply(target, values);
        };
      },
    });
  const database = new Proxy(env.DB, {
    get(target, name) {
      if (name === "prepare") return (query: string) => counting(target.prepare(query));
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => {
        count += 1;
        return value.apply(target, values);
      };
    },
  });
  return { db: drizzle(database), roundTrips: () => count, restart: () => (count = 0) };
}
