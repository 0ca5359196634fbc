import type { ClientResponse } from "hono/client";
import type {
  StorageConnection,
  StorageConnectionReport,
  StorageConnectionUsage,
  StorageMigration,
} from "../../../worker/storage/schemas.ts";
import { accepted, answer, client } from "../api/client.ts";

const connections = client["storage-connections"];
const connection = connections[":id"];
const migrations = client["storage-migrations"];

export type Provider = "s3" | "yandex_disk";
export type Settings = Readonly<Record<string, string>>;

export interface Preset {
  readonly id: string;
  readonly name: string;
  readonly provider: Provider;
  readonly settings: Settings;
}

export async function listConnections(signal?: AbortSignal): Promise<readonly StorageConnection[]> {
  return (await answer(connections.$get({}, { init: { signal } }))).items;
}

export async function listPresets(): Promise<readonly Preset[]> {
  return (await answer(connections.presets.$get())).items;
}

/** The edge checks what no type can promise: the settings came from a form. */
export function createConnection(
  name: string,
  provider: Provider,
  settings: Settings,
): Promise<StorageConnection> {
  const json = { name, provider, settings } as Parameters<typeof connections.$post>[0]["json"];
  return answer(connections.$post({ json }));
}

/** What is left out stays as it is. */
export function changeConnection(id: string, name: string, settings: Settings): Promise<StorageConnection> {
  return answer(connection.$patch({ param: { id }, json: { name, settings } }));
}

export async function deleteConnection(id: string): Promise<void> {
  await accepted(connection.$delete({ param: { id } }));
}

export function testConnection(id: string): Promise<StorageConnectionReport> {
  return answer(connection.test.$post({ param: { id } }));
}

/** Tests settings that are not saved; where they are silent, those of the saved connection serve. */
export function testSettings(
  provider: Provider,
  settings: Settings,
  connectionId: string | undefined,
): Promise<StorageConnectionReport> {
  return answer(connections.test.$post({ json: { provider, settings, connection_id: connectionId } }));
}

export function measureUsage(
  id: string,
  refresh: boolean,
  signal?: AbortSignal,
): Promise<StorageConnectionUsage> {
  const query = { refresh: refresh ? ("true" as const) : ("false" as const) };
  return answer(connection.usage.$get({ param: { id }, query }, { init: { signal } }));
}

/** New files go to this connection from now on. */
export async function useConnection(id: string): Promise<void> {
  await accepted(client.company.storage.$put({ json: { connection_id: id } }));
}

/** Where the person allows the access to their Yandex Disk. */
export async function yandexPermissionUrl(
  name: string,
  root: string,
  connectionId: string | undefined,
): Promise<string> {
  const query = { name, root, ...(connectionId === undefined ? {} : { connection_id: connectionId }) };
  return (await answer(connections.yandex.authorize.$get({ query }))).url;
}

export async function listMigrations(signal?: AbortSignal): Promise<readonly StorageMigration[]> {
  return (await answer(migrations.$get({}, { init: { signal } }))).items;
}

/** Moves all files of the company to a connection. */
export function startMigration(to: string): Promise<StorageMigration> {
  return answer(migrations.$post({ json: { to } }));
}

const steering: Record<
  "pause" | "resume" | "cancel",
  (args: { param: { id: string } }) => Promise<ClientResponse<StorageMigration>>
> = {
  pause: (args) => migrations[":id"].pause.$post(args) as Promise<ClientResponse<StorageMigration>>,
  resume: (args) => migrations[":id"].resume.$post(args) as Promise<ClientResponse<StorageMigration>>,
  cancel: (args) => migrations[":id"].cancel.$post(args) as Promise<ClientResponse<StorageMigration>>,
};

export type Command = keyof typeof steering;

export async function steerMigration(id: string, command: Command): Promise<void> {
  await accepted(steering[command]({ param: { id } }));
}
