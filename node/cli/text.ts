// Formats text and tables for people.

/** Formats rows of cells in columns. Numbers are right-aligned. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === "number" ? count(cell) : cell)));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  const isNumber = rows[rows.length - 1].map((cell) => typeof cell === "number");
  return texts
    .map((row) =>
      row
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `  ${line}\n`)
    .join("");
}

/** Formats 1234567 as 1,234,567. */
function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Formats a count: "1 target", "2 targets". */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
