import type { YandexPermission } from "../bindings.ts";
import type { StorageHttp } from "./http.ts";
import type { StorageProvider } from "./provider.ts";
import { S3Storage } from "./s3.ts";
import type { ConnectionSettings, YandexDiskSettingsBody } from "./settings.ts";
import { YandexDiskStorage } from "./yandex-disk.ts";
import {
  authorizeUrl,
  beginAttempt,
  exchangeCode,
  refreshTokens,
  type YandexApplication,
  type YandexTokens,
} from "./yandex-oauth.ts";

/** A token is renewed this long before its end. */
const RENEWAL_MILLISECONDS = 30 * 24 * 3_600_000;

export interface Backends {
  readonly http: StorageHttp;
  /** Null: this installation has none. */
  readonly yandex: YandexApplication | null;
  readonly now: () => number;
}

/**
 * A client of checked settings.
 *
 * @param renewed saves settings that had to be renewed on the way
 */
export async function connectStorage(
  { provider, settings }: ConnectionSettings,
  backends: Backends,
  renewed: (settings: YandexDiskSettingsBody) => Promise<void>,
): Promise<StorageProvider> {
  switch (provider) {
    case "s3":
      return new S3Storage(settings, backends.http);
    case "yandex_disk": {
      const { token, root } = await withFreshToken(settings, backends, renewed);
      return new YandexDiskStorage({ token, root }, backends.http);
    }
  }
}

/** Settings whose token has a while to live, where it can be renewed. */
async function withFreshToken(
  settings: YandexDiskSettingsBody,
  { http, yandex, now }: Backends,
  renewed: (settings: YandexDiskSettingsBody) => Promise<void>,
): Promise<YandexDiskSettingsBody> {
  const { refresh_token: refreshToken, expires_at: expiresAt } = settings;
  if (!yandex || refreshToken === undefined || expiresAt === undefined) return settings;
  if (Date.parse(expiresAt) - now() > RENEWAL_MILLISECONDS) return settings;
  try {
    const fresh = withTokens(settings, await refreshTokens(yandex, refreshToken, http, now()));
    await renewed(fresh);
    return fresh;
  } catch (error) {
    // Another isolate may have been first, or Yandex be silent: as long as the old token lives, it serves.
    if (Date.parse(expiresAt) <= now()) throw error;
    console.error("A token of Yandex could not be renewed yet", error);
    return settings;
  }
}

/** Settings with tokens that Yandex has just given. */
function withTokens(
  { root }: Pick<YandexDiskSettingsBody, "root">,
  { token, refreshToken, expiresAt }: YandexTokens,
): YandexDiskSettingsBody {
  return {
    root,
    token,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    ...(expiresAt === null ? {} : { expires_at: new Date(expiresAt).toISOString() }),
  };
}

/** How permissions are asked for, for the rest of the edge. */
export function yandexPermission(application: YandexApplication, http: StorageHttp): YandexPermission {
  return {
    newVerifier: () => beginAttempt().verifier,
    authorizeUrl: (attempt, redirectUri) => authorizeUrl(application, attempt, redirectUri),
    exchange: async (code, verifier, root) =>
      withTokens({ root }, await exchangeCode(application, code, { verifier }, http)),
  };
}
