import { type SQL, sql } from "drizzle-orm";
import { arContent, type Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";

/**
 * The orders of lists of photos. Each but the newest first sorts by a generated column, so that an index serves its
 * pages (migrations/0030_sorts.sql): a page begins after the last photo of the one before, by the value and the id.
 */

/** Hexadecimal digits of a title, and the rest of its cursor. */
export const MAX_CURSOR_LENGTH = 600;

export const SORTS = ["newest", "title", "score", "expiry"] as const;
export type Sort = (typeof SORTS)[number];

/** A position in a sorted list. */
export interface SortPosition {
  /** The value that the list is sorted by. */
  readonly value: number | string;
  readonly id: string;
}

/** Photos without a score come after all others. */
const NO_SCORE = 101;

/** Characters of the title in its column. */
const TITLE_LENGTH = 64;

/** As 2^53 - 1 in the column: photos that never expire come after all others. */
const NEVER = Number.MAX_SAFE_INTEGER;

const COLUMNS: Readonly<Record<Sort, SQL>> = {
  newest: sql`${arContent.createdAt}`,
  title: sql`ar_content.sort_title`,
  score: sql`ar_content.sort_score`,
  expiry: sql`ar_content.sort_expiry`,
};

/** Returns the terms of ORDER BY. */
export function sortedBy(sort: Sort): SQL {
  const direction = sql.raw(sort === "newest" ? "DESC" : "ASC");
  return sql`${COLUMNS[sort]} ${direction}, ${arContent.id} ${direction}`;
}

/** The condition that a row comes after a position. */
export function comesAfter(sort: Sort, after: SortPosition | undefined): SQL | undefined {
  const operator = sql.raw(sort === "newest" ? "<" : ">");
  return after && sql`(${COLUMNS[sort]}, ${arContent.id}) ${operator} (${after.value}, ${after.id})`;
}

/** Returns the position of a photo in a list. */
export function positionOf(sort: Sort, content: Content): SortPosition {
  return { value: sortedValue(sort, content), id: content.id };
}

function sortedValue(
  sort: Sort,
  { createdAt, searchText, markerMetadata, expiresAt }: Content,
): number | string {
  switch (sort) {
    case "newest":
      return createdAt;
    case "title":
      return [...searchText].slice(0, TITLE_LENGTH).join("");
    case "score":
      return markerMetadata?.quality?.score ?? NO_SCORE;
    case "expiry":
      return expiresAt ?? NEVER;
  }
}

/** Returns the cursor of a page that begins after a position. */
export function encodePosition(sort: Sort, { value, id }: SortPosition): string {
  const text = typeof value === "number" ? value.toString(36) : hex(value);
  return sort === "newest" ? `${text}.${id}` : `${sort}.${text}.${id}`;
}

/** Throws Refusal `invalid_input` for anything but a cursor of the same order. */
export function decodePosition(sort: Sort, cursor: string): SortPosition {
  const [, of = "newest", text, id] = /^(?:(\w+)\.)?([0-9a-z]*)\.([0-9a-f-]{32,36})$/.exec(cursor) ?? [];
  const value = text === undefined ? null : sort === "title" ? fromHex(text) : wholeNumber(text);
  if (of !== sort || value === null || id === undefined) {
    throw new Refusal(
      "invalid_input",
      `Field "cursor" of the query: expected the next_cursor of a previous page with the same sort.`,
    );
  }
  return { value, id };
}

function wholeNumber(text: string): number | null {
  return /^[0-9a-z]{1,11}$/.test(text) ? Number.parseInt(text, 36) : null;
}

function hex(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): string | null {
  if (!/^([0-9a-f]{2})*$/.test(text)) return null;
  const bytes = Array.from(text.matchAll(/../g), ([byte]) => Number.parseInt(byte, 16));
  return new TextDecoder().decode(new Uint8Array(bytes));
}
