import { and, eq } from "drizzle-orm";
import { type ConnectionRow, type Database, storageConnections } from "../db/tables.ts";
import { type AddressPolicy, checkAddress } from "./address.ts";
import { DEFAULTS } from "./defaults.ts";
import { givenUpStorage } from "./given-up.ts";
import { StorageError, type StorageProvider } from "./provider.ts";
import type { Sealed, Vault } from "./secrets.ts";
import type { ConnectionSettings } from "./settings.ts";

/** How long an isolate uses an open storage before it reads the connection's row again. */
const CACHE_MILLISECONDS = 30_000;

/** Open storages by connection id. They hold settings only, nothing of a request, so one map serves an isolate. */
export type OpenStorages = Map<string, { readonly storage: StorageProvider; readonly until: number }>;

export interface StorageParts {
  readonly db: Database;
  /** The platform's own bucket. */
  readonly own: StorageProvider;
  readonly vault: Vault;
  readonly policy: AddressPolicy;
  readonly cache: OpenStorages;
  /** Returns a client for checked settings. The client calls `save` when it has renewed its tokens. */
  readonly connect: (
    connection: ConnectionSettings,
    save: (settings: ConnectionSettings["settings"]) => Promise<void>,
  ) => Promise<StorageProvider>;
  readonly now: () => number;
}

/** Opens storages by connection, and encrypts and decrypts their settings. */
export class Storages {
  readonly own: StorageProvider;
  readonly #parts: StorageParts;

  constructor(parts: StorageParts) {
    this.own = parts.own;
    this.#parts = parts;
  }

  /**
   * Returns the storage of a connection.
   *
   * @param connectionId from a row of the company or its content, never from a request; null: the platform's own bucket
   * @throws StorageError `invalid_config` when the connection does not exist or its address is not allowed; VaultError
   *   when its settings cannot be decrypted
   */
  async open(connectionId: string | null): Promise<StorageProvider> {
    if (connectionId === null) return this.own;
    const { db, cache, now } = this.#parts;
    const known = cache.get(connectionId);
    if (known && known.until > now()) return known.storage;
    const [row] = await db.select().from(storageConnections).where(eq(storageConnections.id, connectionId));
    if (!row)
      throw new StorageError("invalid_config", `The storage connection "${connectionId}" does not exist.`);
    const storage =
      row.givenUpAt === null ? await this.connect(await this.settingsOf(row), row) : givenUpStorage;
    cache.set(connectionId, { storage, until: now() + CACHE_MILLISECONDS });
    return storage;
  }

  /**
   * Returns a client for settings.
   *
   * @param row where the settings are saved, if they are
   * @throws StorageError `invalid_config`
   */
  async connect(connection: ConnectionSettings, row?: ConnectionRow): Promise<StorageProvider> {
    checkSettings(connection, this.#parts.policy);
    return this.#parts.connect(connection, async (settings) => {
      if (row) await this.#renew(row, settings);
    });
  }

  async settingsOf({ id, provider, settings, keyId }: ConnectionRow): Promise<ConnectionSettings> {
    const text = await this.#parts.vault.open({ text: settings, keyId }, contextOf(id));
    // They were checked before they were saved, and the vault has verified that nobody has changed them since.
    const saved = JSON.parse(text);
    return { provider, settings: { ...saved, ...DEFAULTS[provider], ...saved } } as ConnectionSettings;
  }

  get newestKeyId(): string | null {
    return this.#parts.vault.newestKeyId;
  }

  /** Encrypts the settings of a row again, with the newest key. */
  async reseal(row: ConnectionRow): Promise<void> {
    await this.#renew(row, (await this.settingsOf(row)).settings);
  }

  /** Encrypts settings for a row. */
  seal(connectionId: string, settings: ConnectionSettings["settings"]): Promise<Sealed> {
    return this.#parts.vault.seal(JSON.stringify(settings), contextOf(connectionId));
  }

  /** Encrypts a text, such as OAuth's `state`. The result is safe in an address. */
  async sealText(text: string, context: string): Promise<string> {
    const sealed = await this.#parts.vault.seal(text, context);
    return `${sealed.keyId}:${sealed.text}`.replaceAll("+", "-").replaceAll("/", "_");
  }

  async openText(sealed: string, context: string): Promise<string> {
    const [keyId, text = ""] = sealed.split(":");
    const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
    return this.#parts.vault.open({ keyId, text: base64 }, context);
  }

  /** Call it when settings were changed or a connection was deleted. */
  forget(connectionId: string): void {
    this.#parts.cache.delete(connectionId);
  }

  /** Encrypts and saves the settings of a row, unless the row has changed since it was read. */
  async #renew(row: ConnectionRow, settings: ConnectionSettings["settings"]): Promise<void> {
    const { text, keyId } = await this.seal(row.id, settings);
    await this.#parts.db
      .update(storageConnections)
      .set({ settings: text, keyId })
      .where(and(eq(storageConnections.id, row.id), eq(storageConnections.settings, row.settings)));
    this.forget(row.id);
  }
}

function contextOf(connectionId: string): string {
  return `storage_connections/${connectionId}`;
}

/** @throws StorageError `invalid_config`, with its field, for an address that is not allowed */
function checkSettings({ provider, settings }: ConnectionSettings, policy: AddressPolicy): void {
  if (provider !== "s3") return;
  const { protocol, hostname } = new URL(settings.endpoint);
  const addresses = [settings.endpoint];
  if (settings.style === "host") addresses.push(`${protocol}//${settings.bucket}.${hostname}/`);
  for (const address of addresses) {
    try {
      checkAddress(address, policy);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      throw new StorageError("invalid_config", error.message, { field: "endpoint" });
    }
  }
}
