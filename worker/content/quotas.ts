import { and, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { deleteSome } from "../db/delete-some.ts";
import { type Company, companies, compilationDays, type Database } from "../db/tables.ts";
import { Refusal } from "../errors.ts";

/**
 * Quotas: how much of the platform a company may use. Database triggers count the usage in the transaction of
 * each change, and the statement that would use more has the quota as its condition. So two requests at the
 * same moment cannot exceed a quota together.
 */

/** 0 means no limit. */
export interface Quotas {
  /** Photos stored at the same time. */
  readonly contents: number;
  /** Bytes of photos, markers and videos. */
  readonly bytes: number;
  /** Compilations requested on one day of UTC. A reused marker does not count. */
  readonly compilationsADay: number;
}

export const UNLIMITED: Quotas = { contents: 0, bytes: 0, compilationsADay: 0 };

/** The additional usage of a request. */
export interface Wanted {
  readonly contents?: number;
  /** Minus the bytes that it replaces, which SQL can compute. */
  readonly bytes?: number | SQL;
  readonly compilations?: number;
}

export interface Usage {
  readonly contents: number;
  readonly bytes: number;
  readonly compilationsToday: number;
}

/** Returns the company's own quotas, and the defaults where it has none. */
export function quotasOf(company: Company, defaults: Quotas): Quotas {
  return {
    contents: company.maxContents ?? defaults.contents,
    bytes: company.maxBytes ?? defaults.bytes,
    compilationsADay: company.maxCompilationsADay ?? defaults.compilationsADay,
  };
}

export const DAY_MILLISECONDS = 24 * 3_600_000;

/** Returns the day of UTC as the database stores it, such as 2026-11-23. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Returns the time at which the next day of UTC begins. */
export function endOfDay(time: number): number {
  return (Math.floor(time / DAY_MILLISECONDS) + 1) * DAY_MILLISECONDS;
}

/** Returns the condition that what is wanted fits into the quotas. */
export function fitsQuotas(companyId: string, quotas: Quotas, wanted: Wanted, now: number): SQL {
  const { contents, bytes, compilationsADay } = quotas;
  const conditions = [
    wanted.contents &&
      contents &&
      sql`(SELECT content_count FROM companies WHERE id = ${companyId}) + ${wanted.contents} <= ${contents}`,
    wanted.bytes &&
      bytes &&
      sql`(SELECT content_bytes FROM companies WHERE id = ${companyId}) + ${wanted.bytes} <= ${bytes}`,
    wanted.compilations &&
      compilationsADay &&
      sql`coalesce((SELECT compilations FROM compilation_days WHERE company_id = ${companyId} AND day = ${dayOf(now)}), 0) + ${wanted.compilations} <= ${compilationsADay}`,
  ].filter((condition) => typeof condition === "object");
  return and(...conditions) ?? sql`1`;
}

export async function readUsage(db: Database, companyId: string, now: number): Promise<Usage> {
  const [row] = await db
    .select({
      contents: companies.contentCount,
      bytes: companies.contentBytes,
      compilationsToday: sql<number>`coalesce(${compilationDays.compilations}, 0)`,
    })
    .from(companies)
    .leftJoin(
      compilationDays,
      and(eq(compilationDays.companyId, companies.id), eq(compilationDays.day, dayOf(now))),
    )
    .where(eq(companies.id, companyId));
  return row;
}

/** Reads the compilations of the last days, today included, oldest first. Days without any are left out. */
export function readDays(db: Database, companyId: string, days: number, now: number) {
  return db
    .select({ day: compilationDays.day, compilations: compilationDays.compilations })
    .from(compilationDays)
    .where(
      and(
        eq(compilationDays.companyId, companyId),
        gte(compilationDays.day, dayOf(now - (days - 1) * DAY_MILLISECONDS)),
      ),
    )
    .orderBy(compilationDays.day);
}

const KEEP_DAYS = 400;

/** Returns the refusal for a request that found a quota exhausted, although a moment later it was not. */
export function quotaBrieflyExhausted(): Refusal {
  return new Refusal("quota_exceeded", "The quota was briefly exhausted. Try again.");
}

/** Deletes the counts of days more than a year ago. */
export async function sweepDays(db: Database, now: number): Promise<void> {
  await deleteSome(db, compilationDays, lt(compilationDays.day, dayOf(now - KEEP_DAYS * DAY_MILLISECONDS)));
}

const whole = new Intl.NumberFormat("en");
const size = (bytes: number) => `${whole.format(Math.round(bytes / 10_000) / 100)} MB`;

/** Returns why what is wanted does not fit into the quotas; null when it fits. */
export function quotaRefusal(
  quotas: Quotas,
  usage: Usage,
  wanted: Wanted & { readonly bytes?: number },
  now: number,
): Refusal | null {
  const { contents, bytes, compilationsADay } = quotas;
  if (contents && usage.contents + (wanted.contents ?? 0) > contents && wanted.contents) {
    return new Refusal(
      "quota_exceeded",
      `The company has ${whole.format(usage.contents)} of at most ${whole.format(contents)} photos. ` +
        "Delete some, or ask the operator for a higher quota.",
    );
  }
  if (bytes && wanted.bytes && usage.bytes + wanted.bytes > bytes) {
    return new Refusal(
      "quota_exceeded",
      `The company stores ${size(usage.bytes)} of at most ${size(bytes)}; this request needs ` +
        `${size(wanted.bytes)} more. Delete photos or videos, or ask the operator for a higher quota.`,
    );
  }
  if (
    compilationsADay &&
    wanted.compilations &&
    usage.compilationsToday + wanted.compilations > compilationsADay
  ) {
    const resetsAt = endOfDay(now);
    return new Refusal(
      "quota_exceeded",
      `The company has used ${whole.format(usage.compilationsToday)} of its ${whole.format(compilationsADay)} ` +
        `compilations today. Try again after ${new Date(resetsAt).toISOString()}.`,
      { "Retry-After": String(Math.ceil((resetsAt - now) / 1000)) },
    );
  }
  return null;
}
