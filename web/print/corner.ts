import { OCCUPIED, type QualityMap } from "../../compiler/quality/reasons.ts";
import type { Box, Size } from "./paper.ts";

export const CORNERS = ["bottom-right", "bottom-left", "top-right", "top-left"] as const;
export type Corner = (typeof CORNERS)[number];

/** Returns the box of a square in a corner, at a distance from both edges. */
export function boxInCorner(corner: Corner, photo: Size, side: number, distance: number): Box {
  return {
    x: corner.endsWith("left") ? distance : photo.width - distance - side,
    y: corner.startsWith("top") ? distance : photo.height - distance - side,
    width: side,
    height: side,
  };
}

/** Returns the mean detail below a box on the photo, 0 to 100. Cells count by the part that the box covers. */
export function detailBelow({ columns, rows, cells }: QualityMap, photo: Size, box: Box): number {
  const overlap = (cell: number, count: number, length: number, from: number, side: number) =>
    Math.max(
      0,
      Math.min((length * (cell + 1)) / count, from + side) - Math.max((length * cell) / count, from),
    );
  let [sum, area] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const tall = overlap(row, rows, photo.height, box.y, box.height);
    if (tall === 0) continue;
    for (let column = 0; column < columns; column++) {
      const covered = tall * overlap(column, columns, photo.width, box.x, box.width);
      sum += covered * cells[row * columns + column];
      area += covered;
    }
  }
  return area > 0 ? sum / area : 0;
}

export interface ChosenCorner {
  readonly corner: Corner;
  readonly box: Box;
  /** Whether the code covers detail that the player needs; null without a map. */
  readonly coversDetail: boolean | null;
}

/**
 * Returns the wanted corner for a code, or the one with the least detail below it. Without a map that is the first one
 * of `CORNERS`.
 */
export function chooseCorner(options: {
  readonly map: QualityMap | null;
  readonly photo: Size;
  readonly side: number;
  readonly distance: number;
  readonly wanted: Corner | "auto";
}): ChosenCorner {
  const { map, photo, side, distance, wanted } = options;
  const corners = (wanted === "auto" ? CORNERS : [wanted]).map((corner) => {
    const box = boxInCorner(corner, photo, side, distance);
    return { corner, box, detail: map && detailBelow(map, photo, box) };
  });
  const best = corners.reduce((a, b) => ((b.detail ?? 0) < (a.detail ?? 0) ? b : a));
  const { corner, box, detail } = best;
  return { corner, box, coversDetail: detail === null ? null : detail >= OCCUPIED };
}
