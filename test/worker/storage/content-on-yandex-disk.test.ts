// The whole life of a photo, its files on a Yandex Disk.

import { beforeEach, expect, it } from "vitest";
import type { ArContent, Submission, ViewerManifest } from "../../../worker/schemas.ts";
import type { StorageProvider } from "../../../worker/storage/provider.ts";
import type { StorageConnection } from "../../../worker/storage/schemas.ts";
import type { ConnectionSettings } from "../../../worker/storage/settings.ts";
import { Edge, form, json } from "../edge.ts";
import { HEIGHT, jpeg, mind, video, WIDTH } from "../fixtures.ts";
import { openYandexDisk, yandex } from "./servers/yandex-disk.ts";

beforeEach(() => yandex.reset());

const root = `app:/${crypto.randomUUID()}`;

class EdgeOnYandexDisk extends Edge {
  override connect({ settings }: ConnectionSettings): StorageProvider {
    if (!("token" in settings)) throw new Error("These tests have a Yandex Disk only.");
    return openYandexDisk({ token: settings.token, root: settings.root });
  }
}

it("is uploaded, compiled, given a video, viewed and deleted", async () => {
  const edge = new EdgeOnYandexDisk();
  const connection = await edge.json<StorageConnection>(
    "/api/storage-connections",
    json("POST", { provider: "yandex_disk", name: "Disk", settings: { token: yandex.appToken, root } }),
  );
  expect(JSON.stringify(connection)).not.toContain(yandex.appToken);
  await edge.switchTo(connection.id);

  // Large enough to be stored as it arrives.
  const image = jpeg(WIDTH, HEIGHT, 1_100_000);
  const { content, lease } = await edge.json<Submission>("/api/ar-content", {
    method: "POST",
    body: form({ image_bytes: String(image.length), image, compile: "browser" }),
  });
  const path = `/api/ar-content/${content.id}`;
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  const marker = mind();
  const thumbnail = jpeg(WIDTH, HEIGHT);
  await edge.json(`${path}/marker`, {
    method: "PUT",
    body: form({ marker, thumbnail, picture: thumbnail }),
    headers,
  });
  const film = video("mp4", 200_000);
  const complete = await edge.json<ArContent>(`${path}/video`, {
    method: "PUT",
    body: film,
    headers: { "Content-Length": String(film.length), "Content-Type": "video/mp4" },
  });
  expect(complete).toMatchObject({
    marker_status: "ready",
    video_type: "video/mp4",
    video_bytes: film.length,
  });

  const disk = openYandexDisk({ root });
  const { objects } = await disk.list("", { recursive: true });
  const folders = objects.map(({ key }) => key.replace(/\/[^/]*[0-9a-f]{8}-.*$/, ""));
  expect(folders.map((folder) => folder.replace(/^companies\/[^/]+\//, "")).sort()).toEqual([
    "markers/mindar_targets",
    "pictures",
    "portraits/original_images",
    "qr-codes",
    "thumbnails",
    "videos",
  ]);

  for (const [url, body, type] of [
    [complete.image_url, image, "image/jpeg"],
    [complete.marker_url, marker, "application/octet-stream"],
    [complete.thumbnail_url, thumbnail, "image/jpeg"],
    [complete.video_url, film, "video/mp4"],
  ] as const) {
    const response = await edge.fetch(url ?? "");
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    expect(new Uint8Array(await response.arrayBuffer())).toEqualBytes(new Uint8Array(body));
  }
  const part = await edge.fetch(complete.video_url ?? "", { headers: { Range: "bytes=100000-100009" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 100000-100009/200000"]);
  expect(new Uint8Array(await part.arrayBuffer())).toEqualBytes(film.slice(100_000, 100_010));

  const manifest = await edge.json<ViewerManifest>(`/api/viewer/${content.unique_id}`);
  expect(manifest).toMatchObject({ marker_url: complete.marker_url, video_url: complete.video_url });

  const before = (await yandex.seen()).length;
  const counted = await edge.json(`/api/storage-connections/${connection.id}/usage?refresh=true`);
  const asked = (await yandex.seen()).slice(before);
  expect(asked.map((request) => request.path.split("?")[0])).toEqual(["/v1/disk"]);
  // The records equal what a walk through the Disk counts.
  const walked = await disk.usage("");
  expect(counted).toMatchObject({ usage: { ...walked, quota: { used_bytes: expect.any(Number) } } });
  expect(walked.objects).toBe(6);

  expect((await edge.fetch(`${path}?keep_files=false`, { method: "DELETE" })).status).toBe(204);
  expect(await disk.usage("")).toEqual({ objects: 0, bytes: 0 });
  for (const { host, headers: sent } of await yandex.seen()) {
    expect("authorization" in sent).toBe(host === "api");
  }
});
