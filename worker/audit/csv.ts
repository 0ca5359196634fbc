/**
 * Returns rows as CSV (RFC 4180), with quoted fields and CRLF line ends. Spreadsheets run a field as a formula when it
 * begins with `= + - @`, a tab or a line break. An apostrophe in front makes such a field a text.
 */
export function toCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map(toField).join(",")}\r\n`).join("");
}

function toField(text: string): string {
  // Spreadsheets read full-width signs like the ASCII ones.
  const safe = /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
