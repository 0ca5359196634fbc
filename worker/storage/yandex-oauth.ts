// How an installation gets a company's permission to use its Yandex Disk: OAuth 2.0 with a code and PKCE, as
// described at yandex.com/dev/id/doc/en/codes/code-url and …/tokens/refresh-client.

import type { StorageHttp } from "./http.ts";
import { StorageError } from "./provider.ts";
import type { YandexDiskSettingsBody } from "./settings.ts";
import type { TokenSource } from "./yandex-disk-api.ts";

const YANDEX_OAUTH = "https://oauth.yandex.ru";

/** With less than this left of a year, a permission is renewed. */
const RENEWAL_MILLISECONDS = 30 * 24 * 3600 * 1000;

/** The application that this installation has registered with Yandex. */
export interface YandexApplication {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Stands for Yandex in tests. */
  readonly oauthUrl?: string | undefined;
}

export interface YandexTokens {
  readonly token: string;
  readonly refreshToken: string | null;
  /** Milliseconds since 1970, for both; null when Yandex does not say. */
  readonly expiresAt: number | null;
}

/** What one attempt to get permission must remember until the person comes back. */
export interface YandexAttempt {
  /** Comes back in the redirect, and proves that the answer belongs to this attempt. */
  readonly state: string;
  /** Proves to Yandex that who exchanges the code is who asked for it (PKCE, RFC 7636). Secret. */
  readonly verifier: string;
}

export function beginAttempt(): YandexAttempt {
  return { state: randomText(), verifier: randomText() };
}

/**
 * Where the person's browser goes to allow the access. It comes back to `redirectUri`, which must be one of those
 * that the application is registered with, and with it the rights: those of the application.
 */
export async function authorizeUrl(
  { clientId, oauthUrl = YANDEX_OAUTH }: Pick<YandexApplication, "clientId" | "oauthUrl">,
  { state, verifier }: YandexAttempt,
  redirectUri: string,
): Promise<URL> {
  const url = new URL("/authorize", oauthUrl);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  url.search = String(
    new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      state,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: "S256",
      // Shows which account is meant, even to somebody who has allowed it before.
      force_confirm: "yes",
    }),
  );
  return url;
}

/**
 * The code in the query that the browser came back with.
 *
 * @throws StorageError `denied` when the person refused, or the answer belongs to another attempt
 */
export function codeOf(query: URLSearchParams, { state }: Pick<YandexAttempt, "state">): string {
  if (query.get("state") !== state) {
    throw new StorageError("denied", "This answer of Yandex belongs to another attempt; begin again.");
  }
  const error = query.get("error");
  if (error === "access_denied")
    throw new StorageError("denied", "The access to Yandex Disk was not allowed.");
  const code = query.get("code");
  if (error !== null || !code) {
    throw new StorageError("denied", "Yandex gave no permission.", {
      providerMessage: query.get("error_description") ?? error ?? undefined,
    });
  }
  return code;
}

/**
 * @throws StorageError `denied` for a code that is wrong, used or older than ten minutes; `invalid_config` for
 *   an application that Yandex does not know; `unavailable`
 */
export function exchangeCode(
  application: YandexApplication,
  code: string,
  { verifier }: Pick<YandexAttempt, "verifier">,
  http: StorageHttp,
  now = Date.now(),
): Promise<YandexTokens> {
  const grant = { grant_type: "authorization_code", code, code_verifier: verifier };
  return askForTokens(application, grant, http, now);
}

/**
 * New tokens for old. The old refresh token is spent; the access token may be the same as before. Yandex
 * recommends it every three months.
 *
 * @throws StorageError `denied` when the permission has ended or was taken back: the person must give it again;
 *   `invalid_config` for an application that Yandex does not know; `unavailable`
 */
export function refreshTokens(
  application: YandexApplication,
  refreshToken: string,
  http: StorageHttp,
  now = Date.now(),
): Promise<YandexTokens> {
  const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
  return askForTokens(application, grant, http, now);
}

