import { afterAll } from "vitest";
import { yandexStorage } from "../e2e/backends.ts";
import { portraitComesToLife } from "../e2e/film.ts";
import { startPlatform } from "../e2e/platform.ts";
import { startYandexDisk, type YandexDiskServer } from "../yandex-disk/server.ts";

let yandex: YandexDiskServer;
afterAll(() => yandex?.close());

portraitComesToLife("Yandex Disk", {
  async start() {
    yandex = await startYandexDisk();
    return startPlatform({ yandex });
  },
  storage: () => yandexStorage(yandex, "Vivimark"),
});
