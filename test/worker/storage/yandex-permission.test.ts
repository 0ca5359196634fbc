import { beforeEach, describe, expect, it } from "vitest";
import type { Bindings, YandexPermission } from "../../../worker/bindings.ts";
import { StorageError, type StorageProvider } from "../../../worker/storage/provider.ts";
import type { StorageConnection } from "../../../worker/storage/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";

const API = "/api/storage-connections/yandex";

class EdgeWithDisks extends Edge {
  override connect(): StorageProvider {
    return this.storage;
  }
}

/** Verifiers by the codes that Yandex gave for them. */
const codes = new Map<string, string>();

const mockYandex: YandexPermission = {
  newVerifier: () => crypto.randomUUID(),
  async authorizeUrl({ state, verifier }, redirectUri) {
    const code = crypto.randomUUID();
    codes.set(code, verifier);
    return new URL(`https://oauth.test/?${new URLSearchParams({ state, code, redirect_uri: redirectUri })}`);
  },
  async exchange(code, verifier, root) {
    if (codes.get(code) !== verifier) throw new StorageError("denied", "This code was used.");
    codes.delete(code);
    return {
      root,
      token: `token-of-${code}`,
      refresh_token: "renewal",
      expires_at: "2027-11-22T12:00:00.000Z",
    };
  },
};

let edge: Edge;
let bindings: Partial<Bindings>;

beforeEach(() => {
  edge = new EdgeWithDisks();
  bindings = { yandex: mockYandex };
});

/** Returns the query with which Yandex redirects the person's browser back. */
async function permitted(query = ""): Promise<{ code: string; state: string; redirectUri: string }> {
  const response = await edge.fetch(`${API}/authorize${query}`, {}, bindings);
  expect(response.status).toBe(200);
  const { searchParams } = new URL(((await response.json()) as { url: string }).url);
  const [code = "", state = "", redirectUri = ""] = ["code", "state", "redirect_uri"].map(
    (name) => searchParams.get(name) ?? "",
  );
  return { code, state, redirectUri };
}

async function callback(query: Record<string, string>): Promise<URL> {
  const answer = await edge.fetch(`${API}/callback?${new URLSearchParams(query)}`, {}, bindings);
  expect(answer.status).toBe(303);
  return new URL(answer.headers.get("location") ?? "", "http://edge.test");
}

describe("connecting a Yandex Disk", () => {
  it("makes a connection, whose tokens are not shown", async () => {
    const { code, state, redirectUri } = await permitted("?name=Salon&root=app:/Salon");
    expect(redirectUri).toBe("http://edge.test/api/storage-connections/yandex/callback");
    const { pathname, searchParams } = await callback({ code, state });
    expect(pathname).toBe("/storage");
    const connection = await edge.json<StorageConnection>(
      `/api/storage-connections/${searchParams.get("connection")}`,
    );
    expect(connection).toMatchObject({
      name: "Salon",
      provider: "yandex_disk",
      settings: { root: "app:/Salon", expires_at: "2027-11-22T12:00:00.000Z" },
      secrets: ["token", "refresh_token"],
    });
    expect(JSON.stringify(connection)).not.toMatch(/token-of-|renewal/);
  });

  it("accepts a copied code, and gives an existing connection new tokens", async () => {
    const first = await permitted();
    const exchange = ({ code, state }: { code: string; state: string }) =>
      edge.fetch(`${API}/exchange`, json("POST", { code, state }), bindings);
    const created = (await (await exchange(first)).json()) as StorageConnection;
    expect(created).toMatchObject({ name: "Yandex Disk", settings: { root: "app:/" } });
    const again = await permitted(`?connection_id=${created.id}&root=app:/`);
    expect(await (await exchange(again)).json()).toMatchObject({ id: created.id });
    const spent = await refusal(await exchange(again));
    expect([spent.status, spent.code, spent.detail]).toEqual([
      422,
      "authorization_failed",
      "This code was used.",
    ]);
  });

  it("fails with a changed state, after 30 minutes, and when the person refuses", async () => {
    const { code, state } = await permitted();
    const errorOf = async (query: Record<string, string>) =>
      (await callback(query)).searchParams.get("error");
    expect(await errorOf({ code, state: `${state.slice(0, -2)}AA` })).toContain("Start again");
    expect(await errorOf({ code })).toContain("Start again");
    expect(await errorOf({ error: "access_denied", state })).toBe(
      "Access to Yandex Disk was denied. Allow it at Yandex, and try again.",
    );
    edge.pass(1800);
    expect(await errorOf({ code, state })).toContain("Start again");
  });

  it("needs an installation that is registered with Yandex", async () => {
    const problem = await refusal(await edge.fetch(`${API}/authorize`));
    expect([problem.status, problem.code]).toEqual([503, "authorization_unavailable"]);
  });
});
