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
  RenewedPermission,
  tokensOf,
  withTokens,
  type YandexApplication,
} from "./yandex-oauth.ts";

export interface Backends {
  readonly http: StorageHttp;
  /** Null: this installation has none. */
  readonly yandex: YandexApplication | null;
  /** Stands for Yandex's API. */
  readonly yandexApiUrl?: string | undefined;
  readonly now: () => number;
}

/**
 * A client of checked settings.
 *
 * @param renewed saves settings that had to be renewed on the way
 */
export async function connectStorage(
  { provider, settings }: ConnectionSettings,
  { http, yandex, yandexApiUrl: apiUrl, now }: Backends,
  renewed: (settings: YandexDiskSettingsBody) => Promise<void>,
): Promise<StorageProvider> {
  switch (provider) {
    case "s3":
      return new S3Storage(settings, http);
    case "yandex_disk": {
      const { root, token } = settings;
      if (!yandex || settings.refresh_token === undefined)
        return new YandexDiskStorage({ root, token, apiUrl }, http);
      const permission = new RenewedPermission(tokensOf(settings), {
        application: yandex,
        http,
        renewed: (tokens) => renewed(withTokens(settings, tokens)),
        now,
      });
      return new YandexDiskStorage({ root, token: permission, apiUrl }, http);
    }
  }
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
