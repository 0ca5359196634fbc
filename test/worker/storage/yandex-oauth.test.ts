import { beforeEach, describe, expect, it } from "vitest";
import { StorageError } from "../../../worker/storage/provider.ts";
import {
  authorizeUrl,
  beginAttempt,
  codeOf,
  exchangeCode,
  RenewedPermission,
  refreshTokens,
  tokensOf,
  withTokens,
  type YandexAttempt,
  type YandexTokens,
} from "../../../worker/storage/yandex-oauth.ts";
import { hasty, openYandexDisk, yandex } from "./servers/yandex-disk.ts";

beforeEach(() => yandex.reset());

const { clientId, clientSecret, oauthUrl } = yandex;
const application = { clientId, clientSecret, oauthUrl };
const http = hasty();
const HOME = "https://studio.example/callback?from=yandex";
const NOW = Date.UTC(2026, 0, 1);

/** The query that the browser comes back with when the person agrees. */
async function agree(attempt: YandexAttempt): Promise<URLSearchParams> {
  const answer = await fetch(await authorizeUrl(application, attempt, HOME), { redirect: "manual" });
  expect(answer.status).toBe(302);
  const back = new URL(answer.headers.get("location") ?? "");
  expect(back.href).toContain(HOME);
  return back.searchParams;
}

const outcome = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(StorageError);
  expect(error.message).not.toContain(clientSecret);
  return error as StorageError;
};

