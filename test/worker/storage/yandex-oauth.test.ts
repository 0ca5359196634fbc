import { beforeEach, describe, expect, it } from "vitest";
import { StorageError } from "../../../worker/storage/provider.ts";
import {
  type Authorization,
  authorizeUrl,
  exchangeCode,
  newVerifier,
  RefreshedTokens,
  refreshTokens,
  tokensOf,
  withTokens,
  type YandexTokens,
} from "../../../worker/storage/yandex-oauth.ts";
import { hasty, openYandexDisk, yandex } from "./servers/yandex-disk.ts";

beforeEach(() => yandex.reset());

const { clientId, clientSecret, oauthUrl } = yandex;
const application = { clientId, clientSecret, oauthUrl };
const http = hasty();
const HOME = "https://studio.example/callback?from=yandex";
const NOW = Date.UTC(2026, 0, 1);

const authorization = (): Authorization => ({ state: crypto.randomUUID(), verifier: newVerifier() });

/** Permits the access as a person does, and returns the code of the redirect. */
async function permit(request: Authorization): Promise<string> {
  const response = await fetch(await authorizeUrl(application, request, HOME), { redirect: "manual" });
  expect(response.status).toBe(302);
  const redirect = new URL(response.headers.get("location") ?? "");
  expect(redirect.href).toContain(HOME);
  expect(redirect.searchParams.get("state")).toBe(request.state);
  return redirect.searchParams.get("code") ?? "";
}

const exchange = (code: string, { verifier }: Authorization, now?: number) =>
  exchangeCode({ application, code, verifier, http, ...(now === undefined ? {} : { now }) });

const outcome = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(StorageError);
  expect(error.message).not.toContain(clientSecret);
  return error as StorageError;
};

describe("An authorization", () => {
  it("gives tokens once, which work and can be renewed", async () => {
    const request = authorization();
    const code = await permit(request);
    const first = await exchange(code, request, NOW);
    expect(first.expiresAt).toBe(NOW + 365 * 24 * 3600 * 1000);
    await openYandexDisk({ token: first.token }).createFolder("from-oauth");

    const second = await refreshTokens(application, first.refreshToken ?? "", http, NOW + 1);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.expiresAt).toBe((first.expiresAt ?? 0) + 1);
    expect((await openYandexDisk({ token: second.token }).list("")).folders).toContain("from-oauth");

    expect(await outcome(exchange(code, request))).toMatchObject({ code: "denied" });
    expect(await outcome(refreshTokens(application, first.refreshToken ?? "", http))).toMatchObject({
      code: "denied",
    });
  });

  it("sends secrets only in bodies, and neither secret nor verifier through the browser", async () => {
    const request = authorization();
    const url = await authorizeUrl(application, request, HOME);
    expect(url.href).not.toContain(clientSecret);
    expect(url.href).not.toContain(request.verifier);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: HOME,
      state: request.state,
    });
    await exchange(await permit(request), request);
    for (const { path } of await yandex.seen()) expect(path).not.toContain(clientSecret);
  });

  it("has a new verifier each time", () => {
    const verifiers = Array.from({ length: 20 }, newVerifier);
    expect(new Set(verifiers).size).toBe(20);
    for (const verifier of verifiers) expect(verifier).toMatch(/^[\w-]{43}$/);
  });

  it("is refused to a client that did not ask for the code", async () => {
    const code = await permit(authorization());
    expect(await outcome(exchange(code, authorization()))).toMatchObject({
      code: "denied",
      providerMessage: "invalid_grant: code_verifier not matched",
    });
  });

  it("is not requested twice with one code, even when the response is lost", async () => {
    const request = authorization();
    const code = await permit(request);
    await yandex.reset();
    await yandex.fault({ host: "oauth", method: "POST", afterwards: true });
    expect(await outcome(exchange(code, request))).toMatchObject({
      code: "unavailable",
    });
    expect(await yandex.seen()).toHaveLength(1);
  });

  it.each([
    [{ clientId: "somebody-else" }, "client_id"],
    [{ clientSecret: "wrong" }, "client_id"],
  ])("needs an application that Yandex knows: %o", async (wrong, field) => {
    const refresh = refreshTokens({ ...application, ...wrong }, "1:a", http);
    expect(await outcome(refresh)).toMatchObject({ code: "invalid_config", field });
  });

  it("is unavailable when Yandex has a fault", async () => {
    await yandex.fault({ host: "oauth", status: 500, body: "<html>Oops</html>" });
    expect(await outcome(refreshTokens(application, "1:a", http))).toMatchObject({
      code: "unavailable",
      providerMessage: "HTTP 500",
    });
    await yandex.fault({ host: "oauth", status: 200, body: { token_type: "bearer" } });
    expect(await outcome(refreshTokens(application, "1:a", http))).toMatchObject({ code: "unavailable" });
  });
});

