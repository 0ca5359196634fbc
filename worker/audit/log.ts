import { and, asc, eq, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { deleteInSlices, deleteSome } from "../db/delete-some.ts";
import { insertIf } from "../db/insert-if.ts";
import { insertSelect } from "../db/insert-select.ts";
import { isAfter, newestFirst, pageOf } from "../db/newest-first.ts";
import {
  type AuditRow,
  arContent,
  auditLog,
  type Company,
  type Database,
  members,
  subjectOf,
  users,
} from "../db/tables.ts";
import { listOverfull } from "../db/usage-counts.ts";
import type { Position } from "../http/cursor.ts";
import type { Action, Subject } from "./actions.ts";

/** A person, an API key, or the platform. */
export interface Actor {
  readonly kind: AuditRow["actorKind"];
  readonly id: string;
  readonly name: string;
  /** The network address; empty when the platform does not tell. */
  readonly address: string;
}

/** The actor of what the platform does by itself. */
export const PLATFORM_ACTOR: Actor = { kind: "platform", id: "platform", name: "Vivimark", address: "" };

export interface AuditObject {
  readonly id: string;
  /** The object's current name, or SQL that reads it within the batch. */
  readonly name: string | SQL;
}

/** The changes, with the API's field names. Never a secret. Long values are cut when they are recorded. */
export type AuditDetail = Readonly<Record<string, unknown>>;

/** Entries of an export that are in memory at the same time. A request may make 50 queries on D1's free plan. */
const EXPORT_PAGE = 250;

/** Longest value in the details, in bytes of its JSON. An entry is kept for 400 days. */
const MAX_VALUE_BYTES = 200;

/** Longest name of an object, in characters. */
const MAX_NAME_LENGTH = 200;

/** Entries of one company. Above that, the oldest are deleted. */
export const MAX_ENTRIES = 100_000;

/** The subjects of actions with photos. */
const PHOTO_SUBJECTS = ["content", "marker", "video"] as const satisfies Subject[];

const RETENTION_MS = 400 * 24 * 3_600_000;

/** The audit log of one company, for the changes of one actor. */
export class Audit {
  readonly #db: Database;
  readonly #companyId: string;
  readonly #actor: Actor;
  readonly #now: () => number;

  constructor(db: Database, companyId: string, actor: Actor, now: () => number) {
    this.#db = db;
    this.#companyId = companyId;
    this.#actor = actor;
    this.#now = now;
  }

  /**
   * Returns the statement that inserts an entry. It belongs into the batch of the change.
   *
   * @param condition by default, that the statement right before it changed a row
   */
  entry(
    action: Action,
    { id, name }: AuditObject,
    detail: AuditDetail | null = null,
    condition = sql`changes() > 0`,
  ) {
    const { kind, id: actorId, name: actorName, address } = this.#actor;
    const row = {
      id: crypto.randomUUID(),
      companyId: this.#companyId,
      createdAt: this.#now(),
      actorKind: kind,
      actorId,
      actorName,
      address,
      action,
      objectId: id,
      objectName: sql`substr(coalesce(${name}, ''), 1, ${MAX_NAME_LENGTH})`,
      detail: detail && withoutLongValues(detail),
    };
    return insertIf(this.#db, auditLog, row, condition);
  }

  /** Returns the statement that inserts an entry for each photo that meets a condition. It belongs into the batch too. */
  entriesOfPhotos(action: Action, condition: SQL | undefined, detail: AuditDetail | null = null) {
    const { kind, id: actorId, name: actorName, address } = this.#actor;
    const row = {
      id: sql`lower(hex(randomblob(16)))`,
      companyId: this.#companyId,
      createdAt: this.#now(),
      actorKind: kind,
      actorId,
      actorName,
      address,
      action,
      objectId: arContent.id,
      objectName: arContent.title,
      detail: detail && withoutLongValues(detail),
    };
    return insertSelect(this.#db, auditLog, row, sql`FROM ${arContent} WHERE ${condition}`);
  }

  /** Runs a change together with its entry, in one batch. @returns the rows that the change returns */
  async record<Row>(
    change: BatchItem<"sqlite"> & PromiseLike<Row[]>,
    action: Action,
    object: AuditObject,
    detail: AuditDetail | null = null,
  ): Promise<Row[]> {
    const [rows] = await this.#db.batch([change, this.entry(action, object, detail)]);
    return rows as Row[];
  }
}

function withoutLongValues(detail: AuditDetail): AuditDetail {
  return Object.fromEntries(Object.entries(detail).map(([name, value]) => [name, cut(value)]));
}

/** Returns a long value as the beginning of its text, or of its JSON. */
function cut(value: unknown): unknown {
  const encoder = new TextEncoder();
  const json = JSON.stringify(value) ?? "";
  if (encoder.encode(json).length <= MAX_VALUE_BYTES) return value;
  const text = typeof value === "string" ? value : json;
  const ending = "…";
  const room = new Uint8Array(MAX_VALUE_BYTES - encoder.encode(`"${ending}"`).length);
  let { read } = encoder.encodeInto(text, room);
  // Quotes, backslashes and line breaks take two bytes in JSON.
  while (encoder.encode(JSON.stringify(text.slice(0, read))).length > room.length + 2) read -= 1;
  return `${text.slice(0, read)}${ending}`;
}

/** Returns the statement that inserts an entry about a person's own account into the log of each of their companies. */
export function personEntry(
  db: Database,
  entry: {
    readonly userId: string;
    readonly action: Extract<Action, `person.${string}`>;
    readonly address: string;
    readonly now: number;
    /** By default the entries are inserted in any case. */
    readonly condition?: SQL;
  },
) {
  const { userId, action, address, now, condition } = entry;
  return insertSelect(
    db,
    auditLog,
    {
      id: sql`lower(hex(randomblob(16)))`,
      companyId: members.companyId,
      createdAt: now,
      actorKind: "person",
      actorId: users.id,
      actorName: users.name,
      address,
      action,
      objectId: users.id,
      objectName: users.email,
    },
    sql`FROM ${members} JOIN ${users} ON ${eq(users.id, members.userId)} WHERE ${and(eq(members.userId, userId), condition)}`,
  );
}

export interface AuditQuery {
  readonly action?: Action | undefined;
  readonly subject?: Subject | undefined;
  readonly actorId?: string | undefined;
  readonly objectId?: string | undefined;
  /** Milliseconds since 1970, inclusive. */
  readonly from?: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly to?: number | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/** Returns one page of a company's log, the newest entries first; `next` is null on the last page. */
export async function readAudit(
  db: Database,
  { id: companyId }: Company,
  { action, subject, actorId, objectId, from, to, after, limit }: AuditQuery,
): Promise<{ rows: AuditRow[]; next: Position | null }> {
  const rows = await db
    .select()
    .from(auditLog)
    .where(
      and(
        eq(auditLog.companyId, companyId),
        action && eq(auditLog.action, action),
        subject && sql`${subjectOf(auditLog.action)} = ${subject}`,
        actorId === undefined ? undefined : eq(auditLog.actorId, actorId),
        objectId === undefined ? undefined : eq(auditLog.objectId, objectId),
        from === undefined ? undefined : gte(auditLog.createdAt, from),
        to === undefined ? undefined : lt(auditLog.createdAt, to),
        isAfter(auditLog, after),
      ),
    )
    .orderBy(...newestFirst(auditLog))
    .limit(limit + 1);
  return pageOf(rows, limit, (row) => row);
}

/** Yields up to `limit` entries, the newest first, in pages of at most `EXPORT_PAGE`. */
export async function* exportAudit(
  db: Database,
  company: Company,
  { limit, ...query }: AuditQuery,
): AsyncGenerator<AuditRow[]> {
  let after = query.after;
  for (let left = limit; left > 0; ) {
    const page = await readAudit(db, company, { ...query, after, limit: Math.min(left, EXPORT_PAGE) });
    yield page.rows;
    if (page.next === null) return;
    left -= page.rows.length;
    after = page.next;
  }
}

/**
 * Deletes entries older than 400 days, and the oldest ones of companies with more than `max`: first those about photos,
 * so that nobody can push out the entries about people, keys and storages with changes of photos.
 */
export async function sweepAudit(db: Database, now: number, max = MAX_ENTRIES): Promise<void> {
  await deleteSome(db, auditLog, lte(auditLog.createdAt, now - RETENTION_MS));
  const oldestFirst = sql`${asc(auditLog.createdAt)}, ${asc(auditLog.id)}`;
  for (const { ownerId, rows } of await listOverfull(db, "audit_log", max)) {
    const own = eq(auditLog.companyId, ownerId);
    await deleteInSlices(rows - max, async (limit) => {
      const oldestAbout = PHOTO_SUBJECTS.map((subject) => {
        const about = and(own, sql`${subjectOf(auditLog.action)} = ${subject}`);
        return sql`SELECT * FROM (SELECT rowid, created_at, id FROM ${auditLog} WHERE ${about} ORDER BY ${oldestFirst} LIMIT ${limit})`;
      });
      const aboutPhotos = sql`rowid IN (SELECT rowid FROM (${sql.join(oldestAbout, sql` UNION ALL `)}) ORDER BY created_at, id LIMIT ${limit})`;
      const deleted = await db.delete(auditLog).where(aboutPhotos).returning({ id: auditLog.id });
      const left = limit - deleted.length;
      if (left > 0) await deleteSome(db, auditLog, own, { orderBy: oldestFirst, limit: left });
    });
  }
}
