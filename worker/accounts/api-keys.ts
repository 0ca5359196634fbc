import { and, desc, eq, exists, sql } from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { insertIf } from "../db/insert-if.ts";
import { type ApiKeyRow, apiKeys, type Company, type Database } from "../db/tables.ts";
import { hex, sha256 } from "../sha256.ts";
import type { Scope } from "./permissions.ts";

/** A scanner of leaked secrets knows our keys by it. */
export const BEGINNING = "vivi_";
const SECRET_BYTES = 24;
/** Of the key, shown for ever: 32 random bits, enough to tell keys apart. */
const PREFIX_LENGTH = BEGINNING.length + 8;

/** Of one company: each key has rate limits of its own. */
export const MAX_KEYS = 100;

export function isKey(text: string): boolean {
  return text.startsWith(BEGINNING) && text.length === BEGINNING.length + 2 * SECRET_BYTES;
}

/** Not salted and not slow: 192 random bits are guessed by nobody. */
export function hashKey(key: string): Promise<string> {
  return sha256(new TextEncoder().encode(key));
}

/** The API keys of one company; no other's can be reached through it. */
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

  /** Newest first. */
  list(): Promise<ApiKeyRow[]> {
    return this.#db
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.companyId, this.#company.id))
      .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id));
  }

  /** @returns the key itself, which is nowhere to be read afterwards; undefined when there are too many */
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
    const key = BEGINNING + hex(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    const prefix = key.slice(0, PREFIX_LENGTH);
    const companyId = this.#company.id;
    const values = {
      ...{ id, companyId, name, prefix, hash: await hashKey(key), scopes },
      ...{ createdBy, expiresAt, createdAt: now },
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

  /** False when there is no such key. */
  async revoke(id: string): Promise<boolean> {
    const key = this.#db.select({ name: apiKeys.name }).from(apiKeys).where(this.#own(id));
    const [, revoked] = await this.#db.batch([
      // Before it is gone, for its name.
      this.#audit.entry("key.revoked", { id, name: sql`${key}` }, null, exists(key)),
      this.#db.delete(apiKeys).where(this.#own(id)).returning({ id: apiKeys.id }),
    ]);
    return revoked.length === 1;
  }
}
