import { and, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import { type Company, companies, compilationDays, type Database } from "../db/tables.ts";
import { Refusal } from "../errors.ts";

/**
 * How much of the platform a company may use. What it uses is counted by triggers of the database, in the
 * transaction of each change; what it may use is a condition of the statement that would use it. So no two
 * requests get past a quota together.
 */

/** 0: without a limit. */
export interface Quotas {
  /** Photos that are there at the same time. */
  readonly contents: number;
  /** Of photos, markers and videos. */
  readonly bytes: number;
  /** Asked for on one day of UTC; a marker that is reused is none. */
  readonly compilationsADay: number;
}

export const UNLIMITED: Quotas = { contents: 0, bytes: 0, compilationsADay: 0 };

/** What a request would use besides what is used already. */
export interface Wanted {
  readonly contents?: number;
  /** SQL: less what it replaces. */
  readonly bytes?: number | SQL;
  readonly compilations?: number;
}

export interface Usage {
  readonly contents: number;
  readonly bytes: number;
  readonly compilationsToday: number;
}

/** The company's own where it has some. */
export function quotasOf(company: Company, defaults: Quotas): Quotas {
  return {
    contents: company.maxContents ?? defaults.contents,
    bytes: company.maxBytes ?? defaults.bytes,
    compilationsADay: company.maxCompilationsADay ?? defaults.compilationsADay,
  };
}

const DAY_MILLISECONDS = 24 * 3_600_000;

/** A day of UTC, as the database names it. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** When the next day begins. */
export function endOfDay(time: number): number {
  return (Math.floor(time / DAY_MILLISECONDS) + 1) * DAY_MILLISECONDS;
}

/** The condition of a statement that uses what is wanted. */
export function hasRoom(companyId: string, quotas: Quotas, wanted: Wanted, now: number): SQL {
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

/** Compilations of the newest days, this one included, oldest first; days without any are left out. */
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

/** There was no room, and when it was looked for again there was. */
export function quotaBrieflyExhausted(): Refusal {
  return new Refusal("quota_exceeded", "A quota was used up for a moment; there is room again.");
}

/** Forgets days of more than a year ago. */
export async function sweepDays(db: Database, now: number): Promise<void> {
  await db.delete(compilationDays).where(lt(compilationDays.day, dayOf(now - KEEP_DAYS * DAY_MILLISECONDS)));
}

const whole = new Intl.NumberFormat("en");
const size = (bytes: number) => `${whole.format(Math.round(bytes / 10_000) / 100)} MB`;

/** Why there is no room for what is wanted; null: there is. */
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
      `The company has ${whole.format(usage.contents)} of the ${whole.format(contents)} photos that it may have; ` +
        "delete some, or ask the operator for more.",
    );
  }
  if (bytes && wanted.bytes && usage.bytes + wanted.bytes > bytes) {
    return new Refusal(
      "quota_exceeded",
      `The company stores ${size(usage.bytes)} of the ${size(bytes)} that it may store, and this would be ` +
        `${size(wanted.bytes)} more; delete something, or ask the operator for more.`,
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
      `The company has asked for ${whole.format(usage.compilationsToday)} of the ${whole.format(compilationsADay)} ` +
        `compilations that it may have today; from ${new Date(resetsAt).toISOString()} on there are new ones.`,
      { "Retry-After": String(Math.ceil((resetsAt - now) / 1000)) },
    );
  }
  return null;
}
