import { and, eq } from "drizzle-orm";
import { type ConnectionRow, type Database, storageConnections } from "../db/tables.ts";
import type { AddressPolicy } from "./address.ts";
import { StorageError, type StorageProvider } from "./provider.ts";
import type { Sealed, Vault } from "./secrets.ts";
import { type ConnectionSettings, checkSettings, parseSettings } from "./settings.ts";

/** How long an isolate uses a connection without looking whether its row has changed. */
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
  /** Makes a client of checked settings. `renewed` takes settings that the client renewed by itself. */
  readonly connect: (
    connection: ConnectionSettings,
    renewed: (settings: ConnectionSettings["settings"]) => Promise<void>,
  ) => Promise<StorageProvider>;
  readonly now: () => number;
}

/** Every storage that the platform reaches, by connection. */
export class Storages {
  readonly own: StorageProvider;
  readonly #parts: StorageParts;

  constructor(parts: StorageParts) {
    this.own = parts.own;
    this.#parts = parts;
  }

  /**
   * The storage of a connection; null: the platform's own bucket. Whoever names a connection has it from a
   * row of the company, or of the company's content.
   *
   * @throws StorageError `invalid_config` when the connection is gone, or leads where the edge must not go;
   *   VaultError when its settings cannot be decrypted
   */
  async open(connectionId: string | null): Promise<StorageProvider> {
    if (connectionId === null) return this.own;
    const { db, cache, now } = this.#parts;
    const known = cache.get(connectionId);
    if (known && known.until > now()) return known.storage;
    const [row] = await db.select().from(storageConnections).where(eq(storageConnections.id, connectionId));
    if (!row) throw new StorageError("invalid_config", `There is no storage connection "${connectionId}".`);
    const storage = await this.connect(await this.settingsOf(row), row);
    cache.set(connectionId, { storage, until: now() + CACHE_MILLISECONDS });
    return storage;
  }

  /**
   * A client of settings, saved (`row`) or not.
   *
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
    const parsed = parseSettings(provider, JSON.parse(text));
    if (!parsed.success) throw new StorageError("invalid_config", "The saved settings are no longer valid.");
    return { provider, settings: parsed.data } as ConnectionSettings;
  }

  get newestKeyId(): string | null {
    return this.#parts.vault.newestKeyId;
  }

  /** Seals the settings of a row again, with the newest key. */
  async reseal(row: ConnectionRow): Promise<void> {
    await this.#renew(row, (await this.settingsOf(row)).settings);
  }

  /** Settings as a row holds them. */
  seal(connectionId: string, settings: ConnectionSettings["settings"]): Promise<Sealed> {
    return this.#parts.vault.seal(JSON.stringify(settings), contextOf(connectionId));
  }

  /** Seals a text that travels through other hands, such as an address. */
  async sealText(text: string, context: string): Promise<string> {
    const sealed = await this.#parts.vault.seal(text, context);
    return `${sealed.keyId}:${sealed.text}`.replaceAll("+", "-").replaceAll("/", "_");
  }

  async openText(sealed: string, context: string): Promise<string> {
    const [keyId, text = ""] = sealed.split(":");
    const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
    return this.#parts.vault.open({ keyId, text: base64 }, context);
  }

  /** The settings were changed, or the connection is gone. */
  forget(connectionId: string): void {
    this.#parts.cache.delete(connectionId);
  }

  /** Saves settings that a client renewed, or that lie under an old key, unless somebody else changed the settings meanwhile. */
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
