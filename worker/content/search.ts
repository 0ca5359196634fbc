import { type AnyColumn, and, desc, eq, isNull, lte, type SQL, sql } from "drizzle-orm";
import { arContent } from "../db/tables.ts";
import { comesAfter, type Sort, type SortPosition, sortedBy } from "./sorts.ts";

/**
 * Lists of photos that match a text or filters. A page looks at the next candidates in the list's order, and returns
 * those that match.
 *
 * The text is searched in titles, descriptions, order numbers and customers. `content_search` is an FTS5 table of trigrams, which
 * triggers fill (migrations/0029_orders.sql). It finds candidates, and `instr` decides. A text of fewer than three characters has no
 * trigram, so its candidates are simply the newest photos. So are those of filters, and in another order.
 */

/** Candidates that one page looks at. The next page goes on with older ones. */
export const MAX_CANDIDATES = 1000;

/** Trigrams of a search text that are looked up: the more, the fewer candidates are wrong. */
const MAX_TRIGRAMS = 32;

/** Characters of the company's id in `content_search`. */
const COMPANY_CHARACTERS = 8;

export interface Search {
  readonly companyId: string;
  /** Empty: any. */
  readonly text: string;
  readonly sort: Sort;
  /** The condition that a photo is in the list that is searched, which an index serves in its order. */
  readonly isListed: SQL | undefined;
  /** Further conditions. */
  readonly isWanted: SQL | undefined;
  readonly after: SortPosition | undefined;
}

/** Folds case and Unicode variants, so that text in any script is found. */
export function searchable(...texts: string[]): string {
  return texts.join("\n").normalize("NFKC").toLowerCase();
}

/** The fields of a photo that are searched; undefined: unchanged. */
export interface SearchedFields {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly orderNumber?: string | null | undefined;
  readonly customerName?: string | null | undefined;
  readonly customerEmail?: string | null | undefined;
  readonly customerPhone?: string | null | undefined;
}

/** Returns the folded copies of the fields of a new photo. */
export function searchColumns({ title = "", description = "", ...order }: SearchedFields) {
  return {
    searchText: searchable(title, description),
    searchOrder: searchable(...linesOfOrder(order).map((line) => line ?? "")),
  };
}

/**
 * Returns the folded copies with changed fields. In SQL, so that the fields and their copies stay together when two
 * changes meet.
 */
export function changedSearchColumns({ title, description, ...order }: SearchedFields) {
  return {
    searchText: withLines(arContent.searchText, [title, description]),
    searchOrder: withLines(arContent.searchOrder, linesOfOrder(order)),
  };
}

/** Only the last line of a copy may have line breaks of its own. */
function linesOfOrder({ orderNumber, customerName, customerEmail, customerPhone }: SearchedFields) {
  return [orderNumber, customerName, customerEmail, customerPhone];
}

/** Returns a column's text with some of its lines replaced. */
function withLines(column: AnyColumn, lines: readonly (string | null | undefined)[]): SQL {
  let rest = sql`${column}`;
  const kept = lines.map((line, at) => {
    const end = sql`instr(${rest}, char(10))`;
    const old = at === lines.length - 1 ? rest : sql`substr(${rest}, 1, max(${end} - 1, 0))`;
    rest = sql`substr(${rest}, ${end} + 1)`;
    return line === undefined ? old : sql`${searchable(line ?? "")}`;
  });
  return sql.join(kept, sql` || char(10) || `);
}

/** Returns a subquery with the candidates in their order: `place` (the row of `ar_content`) and `is_match`. */
export function candidates({ companyId, text, sort, isListed, isWanted = sql`1`, after }: Search): SQL {
  const searched = searchable(text);
  const contains = sql`(instr(${arContent.searchText}, ${searched}) > 0 OR instr(${arContent.searchOrder}, ${searched}) > 0)`;
  // `ifnull`: photos without the value that a filter tests do not match.
  const isMatch = sql`ifnull(${text === "" ? isWanted : and(isWanted, contains)}, 0)`;
  const match = sort === "newest" ? matchOf(companyId, searched) : null;
  if (match === null) {
    return sql`(SELECT ${arContent}.rowid AS place, ${isMatch} AS is_match
      FROM ${arContent} WHERE ${and(isListed, comesAfter(sort, after))}
      ORDER BY ${sortedBy(sort)} LIMIT ${MAX_CANDIDATES})`;
  }
  // Rows are inserted in the order of their times, and FTS5 returns them in the order of their numbers.
  const isLower = after && sql`content_search.rowid < ${placeOf(companyId, after)}`;
  return sql`(SELECT content_search.rowid AS place, (${isListed} AND ${isMatch}) AS is_match
    FROM content_search CROSS JOIN ${arContent} ON ${arContent}.rowid = content_search.rowid
    WHERE ${and(sql`content_search MATCH ${match}`, eq(arContent.companyId, companyId), isLower)}
    ORDER BY content_search.rowid DESC LIMIT ${MAX_CANDIDATES})`;
}

/**
 * Adds to each candidate its `number` from 1, `match_number` (how many match up to it), and `is_last`. The numbers of
 * the last one count all.
 */
export function numbered(search: Search): SQL {
  // The subquery keeps its order: no window needs another one.
  return sql`(SELECT place, is_match, row_number() OVER () AS number,
      sum(is_match) OVER (ROWS UNBOUNDED PRECEDING) AS match_number, lead(0, 1, 1) OVER () AS is_last
    FROM ${candidates(search)})`;
}

/**
 * Returns a row number such that all photos after the position have a lower one. If the photo itself is deleted, others
 * of the same moment may come again.
 */
function placeOf(companyId: string, after: SortPosition): SQL {
  const own = and(eq(arContent.companyId, companyId), isNull(arContent.deletedAt));
  const upTo = lte(arContent.createdAt, Number(after.value));
  const newest = sql`SELECT ${arContent.createdAt} FROM ${arContent} WHERE ${and(own, upTo)} ORDER BY ${desc(arContent.createdAt)} LIMIT 1`;
  return sql`coalesce(
    (SELECT rowid FROM ${arContent} WHERE ${eq(arContent.id, after.id)}),
    (SELECT max(rowid) + 1 FROM ${arContent} WHERE ${and(own, sql`${arContent.createdAt} = (${newest})`)}),
    0)`;
}

/** Returns the FTS5 expression that finds a text in a company's photos; null if it is too short. */
function matchOf(companyId: string, searched: string): string | null {
  const trigrams = trigramsOf(searched).slice(0, MAX_TRIGRAMS);
  if (trigrams.length === 0) return null;
  const all = (some: readonly string[]) =>
    some.map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(" AND ");
  return `company : (${all(trigramsOf(companyId.slice(0, COMPANY_CHARACTERS)))}) AND text : (${all(trigrams)})`;
}

/** Returns the different sequences of three characters. */
function trigramsOf(text: string): string[] {
  const characters = [...text];
  const trigrams = characters.slice(2).map((last, at) => `${characters[at]}${characters[at + 1]}${last}`);
  return [...new Set(trigrams)];
}
