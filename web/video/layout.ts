/** The boxes with which an MP4 or MOV may begin (ISO/IEC 14496-12, and the QuickTime File Format). */
const FIRST = new Set(["ftyp", "moov", "mdat", "wide", "free", "skip", "pnot"]);

/** Without these boxes, a file cannot be played. */
const NEEDED = new Set(["moov", "mdat"]);

/** A video of a phone has fewer before its index. */
const MAX_BOXES = 50;

/** The order of the boxes in an MP4 or MOV. */
export interface Layout {
  /** Whether the index comes before the frames, so that players begin before they have the whole file. */
  readonly isFastStart: boolean;
  /** Whether the end of the file is missing. */
  readonly isCutOff: boolean;
}

/** Returns the layout of an MP4 or MOV; null for other files. Reads 16 bytes per box. */
export async function readLayout(file: Blob): Promise<Layout | null> {
  let first: string | null = null;
  for (let at = 0, boxes = 0; at + 8 <= file.size; boxes++) {
    if (boxes === MAX_BOXES) return { isFastStart: false, isCutOff: false };
    const head = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(head.buffer, 4, 4));
    if (at === 0 && !FIRST.has(type)) return null;
    const size = head.getUint32(0);
    const length = size === 1 && head.byteLength === 16 ? Number(head.getBigUint64(8)) : size;
    // A size of 0: up to the end.
    const end = size === 0 ? file.size : at + length;
    if (end < at + 8) return { isFastStart: false, isCutOff: false };
    if (NEEDED.has(type)) {
      if (end > file.size) return { isFastStart: false, isCutOff: true };
      first ??= type;
      if (type === "moov" && first === "mdat") return { isFastStart: false, isCutOff: false };
      if (type === "mdat" && first === "moov") return { isFastStart: true, isCutOff: false };
    } else if (type === "moof" && first === "moov") {
      return { isFastStart: true, isCutOff: false };
    }
    at = end;
  }
  return file.size < 8 ? null : { isFastStart: false, isCutOff: true };
}
