import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Me } from "../../../worker/accounts/schemas.ts";
import { app } from "../../../worker/app.ts";
import type { Bindings } from "../../../worker/bindings.ts";
import { arContent, invitations, mails } from "../../../worker/db/tables.ts";
import type { Submission } from "../../../worker/schemas.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";

/** The sender of a request chooses its Host header: without PUBLIC_URL it must not decide where links lead. */

let edge: Edge;
let owner: Browser;
/** Bindings without PUBLIC_URL. */
let unset: Partial<Bindings>;

beforeAll(async () => {
  edge = new Edge();
  edge.clock = Date.now();
  await setUp(edge);
});

beforeEach(async () => {
  edge = new Edge();
  edge.clock = Date.now();
  owner = await Browser.signedIn(edge, OWNER);
  const yandex = {
    newVerifier: () => "v".repeat(43),
    authorizeUrl: async (_: object, redirectUri: string) =>
      new URL(`https://oauth.example/?to=${encodeURIComponent(redirectUri)}`),
    exchange: () => Promise.reject(new Error("not asked")),
  };
  unset = { settings: { ...edge.settings, publicUrl: "" }, yandex };
});

/** Sends a request of the owner's browser to any host. */
function at(origin: string, path: string, init: RequestInit = {}, bindings = unset): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set(
    "Cookie",
    owner.cookie().replaceAll("__Secure-", origin.includes("localhost") ? "" : "__Secure-"),
  );
  headers.set("Origin", origin);
  const request = new Request(`${origin}${path}`, { ...init, headers });
  return Promise.resolve(app.fetch(request, { ...edge.bindings, ...bindings }));
}

const EVIL = "https://evil.example";

interface Asked {
  readonly name: string;
  readonly path: string;
  readonly init?: () => RequestInit;
}

const REQUESTS: readonly Asked[] = [
  {
    name: "a mail with a reset link",
    path: "/api/auth/request-password-reset",
    init: () => json("POST", { email: OWNER.email }),
  },
  {
    name: "an invitation",
    path: "/api/auth/organization/invite-member",
    init: () => json("POST", { email: "grace@example.net", role: "viewer" }),
  },
  {
    name: "a photo and its QR code",
    path: "/api/ar-content",
    init: () => ({ method: "POST", body: form({ image: png() }) }),
  },
  {
    name: "a batch",
    path: "/api/ar-content/batch",
    init: () => ({ method: "POST", body: form({ image: png() }) }),
  },
  { name: "a passkey's challenge", path: "/api/auth/passkey/generate-authenticate-options" },
  {
    name: "a passkey",
    path: "/api/me/passkeys/options",
    init: () => json("POST", { current_password: OWNER.password }),
  },
  { name: "a redirect from Yandex", path: "/api/storage-connections/yandex/authorize" },
];

describe("without PUBLIC_URL", () => {
  test.each(REQUESTS)("the Host header does not decide about $name", async ({ path, init }) => {
    const count = async () =>
      (await Promise.all([mails, invitations, arContent].map((table) => edge.db.select().from(table)))).map(
        (rows) => rows.length,
      );
    const before = [await count(), await edge.allFiles()];
    const refused = await refusal(await at(EVIL, path, init?.()));
    expect(refused).toMatchObject({ status: 503, code: "public_url_missing" });
    expect(JSON.stringify(refused)).not.toContain("evil");
    expect([await count(), await edge.allFiles()]).toEqual(before);
  });

  test.each(REQUESTS)("on loopback, $name needs no configuration", async ({ path, init }) => {
    const response = await at("http://localhost:8787", path, init?.());
    expect([response.status, await response.text()]).toEqual([
      expect.toBeOneOf([200, 201]),
      expect.not.stringContaining("evil"),
    ]);
  });

  test("what exists can be read; the viewer's link is relative, and the QR code is refused", async () => {
    const { content } = (await edge.submit()) as Submission;
    const read = await at(EVIL, `/api/ar-content/${content.id}`);
    expect(await read.json()).toMatchObject({ viewer_url: `/v/${content.unique_id}` });
    const list = (await (await at(EVIL, "/api/ar-content")).json()) as { items: { viewer_url: string }[] };
    for (const { viewer_url } of list.items) expect(viewer_url).toMatch(/^\/v\//);
    const qr = await at(EVIL, `/api/ar-content/${content.id}/qr.svg`);
    expect((await refusal(qr)).code).toBe("public_url_missing");
  });

  test("/api/health and /api/me say so", async () => {
    const health = async (origin: string, bindings = unset) => {
      const response = await at(origin, "/api/health", {}, bindings);
      const { status, dependencies } = (await response.json()) as {
        status: string;
        dependencies: Record<string, { ok: boolean }>;
      };
      return [response.status, status, dependencies.public_url.ok];
    };
    expect(await health(EVIL)).toEqual([503, "degraded", false]);
    expect(await health("http://127.0.0.1:8787")).toEqual([200, "ok", true]);
    expect(await health(EVIL, {})).toEqual([200, "ok", true]);

    const me = async (origin: string, bindings = unset) =>
      ((await (await at(origin, "/api/me", {}, bindings)).json()) as Me).public_url;
    expect(await me(EVIL)).toBeNull();
    expect(await me("http://localhost:8787")).toBe("http://localhost:8787");
    expect(await me(EVIL, {})).toBe(edge.settings.publicUrl);
  });
});
