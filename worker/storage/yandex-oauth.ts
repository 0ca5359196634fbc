import type { YandexPermission } from "../bindings.ts";
import type { StorageHttp } from "./http.ts";
import { StorageError } from "./provider.ts";
import type { YandexDiskSettingsBody } from "./settings.ts";
import type { TokenSource } from "./yandex-disk-api.ts";

/**
 * OAuth 2.0 with an authorization code and PKCE, by which a company permits this installation to use its Yandex Disk:
 * yandex.com/dev/id/doc/en/codes/code-url and …/tokens/refresh-client.
 */

const YANDEX_OAUTH = "https://oauth.yandex.ru";

/** Tokens last a year, and are renewed when less than this is left. */
const RENEWAL_MILLISECONDS = 30 * 24 * 3600 * 1000;

/** The OAuth application of this installation, registered with Yandex. */
export interface YandexApplication {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Replaces Yandex's origin in tests. */
  readonly oauthUrl?: string | undefined;
}

export interface YandexTokens {
  readonly token: string;
  readonly refreshToken: string | null;
  /** Of both tokens, in milliseconds since 1970; null when Yandex does not return it. */
  readonly expiresAt: number | null;
}

/** One authorization, from the link that a person follows to the exchange of the code. */
export interface Authorization {
  /** Yandex returns it in the redirect, which shows that the redirect belongs to this authorization. */
  readonly state: string;
  /** A secret, which proves to Yandex that the client that exchanges the code asked for it (PKCE, RFC 7636). */
  readonly verifier: string;
}

/** Returns 256 random bits in base64url. */
export function newVerifier(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Returns the address at which a person permits the access, to the extent that the application is registered for.
 * Yandex then redirects the browser to `redirectUri`, which must be registered too.
 */
export async function authorizeUrl(
  { clientId, oauthUrl = YANDEX_OAUTH }: Pick<YandexApplication, "clientId" | "oauthUrl">,
  { state, verifier }: Authorization,
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
      // Shows the account, even to a person who has permitted it before.
      force_confirm: "yes",
    }),
  );
  return url;
}

/**
 * Exchanges an authorization code for tokens.
 *
 * @throws StorageError `denied` for a code that is wrong, used or older than ten minutes; `invalid_config` for an
 *   application that Yandex does not know; `unavailable`
 */
export function exchangeCode(exchange: {
  readonly application: YandexApplication;
  readonly code: string;
  readonly verifier: string;
  readonly http: StorageHttp;
  /** Milliseconds since 1970. */
  readonly now?: number;
}): Promise<YandexTokens> {
  const { application, code, verifier, http, now = Date.now() } = exchange;
  const grant = { grant_type: "authorization_code", code, code_verifier: verifier };
  return requestTokens(application, grant, http, now);
}

/**
 * Exchanges a refresh token, which can be used once, for new tokens. The access token may stay the same. Yandex
 * recommends this every three months.
 *
 * @throws StorageError `denied` when the permission has expired or was revoked: a person must give it again;
 *   `invalid_config` for an application that Yandex does not know; `unavailable`
 */
export function refreshTokens(
  application: YandexApplication,
  refreshToken: string,
  http: StorageHttp,
  now = Date.now(),
): Promise<YandexTokens> {
  const grant = { grant_type: "refresh_token", refresh_token: refreshToken };
  return requestTokens(application, grant, http, now);
}

/** Returns the tokens of saved settings. */
export function tokensOf({ token, refresh_token, expires_at }: YandexDiskSettingsBody): YandexTokens {
  return {
    token,
    refreshToken: refresh_token ?? null,
    expiresAt: expires_at === undefined ? null : Date.parse(expires_at),
  };
}

/** Returns settings with other tokens. */
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

export interface Renewal {
  readonly application: YandexApplication;
  readonly http: StorageHttp;
  /** Saves new tokens. If it rejects, so does the call that renewed them; later calls use them all the same. */
  readonly save: (tokens: YandexTokens) => Promise<void>;
  readonly now?: () => number;
}

/**
 * Tokens that are renewed some time before they expire, and when Yandex refuses the access token. If another isolate
 * has used the refresh token, the access token serves until it expires.
 */
export class RefreshedTokens implements TokenSource {
  #tokens: YandexTokens;
  readonly #renewal: Renewal;
  /**
   * One attempt is enough: storages are opened again long before the next is due. Other requests do not wait for it,
   * because a Worker may end the request that renews the tokens, and they would wait forever.
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
    // The token is still valid, so a failed renewal does no harm.
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
    const { application, http, save, now = Date.now } = this.#renewal;
    this.#tokens = await refreshTokens(application, refreshToken, http, now());
    await save(this.#tokens);
  }
}

async function requestTokens(
  { clientId, clientSecret, oauthUrl = YANDEX_OAUTH }: YandexApplication,
  grant: Readonly<Record<string, string>>,
  http: StorageHttp,
  now: number,
): Promise<YandexTokens> {
  // Not repeated: codes and refresh tokens can be used once.
  const { status, text } = await http.ask({
    method: "POST",
    url: new URL("/token", oauthUrl),
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: String(new URLSearchParams({ ...grant, client_id: clientId, client_secret: clientSecret })),
  });
  const answer = parse(text);
  if (status !== 200 || !answer.access_token) throw errorOf(status, answer);
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

/** Returns the error that a response means. */
function errorOf(status: number, { error, error_description }: TokenAnswer): StorageError {
  const providerMessage = [error, error_description].filter(Boolean).join(": ") || `HTTP ${status}`;
  switch (error) {
    case "bad_verification_code":
    case "invalid_grant":
      return new StorageError(
        "denied",
        "Yandex's permission has expired, was already used, or was revoked. Connect the Yandex Disk again.",
        {
          providerMessage,
        },
      );
    case "invalid_client":
    case "unauthorized_client":
      return new StorageError("invalid_config", "Yandex does not know this installation's client ID.", {
        field: "client_id",
        providerMessage,
      });
    default:
      return new StorageError("unavailable", "Yandex did not issue a token.", { providerMessage });
  }
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Returns the OAuth flow of an application, in the edge's own terms. */
export function yandexPermission(application: YandexApplication, http: StorageHttp): YandexPermission {
  return {
    newVerifier,
    authorizeUrl: (attempt, redirectUri) => authorizeUrl(application, attempt, redirectUri),
    exchange: async (code, verifier, root) =>
      withTokens({ root }, await exchangeCode({ application, code, verifier, http })),
  };
}
