/**
 * Returns rows as CSV (RFC 4180), with quoted fields and CRLF line ends. A spreadsheet runs a cell as a formula when it
 * begins with `= + - @`, a tab or a line break; an apostrophe in front makes it a text. Where the separator of lists is
 * not the comma, spreadsheets cut a field at every semicolon, tab and line break in it, quoted or not. So the apostrophe
 * also stands wherever such a part of a field would begin a formula.
 */
export function toCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map(toField).join(",")}\r\n`).join("");
}

/**
 * The place before a formula: at the beginning of a field, or behind a separator in it. The separators are those of all
 * locales, the Arabic ones included. Spreadsheets skip spaces and quotes, and read full-width signs like the ASCII ones.
 */
const BEFORE_FORMULA =
  /(?<=^|[;|\t\r\n\u060c\u061b])(?=[\s\p{Cc}\p{Cf}"]*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])/gu;

function toField(text: string): string {
  return `"${text.replace(BEFORE_FORMULA, "'").replaceAll('"', '""')}"`;
}
