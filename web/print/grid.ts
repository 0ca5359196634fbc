import { type Box, type LabelSheet, PAPERS, type Size } from "./paper.ts";

/** Equal places in rows and columns, in the middle of a paper. */
export interface Grid {
  /** Already turned as it is printed. */
  readonly paper: Size;
  readonly place: Size;
  readonly columns: number;
  readonly rows: number;
  readonly columnGap: number;
  readonly rowGap: number;
}

/** Printers do not reach the edge of the paper. */
const UNPRINTABLE = 5;

export function labelGrid({ paper, label, columns, rows, gap }: LabelSheet): Grid {
  return { paper: PAPERS[paper], place: label, columns, rows, columnGap: gap, rowGap: 0 };
}

/**
 * Returns the grid with the most places on the paper, upright or turned; upright if that is equal. Returns null if not
 * one fits.
 *
 * @param edge what is printed around a place: bleed and crop marks
 */
export function fillPaper(paper: Size, place: Size, gap: number, edge: number): Grid | null {
  const fit = (sheet: Size): Grid => {
    const fits = (length: number, side: number) =>
      Math.max(0, Math.floor((length - 2 * (UNPRINTABLE + edge) + gap + 1e-6) / (side + gap)));
    return {
      paper: { width: sheet.width, height: sheet.height },
      place,
      columns: fits(sheet.width, place.width),
      rows: fits(sheet.height, place.height),
      columnGap: gap,
      rowGap: gap,
    };
  };
  const upright = fit(paper);
  const turned = fit({ width: paper.height, height: paper.width });
  const best = placeCount(turned) > placeCount(upright) ? turned : upright;
  return placeCount(best) > 0 ? best : null;
}

export function placeCount({ columns, rows }: Grid): number {
  return columns * rows;
}

/** Returns the places from left to right and from top to bottom. */
export function placesOf(grid: Grid): Box[] {
  const { paper, place, columns, rows, columnGap, rowGap } = grid;
  const left = (paper.width - columns * place.width - (columns - 1) * columnGap) / 2;
  const top = (paper.height - rows * place.height - (rows - 1) * rowGap) / 2;
  return Array.from({ length: columns * rows }, (_, at) => ({
    x: left + (at % columns) * (place.width + columnGap),
    y: top + Math.floor(at / columns) * (place.height + rowGap),
    ...place,
  }));
}
