import { encode } from "uqr";

/** A QR code: the Worker draws the same one (worker/content/qr-code.ts). */
export interface Code {
  /** Modules on a side, with the margin. */
  readonly size: number;
  /** The dark modules as an SVG path, one unit per module. */
  readonly path: string;
}

const codes = new Map<string, Code>();
const MAX_KEPT = 1_000;

/** Draws an address as a QR code. */
export function drawCode(address: string): Code {
  const known = codes.get(address);
  if (known) return known;
  const { size, data } = encode(address, { ecc: "M", border: 4 });
  const code = { size, path: data.map(runs).join("") };
  if (codes.size >= MAX_KEPT) codes.clear();
  codes.set(address, code);
  return code;
}

/** Returns the rectangles of a row: neighbouring modules are one, because seams between them would show in print. */
function runs(row: readonly boolean[], y: number): string {
  let path = "";
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    const start = x;
    while (row[x]) x++;
    path += `M${start} ${y}H${x}V${y + 1}H${start}Z`;
  }
  return path;
}
