import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import type { CreatedApiKey } from "../../../worker/accounts/schemas.ts";
import type { Bindings } from "../../../worker/bindings.ts";
import { networkOf } from "../../../worker/http/address.ts";
import { type Policy, parseRates, type RateLimits } from "../../../worker/http/rate-limits.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, json, ORIGIN, refusal } from "../edge.ts";

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
  edge.clock = Date.now();
});

afterEach(() => void vi.restoreAllMocks());

/** Returns counters whose windows never end. */
function counters(rates: Partial<Record<Policy, number>>): {
  rateLimits: RateLimits;
  counts: Map<string, number>;
} {
  const counts = new Map<string, number>();
  const limits = Object.entries(rates).map(([policy, requests]) => {
    const count = async (caller: string) => {
      counts.set(caller, (counts.get(caller) ?? 0) + 1);
      return counts.get(caller)! <= requests;
    };
    return [policy, { requests, count }];
  });
  return { rateLimits: Object.fromEntries(limits), counts };
}

describe("a request too many", () => {
  it("is rejected with the policy and Retry-After", async () => {
    const { rateLimits } = counters({ read: 2 });
    const ask = () => edge.fetch("/api/company", {}, { rateLimits });
    for (let i = 0; i < 2; i++) {
      const response = await ask();
      expect(response.status).toBe(200);
      expect(response.headers.get("ratelimit-policy")).toBe('"read";q=2;w=60');
      // The platform does not tell how many requests are left.
      expect(response.headers.has("ratelimit")).toBe(false);
      expect(response.headers.has("retry-after")).toBe(false);
    }
    const refused = await ask();
    expect(refused.headers.get("ratelimit-policy")).toBe('"read";q=2;w=60');
    expect(refused.headers.get("ratelimit")).toBe('"read";r=0;t=60');
    expect(refused.headers.get("retry-after")).toBe("60");
    const problem = await refusal(refused);
    expect([problem.status, problem.code]).toEqual([429, "too_many_requests"]);
    expect(problem.detail).toMatch(
      /^Too many requests: the rate limit ".*" allows 2 in 60 s\. Try again in 60 s\.$/,
    );
  });

  it("counts reads and writes, and callers, separately", async () => {
    const owner = (await setUp(edge))!;
    const key = { name: "Another", scopes: ["read", "manage"] };
    const another = await owner.json<CreatedApiKey>("/api/api-keys", json("POST", key));
    const { rateLimits } = counters({ read: 1, write: 1 });
    const rename = (name: string) => json("POST", { name });
    const status = async (response: Promise<Response>) => (await response).status;
    expect(await status(edge.fetch("/api/projects", rename("A"), { rateLimits }))).toBe(201);
    expect(await status(edge.fetch("/api/projects", rename("B"), { rateLimits }))).toBe(429);
    expect(await status(edge.fetch("/api/projects", {}, { rateLimits }))).toBe(200);
    expect(await status(edge.fetch("/api/projects", {}, { rateLimits }))).toBe(429);
    const asAnother = { Authorization: `Bearer ${another.key}` };
    expect(await status(edge.anonymously("/api/projects", { headers: asAnother }, { rateLimits }))).toBe(200);
    const asPerson = { Cookie: owner.cookie(), "X-Forwarded-For": "203.0.113.1" };
    expect(await status(edge.anonymously("/api/projects", { headers: asPerson }, { rateLimits }))).toBe(200);
    expect(await status(edge.anonymously("/api/me", { headers: asPerson }, { rateLimits }))).toBe(429);
  });

  it("is counted by network for unauthenticated callers", async () => {
    const { rateLimits, counts } = counters({ public: 2 });
    const from = (address: string, path: string, headers = {}) =>
      edge.anonymously(path, { headers: { "CF-Connecting-IP": address, ...headers } }, { rateLimits });
    const viewer = "/api/viewer/11111111-1111-4111-8111-111111111111";
    expect((await from("2001:db8:1:2::1", viewer)).status).toBe(404);
    expect((await from("2001:db8:1:2:ffff::9", "/media/none/video")).status).toBe(404);
    // Neither a wrong key nor an invented address helps.
    const wrong = { Authorization: `Bearer vivi_${"1".repeat(48)}`, "X-Forwarded-For": "192.0.2.1" };
    expect((await from("2001:db8:1:2::1", "/api/company", wrong)).status).toBe(429);
    expect((await from("2001:db8:1:3::1", viewer)).status).toBe(404);
    expect((await from("203.0.113.7", viewer)).status).toBe(404);
    expect([...counts.keys()]).toEqual([
      "public:2001:db8:1:2::/64",
      "public:2001:db8:1:3::/64",
      "public:203.0.113.7",
    ]);
  });

  it.each(["/api/none", "/api/company/none", "/v/11111111-1111-4111-8111-111111111111"])(
    "is counted by network on %s, whether or not that exists",
    async (path) => {
      const { rateLimits, counts } = counters({ public: 1 });
      const headers = { "CF-Connecting-IP": "203.0.113.7" };
      expect((await edge.anonymously(path, { headers }, { rateLimits })).status).not.toBe(429);
      const problem = await refusal(await edge.anonymously(path, { headers }, { rateLimits }));
      expect(problem.code).toBe("too_many_requests");
      expect([...counts.keys()]).toEqual(["public:203.0.113.7"]);
    },
  );

  it("is counted by person for members' routes, so that a crowded network does not stop a session", async () => {
    const { rateLimits, counts } = counters({ public: 0, write: 1 });
    const owner = await Browser.signedIn(edge, OWNER);
    const choose = () =>
      edge.anonymously(
        "/api/auth/organization/set-active",
        json("POST", { organizationId: null }, { Cookie: owner.cookie(), Origin: ORIGIN }),
        { rateLimits },
      );
    const chosen = await choose();
    expect([chosen.status, chosen.headers.get("ratelimit-policy")]).toEqual([200, '"write";q=1;w=60']);
    expect((await choose()).status).toBe(429);
    expect([...counts.keys()]).toEqual([expect.stringMatching(/^write:/)]);
    const signIn = json("POST", OWNER);
    expect((await edge.anonymously("/api/auth/sign-in/email", signIn, { rateLimits })).status).toBe(429);
  });

  it("is readable for pages of other sites", async () => {
    const { rateLimits } = counters({ public: 0 });
    const headers = { Origin: "https://shop.example" };
    const response = await edge.anonymously("/api/viewer/none", { headers }, { rateLimits });
    expect(response.status).toBe(429);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-expose-headers")).toContain("Retry-After");
  });

  it("is accepted while the counter is broken, which is logged", async () => {
    const noted = vi.spyOn(console, "error").mockImplementation(() => {});
    const count = () => Promise.reject(new Error("no counter"));
    const rateLimits: Bindings["rateLimits"] = { read: { requests: 1, count } };
    expect((await edge.fetch("/api/company", {}, { rateLimits })).status).toBe(200);
    expect(noted.mock.calls.join()).toContain("A request could not be counted");
  });
});