describe("Yandex's permission", () => {
  it("is given once, works, and is renewed", async () => {
    const attempt = beginAttempt();
    const code = codeOf(await agree(attempt), attempt);
    const first = await exchangeCode(application, code, attempt, http, NOW);
    expect(first.expiresAt).toBe(NOW + 365 * 24 * 3600 * 1000);
    await openYandexDisk({ token: first.token }).createFolder("from-oauth");

    const second = await refreshTokens(application, first.refreshToken ?? "", http, NOW + 1);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.expiresAt).toBe((first.expiresAt ?? 0) + 1);
    expect((await openYandexDisk({ token: second.token }).list("")).folders).toContain("from-oauth");

    expect(await outcome(exchangeCode(application, code, attempt, http))).toMatchObject({ code: "denied" });
    expect(await outcome(refreshTokens(application, first.refreshToken ?? "", http))).toMatchObject({
      code: "denied",
    });
  });

  it("sends secrets in bodies only, and nothing that the token could be read from in the browser", async () => {
    const attempt = beginAttempt();
    const url = await authorizeUrl(application, attempt, HOME);
    expect(url.href).not.toContain(clientSecret);
    expect(url.href).not.toContain(attempt.verifier);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: HOME,
      state: attempt.state,
    });
    await exchangeCode(application, codeOf(await agree(attempt), attempt), attempt, http);
    for (const { path } of await yandex.seen()) expect(path).not.toContain(clientSecret);
  });

  it("has never the same state and verifier twice", () => {
    const attempts = Array.from({ length: 20 }, beginAttempt);
    expect(new Set(attempts.flatMap(({ state, verifier }) => [state, verifier])).size).toBe(40);
    for (const { verifier } of attempts) expect(verifier).toMatch(/^[\w-]{43}$/);
  });

  it("is refused to whoever did not ask for the code", async () => {
    const attempt = beginAttempt();
    const code = codeOf(await agree(attempt), attempt);
    expect(await outcome(exchangeCode(application, code, beginAttempt(), http))).toMatchObject({
      code: "denied",
      providerMessage: "invalid_grant: code_verifier not matched",
    });
  });

  it("is not taken from another attempt's answer", async () => {
    const query = await agree(beginAttempt());
    expect(() => codeOf(query, beginAttempt())).toThrow(expect.objectContaining({ code: "denied" }));
    expect(() => codeOf(new URLSearchParams(), beginAttempt())).toThrow(StorageError);
  });

  it.each([
    ["error=access_denied&error_description=The+user+said+no", "denied", undefined],
    ["error=unauthorized_client&error_description=Not+approved", "denied", "Not approved"],
    ["", "denied", undefined],
  ])("may be denied: %s", (query, code, providerMessage) => {
    const attempt = beginAttempt();
    expect(() => codeOf(new URLSearchParams(`${query}&state=${attempt.state}`), attempt)).toThrow(
      expect.objectContaining({ code, providerMessage }),
    );
  });

  it("is not asked for twice with one code, even when the answer is lost", async () => {
    const attempt = beginAttempt();
    const code = codeOf(await agree(attempt), attempt);
    await yandex.reset();
    await yandex.fault({ host: "oauth", method: "POST", afterwards: true });
    expect(await outcome(exchangeCode(application, code, attempt, http))).toMatchObject({
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

  it("is no token when Yandex has trouble", async () => {
    await yandex.fault({ host: "oauth", status: 500, body: "<html>Oops</html>" });
    expect(await outcome(refreshTokens(application, "1:a", http))).toMatchObject({
      code: "unavailable",
      providerMessage: "HTTP 500",
    });
    await yandex.fault({ host: "oauth", status: 200, body: { token_type: "bearer" } });
    expect(await outcome(refreshTokens(application, "1:a", http))).toMatchObject({ code: "unavailable" });
  });
});

describe("A permission that renews itself", () => {
  const DAY = 24 * 3600 * 1000;

  async function permission(renewed: (tokens: YandexTokens) => Promise<void> = async () => {}) {
    const attempt = beginAttempt();
    const tokens = await exchangeCode(application, codeOf(await agree(attempt), attempt), attempt, http, NOW);
    await yandex.reset();
    const clock = { now: NOW };
    const renewal = { application, http, renewed, now: () => clock.now };
    const open = (changed: Partial<YandexTokens> = {}) =>
      openYandexDisk({ token: new RenewedPermission({ ...tokens, ...changed }, renewal) });
    return { tokens, clock, open };
  }
  const renewals = async () => (await yandex.seen()).filter(({ host }) => host === "oauth").length;

  it("leaves a token alone that has time", async () => {
    const { clock, open } = await permission();
    clock.now = NOW + 300 * DAY;
    await open().quota();
    await open({ expiresAt: null }).quota();
    expect(await renewals()).toBe(0);
  });

  it("renews one that ends soon, once however many ask, and hands the new tokens on", async () => {
    const kept: YandexTokens[] = [];
    const { tokens, clock, open } = await permission(async (renewed) => void kept.push(renewed));
    clock.now = NOW + 350 * DAY;
    const storage = open();
    await Promise.all([storage.quota(), storage.head("a"), storage.list("")]);
    await storage.quota();
    expect(await renewals()).toBe(1);
    expect(kept).toEqual([expect.objectContaining({ expiresAt: clock.now + 365 * DAY })]);
    const seen = (await yandex.seen()).filter(({ host }) => host === "api");
    expect(seen.at(-1)?.headers.authorization).toBe(`OAuth ${kept[0].token}`);
    expect(kept[0].token).not.toBe(tokens.token);
  });

  it("goes on with the old token when it cannot be renewed", async () => {
    const { clock, open } = await permission();
    clock.now = NOW + 350 * DAY;
    const storage = open({ refreshToken: "1:spent-by-another" });
    expect(await storage.quota()).not.toBeNull();
    expect(await storage.head("nothing")).toBeNull();
    expect(await renewals()).toBe(1);
  });

  it("replaces a token that Yandex does not accept, and asks again", async () => {
    const kept: YandexTokens[] = [];
    const { open } = await permission(async (renewed) => void kept.push(renewed));
    const storage = open({ token: "y0_revoked" });
    expect((await storage.quota())?.totalBytes).toBeGreaterThan(0);
    expect(kept).toHaveLength(1);
    expect((await yandex.seen()).map(({ host }) => host)).toEqual(["api", "oauth", "api"]);
  });

  it("is what saved settings say, and settings can keep it", () => {
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

  it("says so when nothing helps", async () => {
    const { open } = await permission();
    const revoked = { token: "y0_revoked", refreshToken: "1:revoked" };
    expect(await outcome(open(revoked).quota())).toMatchObject({ code: "denied" });
    expect(await outcome(open({ ...revoked, refreshToken: null }).quota())).toMatchObject({
      code: "invalid_config",
      field: "token",
    });
  });
});
