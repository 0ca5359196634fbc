import { t } from "../language.ts";
import { endOf } from "../ui/day.ts";
import { baseName } from "./pairs.ts";

/** Reads a CSV file with the titles, orders and expiry dates of photos, as spreadsheet programs export it. */

/** What a row says about its photo; missing: nothing. */
export interface Details {
  readonly title?: string;
  readonly order_number?: string;
  readonly customer_name?: string;
  readonly customer_email?: string;
  readonly customer_phone?: string;
  /** ISO 8601. */
  readonly expires_at?: string;
}

export interface Table {
  /** By the base name of the photo's file. */
  readonly rows: ReadonlyMap<string, Details>;
  /** What could not be read. */
  readonly problems: readonly string[];
}

type Column = keyof Details | "file";

/** The headings that are understood. */
const HEADINGS: Readonly<Record<Column, readonly string[]>> = {
  file: ["file", "file name", "filename", "photo", "файл", "фото"],
  title: ["title", "название"],
  order_number: ["order number", "order", "заказ", "номер заказа"],
  customer_name: ["customer name", "customer", "name", "клиент", "имя"],
  customer_email: ["customer email", "email", "e-mail", "почта"],
  customer_phone: ["customer phone", "phone", "телефон"],
  expires_at: ["expires at", "expires", "expiry", "expires on", "срок"],
};

/** Longest texts that the API accepts. */
const MAX_LENGTHS: Readonly<Partial<Record<Column, number>>> = {
  title: 200,
  order_number: 64,
  customer_name: 200,
  customer_email: 254,
  customer_phone: 40,
};

/** Decodes the bytes of a CSV file: UTF-8, or Windows-1251, in which Excel saves Russian tables. */
export function decodeTable(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1251").decode(bytes);
  }
}

export function readTable(text: string): Table {
  const [head = [], ...body] = cellsOf(text);
  const columns = head.map(columnOf);
  if (!columns.includes("file")) {
    return { rows: new Map(), problems: [t.add.table.noFileColumn] };
  }
  const rows = new Map<string, Details>();
  const problems = head.flatMap((heading, at) =>
    columns[at] === null && heading.trim() !== "" ? [t.add.table.unknownColumn(heading.trim())] : [],
  );
  for (const [at, cells] of body.entries()) {
    const row = new Map(
      columns.flatMap((column, i) => (column && cells[i]?.trim() ? [[column, cells[i].trim()]] : [])),
    );
    const file = baseName(row.get("file") ?? "");
    if (row.size === 0) continue;
    const problem = problemOf(row, file === "" ? null : rows.has(file));
    if (problem) problems.push(t.add.table.row(at + 2, problem));
    else rows.set(file, detailsOf(row));
  }
  return { rows, problems };
}

/** Returns why a row is not used. @param isRepeated null: it names no file */
function problemOf(row: ReadonlyMap<Column, string>, isRepeated: boolean | null): string | null {
  const texts = t.add.table;
  if (isRepeated === null) return texts.fileMissing;
  if (isRepeated) return texts.repeated(row.get("file")!);
  for (const [column, text] of row) {
    const max = MAX_LENGTHS[column];
    if (max && text.length > max) return texts.tooLong(column, text.length, max);
  }
  const day = row.get("expires_at");
  return day !== undefined && dayOf(day) === null ? texts.notADate(day) : null;
}

function detailsOf(row: ReadonlyMap<Column, string>): Details {
  const { file: _, expires_at, ...texts } = Object.fromEntries(row) as Partial<Record<Column, string>>;
  const expiresAt = expires_at === undefined ? null : endOf(dayOf(expires_at)!);
  return expiresAt === null ? texts : { ...texts, expires_at: expiresAt };
}

/** Returns a date as 2027-12-31; null if it is none. */
function dayOf(text: string): string | null {
  const [, y, m, d] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  const [, day = d, month = m, year = y] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text) ?? [];
  if (year === undefined) return null;
  const iso = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = Date.parse(`${iso}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== iso ? null : iso;
}

function columnOf(heading: string): Column | null {
  const wanted = heading.trim().toLowerCase().replaceAll("_", " ");
  const found = Object.entries(HEADINGS).find(([, names]) => names.includes(wanted));
  return (found?.[0] as Column | undefined) ?? null;
}

/** Returns the rows of cells (RFC 4180). The separator is the most frequent one of `,`, `;` and tab in the first row. */
function cellsOf(text: string): string[][] {
  const source = text.replace(/^\ufeff/, "");
  const first = source.split(/[\r\n]/, 1)[0];
  const count = (sign: string) => first.split(sign).length;
  const separator = [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
  const rows: string[][] = [[]];
  let cell = "";
  let isQuoted = false;
  const end = () => {
    rows.at(-1)!.push(cell);
    cell = "";
  };
  for (let at = 0; at < source.length; at++) {
    const sign = source[at];
    if (isQuoted) {
      if (sign !== '"') cell += sign;
      else if (source[at + 1] === '"') cell += source[++at];
      else isQuoted = false;
    } else if (sign === '"' && cell === "") isQuoted = true;
    else if (sign === separator) end();
    else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && source[at + 1] === "\n") at += 1;
      end();
      rows.push([]);
    } else cell += sign;
  }
  end();
  return rows;
}
