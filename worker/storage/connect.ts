import type { StorageHttp } from "./http.ts";
import type { StorageProvider } from "./provider.ts";
import { S3Storage } from "./s3.ts";
import type { ConnectionSettings, YandexDiskSettingsBody } from "./settings.ts";
import { YandexDiskStorage } from "./yandex-disk.ts";
import { RefreshedTokens, tokensOf, withTokens, type YandexApplication } from "./yandex-oauth.ts";

export interface Backends {
  readonly http: StorageHttp;
  /** Null: this installation is not registered with Yandex. */
  readonly yandex: YandexApplication | null;
  /** Replaces Yandex's API. */
  readonly yandexApiUrl?: string | undefined;
  readonly now: () => number;
}

/**
 * Returns a client for settings that were checked.
 *
 * @param save saves the settings when their tokens were renewed
 */
export async function connectStorage(
  { provider, settings }: ConnectionSettings,
  { http, yandex, yandexApiUrl: apiUrl, now }: Backends,
  save: (settings: YandexDiskSettingsBody) => Promise<void>,
): Promise<StorageProvider> {
  switch (provider) {
    case "s3":
      return new S3Storage(settings, http);
    case "yandex_disk": {
      const { root, token } = settings;
      if (!yandex || settings.refresh_token === undefined) {
        return new YandexDiskStorage({ root, token, apiUrl }, http);
      }
      const tokens = new RefreshedTokens(tokensOf(settings), {
        application: yandex,
        http,
        save: (renewed) => save(withTokens(settings, renewed)),
        now,
      });
      return new YandexDiskStorage({ root, token: tokens, apiUrl }, http);
    }
  }
}
