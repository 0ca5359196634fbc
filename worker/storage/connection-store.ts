import {
  and,
  count,
  eq,
  exists,
  inArray,
  isNotNull,
  isNull,
  not,
  or,
  type SQL,
  type SQLWrapper,
  sql,
} from "drizzle-orm";
import type { Audit } from "../audit/log.ts";
import { FILE_KINDS } from "../content/file-kinds.ts";
import { hasFileIn, type Losses, placeOf, selectLosses } from "../content/files.ts";
import { endRetention, selectKeptUntil } from "../content/retention.ts";
import { insertIf } from "../db/insert-if.ts";
import {
  arContent,
  type Company,
  type ConnectionRow,
  companies,
  type Database,
  fileMoves,
  isUnfinishedMove,
  type MeasuredUsage,
  orphanedFiles,
  storageConnections,
  storageMigrations,
  storedFiles,
  videoUploads,
} from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { PLATFORM } from "./schemas.ts";
import type { Sealed } from "./secrets.ts";
import type { Provider } from "./settings.ts";

/** Storage connections of one company. They are listed without paging. */
export const MAX_CONNECTIONS = 50;

/** A number of files of a company in a storage. */
interface FileCount {
  readonly files: number;
  /** Without thumbnails and QR codes whose size the sweep has not recorded yet. */
  readonly bytes: number;
}

export interface HeldFiles extends FileCount {
  /** Files that are deleted, and kept for a while (worker/content/retention.ts). */
  readonly deleted: FileCount;
}

/** The uses that keep a connection from being deleted. */
export interface ConnectionUse extends HeldFiles {
  readonly isCurrent: boolean;
  readonly uploads: number;
  /** The time by which the deleted files are removed; null without any. */
  readonly keptUntil: number | null;
  readonly isMigrating: boolean;
}

/** The storage connections of one company. Those of other companies cannot be reached through it. */
export class ConnectionStore {
  readonly company: Company;
  readonly #db: Database;
  readonly #audit: Audit;

  constructor(db: Database, company: Company, audit: Audit) {
    this.#db = db;
    this.company = company;
    this.#audit = audit;
  }