describe("Refreshed tokens", () => {
  const DAY = 24 * 3600 * 1000;

  async function permission(save: (tokens: YandexTokens) => Promise<void> = async () => {}) {
    const request = authorization();
    const tokens = await exchange(await permit(request), request, NOW);
    await yandex.reset();
    const clock = { now: NOW };
    const renewal = { application, http, save, now: () => clock.now };
    const open = (changed: Partial<YandexTokens> = {}) =>
      openYandexDisk({ token: new RefreshedTokens({ ...tokens, ...changed }, renewal) });
    return { tokens, clock, open };
  }
  const renewals = async () => (await yandex.seen()).filter(({ host }) => host === "oauth").length;

  it("keep a token that does not expire soon", async () => {
    const { clock, open } = await permission();
    clock.now = NOW + 300 * DAY;
    await open().quota();
    await open({ expiresAt: null }).quota();
    expect(await renewals()).toBe(0);
  });

  it("renew a token that expires soon, once for simultaneous requests, and save the new ones", async () => {
    const saved: YandexTokens[] = [];
    const { tokens, clock, open } = await permission(async (renewed) => void saved.push(renewed));
    clock.now = NOW + 350 * DAY;
    const storage = open();
    await Promise.all([storage.quota(), storage.head("a"), storage.list("")]);
    await storage.quota();
    expect(await renewals()).toBe(1);
    expect(saved).toEqual([expect.objectContaining({ expiresAt: clock.now + 365 * DAY })]);
    const seen = (await yandex.seen()).filter(({ host }) => host === "api");
    expect(seen.at(-1)?.headers.authorization).toBe(`OAuth ${saved[0].token}`);
    expect(saved[0].token).not.toBe(tokens.token);
  });

  it("keep using the old token when it cannot be renewed", async () => {
    const { clock, open } = await permission();
    clock.now = NOW + 350 * DAY;
    const storage = open({ refreshToken: "1:spent-by-another" });
    expect(await storage.quota()).not.toBeNull();
    expect(await storage.head("nothing")).toBeNull();
    expect(await renewals()).toBe(1);
  });

  it("replace a token that Yandex refuses, and repeat the request", async () => {
    const saved: YandexTokens[] = [];
    const { open } = await permission(async (renewed) => void saved.push(renewed));
    const storage = open({ token: "y0_revoked" });
    expect((await storage.quota())?.totalBytes).toBeGreaterThan(0);
    expect(saved).toHaveLength(1);
    expect((await yandex.seen()).map(({ host }) => host)).toEqual(["api", "oauth", "api"]);
  });

  it("convert from and to settings", () => {
    const settings = {
      root: "app:/Salon",
      token: "a",
      refresh_token: "b",
      expires_at: "2026-11-22T10:00:00.000Z",
    };
    expect(tokensOf(settings)).toEqual({
      token: "a",
      refreshToken: "b",
      expiresAt: Date.UTC(2026, 10, 22, 10),
    });
    expect(withTokens({ root: "app:/Salon" }, tokensOf(settings))).toEqual(settings);
    const pasted = { root: "app:/", token: "c" };
    expect(withTokens(settings, tokensOf(pasted))).toEqual({ ...pasted, root: "app:/Salon" });
  });

  it("report a permission that was revoked", async () => {
    const { open } = await permission();
    const revoked = { token: "y0_revoked", refreshToken: "1:revoked" };
    expect(await outcome(open(revoked).quota())).toMatchObject({ code: "denied" });
    expect(await outcome(open({ ...revoked, refreshToken: null }).quota())).toMatchObject({
      code: "invalid_config",
      field: "token",
    });
  });
});
