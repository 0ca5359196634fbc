import type { StorageConnection } from "../../worker/storage/schemas.ts";
import type { LocalS3 } from "../worker/storage/servers/local-s3-server.ts";
import type { YandexDiskServer } from "../yandex-disk/server.ts";
import { api } from "./content.ts";
import type { Platform } from "./platform.ts";

/** A company's own storage. */
export interface Storage {
  readonly provider: "s3" | "yandex_disk";
  readonly settings: object;
}

/** Returns an S3 storage in a folder of its own. */
export function s3Storage({ settings }: LocalS3, prefix: string): Storage {
  return { provider: "s3", settings: { ...settings, prefix } };
}

export function yandexStorage({ token }: YandexDiskServer, folder: string): Storage {
  return { provider: "yandex_disk", settings: { token, root: `disk:/${folder}` } };
}

/** Adds a storage to the company and uses it for new files. Returns its id. */
export async function storeIn(platform: Platform, name: string, storage: Storage): Promise<string> {
  const send = (method: string, body: object): RequestInit => ({
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const { id } = await api<StorageConnection>(
    platform,
    "/storage-connections",
    send("POST", { name, ...storage }),
  );
  await api(platform, "/company/storage", send("PUT", { connection_id: id }));
  return id;
}

/** Returns the number of the company's files in a storage. */
export async function countFiles(platform: Platform, id: string): Promise<number> {
  const { items } = await api<{ items: StorageConnection[] }>(platform, "/storage-connections");
  return items.find((connection) => connection.id === id)!.files.count;
}
