import { inject } from "vitest";
import { StorageHttp, type StorageHttpOptions } from "../../../../worker/storage/http.ts";
import { type YandexDiskSettings, YandexDiskStorage } from "../../../../worker/storage/yandex-disk.ts";

const server = inject("yandexDisk");

/** Controls the test server of Yandex Disk. test/yandex-disk/server.ts lists the paths. */
const control = async (path: string, body?: object): Promise<Seen[]> => {
  const init = body ? { method: "POST", body: JSON.stringify(body) } : { method: "POST" };
  return (await fetch(`${server.controlUrl}${path}`, init)).json();
};

export interface Seen {
  readonly host: "api" | "transfer" | "oauth";
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const yandex = {
  ...server,
  reset: () => control("/reset"),
  fault: (fault: object) => control("/faults", fault),
  behave: (behaviour: object) => control("/behaviour", behaviour),
  expireLinks: () => control("/expire-links"),
  seen: () => control("/seen"),
};

/** Returns an HTTP client whose pauses take no time. */
export function hasty(options: Partial<StorageHttpOptions> = {}): StorageHttp {
  return new StorageHttp({ checkAddress: () => {}, sleep: async () => {}, ...options });
}

export function openYandexDisk(
  settings: Partial<YandexDiskSettings> = {},
  http = hasty(),
): YandexDiskStorage {
  const { apiUrl, appToken } = server;
  return new YandexDiskStorage({ token: appToken, root: "app:/", apiUrl, ...settings }, http);
}
