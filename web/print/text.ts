export type Weight = "regular" | "bold";

/** Returns the width of a line whose font size is 1. */
export type Measure = (text: string, weight: Weight) => number;

/** Lines from the top, without the last line's descenders. */
export interface FittedText {
  readonly lines: readonly string[];
  /** Of the font. */
  readonly size: number;
}

/** Distance between baselines, in font sizes. */
export const LEADING = 1.2;

const STEP = 0.9;

/**
 * Breaks a text into lines at spaces. Reduces the font size until it fits; at the smallest size, ends the last line
 * with an ellipsis.
 */
export function fitText(
  text: string,
  room: {
    readonly width: number;
    readonly maxLines: number;
    readonly size: number;
    readonly minSize: number;
  },
  widthOf: (line: string) => number,
): FittedText {
  const words = text.trim().split(/\s+/).filter(Boolean);
  for (let size = room.size; ; size = Math.max(room.minSize, size * STEP)) {
    const fits = (line: string) => widthOf(line) * size <= room.width;
    const lines = wrap(words, fits);
    const isGood = lines.length <= room.maxLines && lines.every(fits);
    if (isGood) return { lines, size };
    if (size > room.minSize) continue;
    const kept = lines.slice(0, room.maxLines);
    const rest = lines.slice(room.maxLines - 1).join(" ");
    if (lines.length > room.maxLines) kept[room.maxLines - 1] = `${rest}…`;
    return { lines: kept.map((line) => shorten(line, fits)), size };
  }
}

function wrap(words: readonly string[], fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length > 0 ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length > 0 && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const characters = new Intl.Segmenter();

/** Ends a line that is too long with an ellipsis. Does not cut through a character of several code points. */
function shorten(line: string, fits: (line: string) => boolean): string {
  if (fits(line)) return line;
  const parts = Array.from(characters.segment(line.replace(/…$/, "")), ({ segment }) => segment);
  let [few, many] = [0, parts.length];
  const start = (count: number) => `${parts.slice(0, count).join("").trimEnd()}…`;
  while (few < many) {
    const middle = Math.ceil((few + many) / 2);
    if (fits(start(middle))) few = middle;
    else many = middle - 1;
  }
  return start(few);
}
