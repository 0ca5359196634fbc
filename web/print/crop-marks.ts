import type { Box } from "./paper.ts";

export interface Line {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** The marks begin outside the bleed, so that none is left on a print that is cut off its line. */
const OFFSET = 1;
const LENGTH = 4;

/** Returns how far crop marks reach out of a print. */
export function markReach(bleed: number): number {
  return bleed + OFFSET + LENGTH;
}

/** Returns the gap between two prints in which the marks of one do not reach the bleed of the other. */
export function gapOf(bleed: number, hasMarks: boolean): number {
  return 2 * bleed + (hasMarks ? OFFSET + LENGTH : 0);
}

/** Returns the two lines at each corner of a print, which show where to cut. */
export function cropMarks({ x, y, width, height }: Box, bleed: number): Line[] {
  const [from, to] = [bleed + OFFSET, markReach(bleed)];
  const [right, bottom] = [x + width, y + height];
  return [x, right].flatMap((cornerX) =>
    [y, bottom].flatMap((cornerY) => {
      const [outX, outY] = [cornerX === x ? -1 : 1, cornerY === y ? -1 : 1];
      return [
        { x1: cornerX + outX * from, y1: cornerY, x2: cornerX + outX * to, y2: cornerY },
        { x1: cornerX, y1: cornerY + outY * from, x2: cornerX, y2: cornerY + outY * to },
      ];
    }),
  );
}
