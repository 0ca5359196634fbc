import type {
  NewStorageConnection,
  StorageConnection,
  StorageConnectionLosses,
  StorageConnectionReport,
  StorageConnectionTrial,
  StorageConnectionUsage,
  StorageMigration,
  StoragePresetList,
  TrialUpload,
} from "../../../client/client.ts";
import { vivimark } from "../api/client.ts";

/** Calls of the API about storage connections and storage migrations. */

export type Preset = StoragePresetList["items"][number];
export type Provider = Preset["provider"];
export type Settings = Readonly<Record<string, string>>;

export async function listConnections(signal?: AbortSignal): Promise<readonly StorageConnection[]> {
  return (await vivimark.call("GET /api/storage-connections", { signal })).items;
}

export async function listPresets(): Promise<readonly Preset[]> {
  return (await vivimark.call("GET /api/storage-connections/presets")).items;
}

export function createConnection(
  name: string,
  provider: Provider,
  settings: Settings,
): Promise<StorageConnection> {
  // The settings come from a form; the API validates them.
  const body = { name, provider, settings } as unknown as NewStorageConnection;
  return vivimark.call("POST /api/storage-connections", { body });
}

/** Changes the given settings; the others stay as they are. */
export function updateConnection(id: string, name: string, settings: Settings): Promise<StorageConnection> {
  const body = { name, settings };
  return vivimark.call("PATCH /api/storage-connections/{id}", { path: { id }, body });
}

export function deleteConnection(id: string): Promise<void> {
  return vivimark.call("DELETE /api/storage-connections/{id}", { path: { id } });
}

/** Removes the deleted files of a storage, which are kept for 24 hours otherwise. */
export async function removeDeletedFiles(id: string): Promise<void> {
  await vivimark.call("DELETE /api/storage-connections/{id}/deleted-files", { path: { id } });
}

/** Allows this page to upload straight to a storage. */
export async function allowUploads(id: string): Promise<void> {
  await vivimark.call("POST /api/storage-connections/{id}/cors", { path: { id } });
}

/** Returns an address to which this page can try to upload. */
export function beginTrialUpload(id: string): Promise<TrialUpload> {
  return vivimark.call("POST /api/storage-connections/{id}/trial-upload", { path: { id } });
}

export function getLosses(id: string, signal?: AbortSignal): Promise<StorageConnectionLosses> {
  return vivimark.call("GET /api/storage-connections/{id}/losses", { path: { id }, signal });
}

export async function giveUpFiles(id: string, photos: number): Promise<void> {
  await vivimark.call("POST /api/storage-connections/{id}/give-up", { path: { id }, body: { photos } });
}

export function testConnection(id: string): Promise<StorageConnectionReport> {
  return vivimark.call("POST /api/storage-connections/{id}/test", { path: { id } });
}

/** Tests settings that are not saved. Missing ones are taken from the saved connection `connection_id`. */
export function testSettings(body: StorageConnectionTrial): Promise<StorageConnectionReport> {
  return vivimark.call("POST /api/storage-connections/test", { body });
}

export function getUsage(id: string, signal?: AbortSignal): Promise<StorageConnectionUsage> {
  return vivimark.call("GET /api/storage-connections/{id}/usage", { path: { id }, signal });
}

/** Makes a connection the one for new files. */
export async function useConnection(id: string): Promise<void> {
  await vivimark.call("PUT /api/company/storage", { body: { connection_id: id } });
}

/** Returns the page of Yandex on which a person allows access to their Yandex Disk. */
export async function yandexPermissionUrl(
  name: string,
  root: string,
  connectionId: string | undefined,
): Promise<string> {
  const query = { name, root, connection_id: connectionId };
  return (await vivimark.call("GET /api/storage-connections/yandex/authorize", { query })).url;
}

export async function listMigrations(signal?: AbortSignal): Promise<readonly StorageMigration[]> {
  return (await vivimark.call("GET /api/storage-migrations", { signal })).items;
}

/** Starts to move all files of the company to a connection. */
export function startMigration(to: string): Promise<StorageMigration> {
  return vivimark.call("POST /api/storage-migrations", { body: { to } });
}

export type MigrationAction = "pause" | "resume" | "cancel";

export async function controlMigration(id: string, action: MigrationAction): Promise<void> {
  await vivimark.call(`POST /api/storage-migrations/{id}/${action}`, { path: { id } });
}
