import { and, desc, eq, exists, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { insertIf } from "../db/insert-if.ts";
import { type ApiKeyRow, apiKeys, type Company, type Database } from "../db/tables.ts";
import { hex, sha256 } from "../sha256.ts";
import type { Scope } from "./permissions.ts";

/** Scanners for leaked secrets recognise our keys by this prefix. */
export const KEY_PREFIX = "vivi_";
const SECRET_BYTES = 24;
/** The part of a key that stays visible. Its 32 random bits tell keys apart. */
const PREFIX_LENGTH = KEY_PREFIX.length + 8;

/** API keys of one company. Without a limit, more keys would mean a higher rate limit. */
export const MAX_KEYS = 100;

export function isApiKey(text: string): boolean {
  return text.startsWith(KEY_PREFIX) && text.length === KEY_PREFIX.length + 2 * SECRET_BYTES;
}

/** Returns the stored hash of a key. Its 192 random bits need neither a salt nor a slow hash. */
export function hashKey(key: string): Promise<string> {
  return sha256(new TextEncoder().encode(key));
}

/** The API keys of one company. Those of other companies are out of reach. */
export class ApiKeyStore {
  readonly #db: Database;
  readonly #company: Company;
  readonly #audit: Audit;

  constructor(db: Database, company: Company, audit: Audit) {
    this.#db = db;
    this.#company = company;
    this.#audit = audit;
  }

  #own(id: string) {
    return and(eq(apiKeys.companyId, this.#company.id), eq(apiKeys.id, id));
  }

  /** Returns the keys, the newest first. */
  list(): Promise<ApiKeyRow[]> {
    return this.#db
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.companyId, this.#company.id))
      .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id));
  }

  /** Creates a key. @returns the key, which cannot be read again; undefined when the company has `MAX_KEYS` */
  async create(
    {
      id,
      name,
      scopes,
      expiresAt,
    }: { id: string; name: string; scopes: readonly Scope[]; expiresAt: number | null },
    createdBy: string,
    now: number,
  ): Promise<{ key: string; row: ApiKeyRow } | undefined> {
    const key = KEY_PREFIX + hex(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    const prefix = key.slice(0, PREFIX_LENGTH);
    const companyId = this.#company.id;
    const values = {
      id,
      companyId,
      name,
      prefix,
      hash: await hashKey(key),
      scopes,
      createdBy,
      expiresAt,
      createdAt: now,
    };
    const [row] = await this.#audit.record(
      insertIf(
        this.#db,
        apiKeys,
        values,
        sql`(SELECT count(*) FROM ${apiKeys} WHERE ${eq(apiKeys.companyId, companyId)}) < ${MAX_KEYS}`,
      ).returning(),
      "key.created",
      { id, name },
      { prefix, scopes },
    );
    return row && { key, row };
  }

  /** Revokes a key. @returns false when the company has no such key */
  async revoke(id: string): Promise<boolean> {
    const key = this.#db.select({ name: apiKeys.name }).from(apiKeys).where(this.#own(id));
    const [, revoked] = await this.#db.batch([
      // The entry comes first: it reads the name from the row.
      this.#audit.entry("key.revoked", { id, name: sql`${key}` }, null, exists(key)),
      this.#db.delete(apiKeys).where(this.#own(id)).returning({ id: apiKeys.id }),
    ]);
    return revoked.length === 1;
  }
}
