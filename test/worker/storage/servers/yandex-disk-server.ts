/** Runs the test server of Yandex Disk in Node, for the tests in workerd. */
import type { TestProject } from "vitest/node";
import { startYandexDisk } from "../../../yandex-disk/server.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { apiUrl, transferUrl, oauthUrl, controlUrl, token, appToken, clientId, clientSecret, close } =
    await startYandexDisk();
  project.provide("yandexDisk", {
    apiUrl,
    transferUrl,
    oauthUrl,
    controlUrl,
    token,
    appToken,
    clientId,
    clientSecret,
  });
  return close;
}