test("the platform's own counter refuses", async () => {
  const { success } = await env.BATCH_LIMIT.limit({ key: "test" });
  expect(success).toBe(true);
  await edge.fetch("/api/company");
  const owner = (await setUp(edge)) ?? (await Browser.signedIn(edge, OWNER));
  const key = { name: "Batches", scopes: ["submit"] };
  const made = await owner.json<CreatedApiKey>("/api/api-keys", json("POST", key));
  const statuses = new Map<number, number>();
  // Enough requests to exceed the limit even if a window ends between them.
  for (let i = 0; i < 121; i++) {
    const response = await exports.default.fetch("http://localhost/api/ar-content/batch", {
      ...json("POST", { items: [] }),
      headers: { Authorization: `Bearer ${made.key}`, "Content-Type": "application/json" },
    });
    await response.body?.cancel();
    if (response.status === 422) expect(response.headers.get("ratelimit-policy")).toBe('"batch";q=60;w=60');
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
  expect([...statuses.keys()].sort()).toEqual([422, 429]);
  expect(statuses.get(422)).toBeGreaterThanOrEqual(60);
});

describe("rates", () => {
  it.each([
    ["", {}],
    ["read 3000", { read: 3000 }],
    [" public 6000 ,write 0,, batch 60 ", { public: 6000, write: 0, batch: 60 }],
  ])("%j is %j", (text, rates) => expect(parseRates(text)).toEqual(rates));

  it.each(["reads 3", "read", "read -1", "read 1.5", "read=3", "constructor 3"])("%j is rejected", (text) => {
    expect(() => parseRates(text)).toThrow(/^RATE_LIMITS has ".*"; expected a list/);
  });
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["", ""],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0000:3:4:5:6", "2001:db8:1:0::/64"],
  ["2001:db8::5", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["fe80::1:2:3:4%eth0", "fe80:0:0:0::/64"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:cb00:7107", "203.0.113.7"],
  ["0:0:0:0:0:ffff:cb00:7108", "203.0.113.8"],
  ["64:ff9b::203.0.113.7", "64:ff9b:0:0::/64"],
])("the network of %s is %s", (address, network) => expect(networkOf(address)).toBe(network));
