/**
 * A table as RFC 4180 writes it: fields in quotes, lines that end with CR LF. A spreadsheet takes a field that
 * begins with one of `= + - @`, a tab or a line break for a formula; an apostrophe before it makes it a text.
 */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return rows.map((fields) => `${fields.map(fieldOf).join(",")}\r\n`).join("");
}

function fieldOf(text: string): string {
  // Full-width signs too: spreadsheets fold them.
  const harmless = /^\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
