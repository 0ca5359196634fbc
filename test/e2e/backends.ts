import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import type { StorageConnection } from "../../worker/storage-schemas.ts";
import type { YandexDiskServer } from "../yandex-disk/server.ts";
import { api } from "./content.ts";
import type { Platform } from "./platform.ts";

/** The S3 endpoint that wrangler gives a local bucket: it checks signatures as a real one does. */
export interface S3Server {
  readonly settings: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly access_key_id: string;
    readonly secret_access_key: string;
  };
  close(): Promise<void>;
}

const S3_SERVER = fileURLToPath(new URL("../worker/storage-servers", import.meta.url));

export async function startS3(): Promise<S3Server> {
  const server = createTestHarness({
    root: S3_SERVER,
    workers: [{ configPath: join(S3_SERVER, "wrangler.toml") }],
  });
  const { url } = await server.listen();
  return {
    // As its wrangler.toml says.
    settings: {
      endpoint: new URL("/cdn-cgi/local/r2/s3", url).href,
      region: "auto",
      bucket: "contract",
      access_key_id: "vivimark-key-id",
      secret_access_key: "vivimark-secret",
    },
    close: () => server.close(),
  };
}

/** A storage that a company brings along. */
export interface Storage {
  readonly provider: "s3" | "yandex_disk";
  readonly settings: object;
}

/** In a folder of its own. */
export function s3Storage({ settings }: S3Server, prefix: string): Storage {
  return { provider: "s3", settings: { ...settings, prefix } };
}

export function yandexStorage({ token }: YandexDiskServer, folder: string): Storage {
  return { provider: "yandex_disk", settings: { token, root: `disk:/${folder}` } };
}

/** Adds a storage to the company and sends its new files there. */
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

/** How many files of the company lie in a storage, by its id. */
export async function countFiles(platform: Platform, id: string): Promise<number> {
  const { items } = await api<{ items: StorageConnection[] }>(platform, "/storage-connections");
  return items.find((connection) => connection.id === id)!.files.count;
}