/** The permission in saved settings. */
export function tokensOf({ token, refresh_token, expires_at }: YandexDiskSettingsBody): YandexTokens {
  return {
    token,
    refreshToken: refresh_token ?? null,
    expiresAt: expires_at === undefined ? null : Date.parse(expires_at),
  };
}

/** The settings with another permission. */
export function withTokens(
  { root }: Pick<YandexDiskSettingsBody, "root">,
  { token, refreshToken, expiresAt }: YandexTokens,
): YandexDiskSettingsBody {
  return {
    root,
    token,
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    ...(expiresAt !== null && { expires_at: new Date(expiresAt).toISOString() }),
  };
}

/** What a permission that renews itself needs besides its tokens. */
export interface Renewal {
  readonly application: YandexApplication;
  readonly http: StorageHttp;
  /** Keeps the new tokens. They are used even when it rejects, but whoever asked for one hears of it. */
  readonly renewed: (tokens: YandexTokens) => Promise<void>;
  readonly now?: () => number;
}

/**
 * A permission that renews itself: some time before it ends, and when Yandex does not accept the token any more.
 * Where another one has spent the refresh token, the old token serves as long as it lasts.
 */
export class RenewedPermission implements TokenSource {
  #tokens: YandexTokens;
  readonly #renewal: Renewal;
  /**
   * One attempt is enough, for storages are opened afresh long before another is due. Whoever asks meanwhile does
   * not wait for it: in a Worker that request may end, and nobody would ever answer.
   */
  #attempted = false;

  constructor(tokens: YandexTokens, renewal: Renewal) {
    this.#tokens = tokens;
    this.#renewal = renewal;
  }

  async current(): Promise<string> {
    const { token, expiresAt } = this.#tokens;
    const now = this.#renewal.now ?? Date.now;
    if (expiresAt === null || expiresAt - now() > RENEWAL_MILLISECONDS) return token;
    // While the token lasts, a renewal that fails is no reason to stop.
    return (await this.replace(token).catch(() => null)) ?? token;
  }

  async replace(refused: string): Promise<string | null> {
    const { refreshToken } = this.#tokens;
    if (this.#tokens.token === refused && refreshToken !== null && !this.#attempted) {
      this.#attempted = true;
      await this.#renew(refreshToken);
    }
    return this.#tokens.token === refused ? null : this.#tokens.token;
  }

  async #renew(refreshToken: string): Promise<void> {
    const { application, http, renewed, now = Date.now } = this.#renewal;
    this.#tokens = await refreshTokens(application, refreshToken, http, now());
    await renewed(this.#tokens);
  }
}

async function askForTokens(
  { clientId, clientSecret, oauthUrl = YANDEX_OAUTH }: YandexApplication,
  grant: Readonly<Record<string, string>>,
  http: StorageHttp,
  now: number,
): Promise<YandexTokens> {
  // Not to be repeated: what the first time spends, the second time does not find.
  const { status, text } = await http.ask({
    method: "POST",
    url: new URL("/token", oauthUrl),
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: String(new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret })),
  });
  const answer = parse(text);
  if (status !== 200 || !answer.access_token) throw refusal(status, answer);
  return {
    token: answer.access_token,
    refreshToken: answer.refresh_token ?? null,
    expiresAt: answer.expires_in === undefined ? null : now + answer.expires_in * 1000,
  };
}

interface TokenAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
  /** Seconds. */
  readonly expires_in?: number;
  readonly error?: string;
  readonly error_description?: string;
}

function parse(text: string): TokenAnswer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

function refusal(status: number, { error, error_description }: TokenAnswer): StorageError {
  const providerMessage = [error, error_description].filter(Boolean).join(": ") || `HTTP ${status}`;
  switch (error) {
    case "bad_verification_code":
    case "invalid_grant":
      return new StorageError(
        "denied",
        "Yandex's permission is spent, too old or was taken back; give it again.",
        {
          providerMessage,
        },
      );
    case "invalid_client":
    case "unauthorized_client":
      return new StorageError("invalid_config", "Yandex does not know this installation's application.", {
        field: "client_id",
        providerMessage,
      });
    default:
      return new StorageError("unavailable", "Yandex gives no token.", { providerMessage });
  }
}

/** 256 random bits. */
function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