  #own(...conditions: (SQL | undefined)[]): SQL | undefined {
    return and(eq(storageConnections.companyId, this.company.id), ...conditions);
  }

  /** Lists the connections, oldest first. */
  list(): Promise<ConnectionRow[]> {
    return this.#db
      .select()
      .from(storageConnections)
      .where(this.#own())
      .orderBy(storageConnections.createdAt, storageConnections.id);
  }

  async get(id: string): Promise<ConnectionRow | undefined> {
    const [row] = await this.#db
      .select()
      .from(storageConnections)
      .where(this.#own(eq(storageConnections.id, id)));
    return row;
  }

  /** @throws Refusal `quota_exceeded` */
  async insert(
    connection: { id: string; provider: Provider; name: string; sealed: Sealed },
    now: number,
  ): Promise<ConnectionRow> {
    const { id, provider, name, sealed } = connection;
    const [row] = await this.#audit.record(
      insertIf(
        this.#db,
        storageConnections,
        {
          id,
          companyId: this.company.id,
          provider,
          name,
          settings: sealed.text,
          keyId: sealed.keyId,
          createdAt: now,
          updatedAt: now,
        },
        sql`(SELECT count(*) FROM ${storageConnections} WHERE ${this.#own()}) < ${MAX_CONNECTIONS}`,
      ).returning(),
      "connection.created",
      { id, name },
      { provider },
    );
    if (row) return row;
    throw new Refusal(
      "quota_exceeded",
      `The company has ${MAX_CONNECTIONS} storage connections, the maximum. Delete one that is not used.`,
    );
  }

  /**
   * Changes a connection, if its settings are still those of `before`.
   *
   * @param change with `isUnused`, it must not hold files, and no file may be on its way to it
   * @returns the new row; undefined when the settings were changed, or it is used, or was deleted
   */
  async update(
    before: ConnectionRow,
    change: { name?: string | undefined; sealed?: Sealed | undefined; isUnused?: boolean },
    now: number,
  ): Promise<ConnectionRow | undefined> {
    const { name, sealed, isUnused = false } = change;
    const [row] = await this.#audit.record(
      this.#db
        .update(storageConnections)
        .set({
          ...(name === undefined ? {} : { name }),
          ...(sealed ? { settings: sealed.text, keyId: sealed.keyId, usage: null, usageAt: null } : {}),
          updatedAt: now,
        })
        .where(
          this.#own(
            eq(storageConnections.id, before.id),
            eq(storageConnections.settings, before.settings),
            isNull(storageConnections.givenUpAt),
            ...(isUnused ? holdsNothing(before.id) : []),
          ),
        )
        .returning(),
      "connection.changed",
      { id: before.id, name: name ?? before.name },
      { name, settings: sealed && "changed" },
    );
    return row;
  }

  /** Returns what is lost with the files of a connection; undefined when it does not exist. */
  async losses(id: string): Promise<Losses | undefined> {
    const [[row], [losses]] = await this.#db.batch([
      this.#db
        .select({ id: storageConnections.id })
        .from(storageConnections)
        .where(this.#own(eq(storageConnections.id, id))),
      selectLosses(this.#db, this.company.id, id),
    ]);
    return row && losses;
  }

  /**
   * Gives the files of a connection up.
   *
   * @returns false when new files go to it, an open storage migration moves files to it, or it was given up before
   */
  async giveUp({ id, name }: ConnectionRow, losses: Losses, now: number): Promise<boolean> {
    const rows = await this.#audit.record(
      this.#db
        .update(storageConnections)
        .set({ givenUpAt: now, usage: null, usageAt: null, updatedAt: now })
        .where(
          this.#own(
            eq(storageConnections.id, id),
            isNull(storageConnections.givenUpAt),
            isFree(companies, eq(companies.storageConnectionId, id)),
            isFree(
              storageMigrations,
              and(
                eq(storageMigrations.toStorageId, id),
                inArray(storageMigrations.state, ["running", "paused"]),
              ),
            ),
          ),
        )
        .returning({ id: storageConnections.id }),
      "connection.given_up",
      { id, name },
      { ...losses },
    );
    return rows.length === 1;
  }

  /** Deletes a connection that is not in use. Returns false when it is, or does not exist. */
  async remove({ id, name }: ConnectionRow): Promise<boolean> {
    const removed = await this.#audit.record(
      this.#db
        .delete(storageConnections)
        .where(
          this.#own(
            eq(storageConnections.id, id),
            ...holdsNothing(id),
            isFree(companies, eq(companies.storageConnectionId, id)),
            not(this.#isMigrating(id)),
          ),
        )
        .returning({ id: storageConnections.id }),
      "connection.deleted",
      { id, name },
    );
    return removed.length === 1;
  }

  /** The condition that a storage migration still copies to a connection, or has still copies in it to delete. */
  #isMigrating(id: string): SQL {
    const own = eq(storageMigrations.companyId, this.company.id);
    const moved = and(eq(fileMoves.fromStorageId, id), eq(fileMoves.migrationId, storageMigrations.id));
    const open = and(
      own,
      inArray(storageMigrations.state, ["running", "paused"]),
      or(eq(storageMigrations.toStorageId, id), sql`EXISTS (SELECT 1 FROM ${fileMoves} WHERE ${moved})`),
    );
    const unfinished = and(
      own,
      isUnfinishedMove,
      or(eq(storageMigrations.toStorageId, id), eq(fileMoves.fromStorageId, id)),
    );
    return sql`(EXISTS (SELECT 1 FROM ${storageMigrations} WHERE ${open}) OR EXISTS (
      SELECT 1 FROM ${storageMigrations} JOIN ${fileMoves} INDEXED BY file_moves_unfinished ON ${eq(fileMoves.migrationId, storageMigrations.id)}
      WHERE ${unfinished}))`;
  }

  /** Returns the files by connection id; null is the platform's own bucket. */
  async heldFiles(): Promise<Map<string | null, HeldFiles>> {
    return byStorage(await this.#held());
  }

  #held() {
    return this.#db.select().from(storedFiles).where(eq(storedFiles.companyId, this.company.id));
  }

  /** Lists all connections, or the one of an id, oldest first, with the files that each one holds. */
  async inventory(id?: string): Promise<{ rows: ConnectionRow[]; held: Map<string | null, HeldFiles> }> {
    const [rows, held] = await this.#db.batch([
      this.#db
        .select()
        .from(storageConnections)
        .where(this.#own(id === undefined ? undefined : eq(storageConnections.id, id)))
        .orderBy(storageConnections.createdAt, storageConnections.id),
      this.#held(),
    ]);
    return { rows, held: byStorage(held) };
  }

  async useOf(id: string): Promise<ConnectionUse> {
    const reserved = and(eq(orphanedFiles.storageId, id), eq(orphanedFiles.isReserved, true));
    const [stored, [{ uploads }], [{ reservations }], [{ isMigrating }], [kept]] = await Promise.all([
      this.#held(),
      this.#db.select({ uploads: count() }).from(videoUploads).where(eq(videoUploads.storageId, id)),
      this.#db.select({ reservations: count() }).from(orphanedFiles).where(reserved),
      this.#db
        .select({ isMigrating: sql<number>`${this.#isMigrating(id)}` })
        .from(companies)
        .where(eq(companies.id, this.company.id)),
      selectKeptUntil(this.#db, this.company.id, id),
    ]);
    return {
      ...heldIn(byStorage(stored), id),
      isCurrent: this.company.storageConnectionId === id,
      uploads: uploads + reservations,
      keptUntil: kept.until,
      isMigrating: isMigrating === 1,
    };
  }

  /** Returns the path of a file of content, deleted or not, that the connection holds; undefined without any. */
  async sampleFile(id: string): Promise<string | undefined> {
    const [content] = await this.#db
      .select()
      .from(arContent)
      .where(and(hasFileIn(id), eq(arContent.companyId, this.company.id)))
      .limit(1);
    const places = FILE_KINDS.map((kind) => content && placeOf(content, kind));
    return places.find((place) => place?.storageId === id)?.path;
  }

  /** Lets the sweep delete the deleted files in a storage at once. Null: the platform's own bucket. */
  async deleteKept(id: string | null, now: number): Promise<void> {
    const object = { id: id ?? PLATFORM, name: nameOfStorage(id) };
    await this.#db.batch([
      ...endRetention(this.#db, { companyId: this.company.id, storageId: id }, now),
      this.#audit.entry("connection.files_deleted", object, null, sql`1`),
    ]);
  }

  /**
   * Makes a connection the one that new files go to.
   *
   * @param id null: the platform's own bucket
   * @returns whether the connection exists and its files were not given up
   */
  async makeCurrent(id: string | null, now: number): Promise<boolean> {
    const rows = await this.#audit.record(
      this.#db
        .update(companies)
        .set({ storageConnectionId: id, updatedAt: now })
        .where(and(eq(companies.id, this.company.id), acceptsFiles(this.#db, this.company.id, id)))
        .returning({ id: companies.id }),
      "storage.switched",
      { id: id ?? PLATFORM, name: nameOfStorage(id) },
    );
    return rows.length === 1;
  }

  /** Records that the pages of an origin were allowed to upload straight to a connection. */
  async noteUploadsAllowed(id: string | null, origin: string): Promise<void> {
    const object = { id: id ?? PLATFORM, name: nameOfStorage(id) };
    await this.#audit.entry("connection.uploads_allowed", object, { origin }, sql`1`);
  }

  async noteTest(id: string, error: string | null, now: number): Promise<void> {
    await this.#db
      .update(storageConnections)
      .set({ lastTestAt: now, lastTestError: error })
      .where(this.#own(eq(storageConnections.id, id)));
  }

  /** @param id null: the platform's own bucket */
  async noteUsage(id: string | null, usage: MeasuredUsage, now: number): Promise<void> {
    const set = { usage, usageAt: now };
    if (id === null) await this.#db.update(companies).set(set).where(eq(companies.id, this.company.id));
    else
      await this.#db
        .update(storageConnections)
        .set(set)
        .where(this.#own(eq(storageConnections.id, id)));
  }
}

/** The conditions that a connection has no files, and that none are on their way to it. */
function holdsNothing(id: string): SQL[] {
  return [
    isFree(arContent, hasFileIn(id)),
    isFree(videoUploads, eq(videoUploads.storageId, id)),
    isFree(orphanedFiles, eq(orphanedFiles.storageId, id)),
  ];
}

/** Deletes a connection whose files were given up, once nothing names them. */
export async function removeGivenUp(db: Database, id: string): Promise<void> {
  await db
    .delete(storageConnections)
    .where(and(eq(storageConnections.id, id), isNotNull(storageConnections.givenUpAt), ...holdsNothing(id)));
}

/** The condition that a company has a connection. Null is the platform's own bucket, which every company has. */
export function isConnectionOf(db: Database, companyId: string, id: string | null): SQL {
  if (id === null) return sql`1`;
  const connection = db
    .select({ id: storageConnections.id })
    .from(storageConnections)
    .where(and(eq(storageConnections.id, id), eq(storageConnections.companyId, companyId)));
  return exists(connection);
}

/** The condition that a company has a connection whose files were not given up. */
export function acceptsFiles(db: Database, companyId: string, id: string | null): SQL {
  const isGivenUp = and(eq(storageConnections.id, id ?? ""), isNotNull(storageConnections.givenUpAt));
  return sql`(${isConnectionOf(db, companyId, id)} AND ${isFree(storageConnections, isGivenUp)})`;
}

/** Returns the name of a connection in SQL; "Vivimark" for null, the platform's own bucket. */
export function nameOfStorage(id: string | SQL | null): SQL {
  return sql`coalesce((SELECT name FROM storage_connections WHERE id = ${id}), 'Vivimark')`;
}

function isFree(table: SQLWrapper, where: SQL | undefined): SQL {
  return sql`NOT EXISTS (SELECT 1 FROM ${table} WHERE ${where})`;
}

function byStorage(rows: readonly (typeof storedFiles.$inferSelect)[]): Map<string | null, HeldFiles> {
  const held = new Map<string | null, HeldFiles>();
  for (const { storageId, isDeleted, files, bytes } of rows) {
    const id = storageId || null;
    const before = heldIn(held, id);
    held.set(id, isDeleted ? { ...before, deleted: { files, bytes } } : { ...before, files, bytes });
  }
  return held;
}

/** Returns the files in a storage; null is the platform's own bucket. */
export function heldIn(held: ReadonlyMap<string | null, HeldFiles>, id: string | null): HeldFiles {
  return held.get(id) ?? { files: 0, bytes: 0, deleted: { files: 0, bytes: 0 } };
}
