/** Where the camera's frame lies on the screen, and how CSS applies a projective map to an element. */

import type { Homography } from "../../player/homography.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns the map that centers `inner` on `outer` and scales it to cover `outer`, like `object-fit: cover`. */
export function cover(inner: Size, outer: Size): Homography {
  const scale = Math.max(outer.width / inner.width, outer.height / inner.height);
  const left = (outer.width - scale * inner.width) / 2;
  const top = (outer.height - scale * inner.height) / 2;
  return Float64Array.of(scale, 0, left, 0, scale, top, 0, 0, 1);
}

/** Returns `map` as a CSS transform for an element whose transform origin is its upper left corner. */
export function toMatrix3d(map: Homography): string {
  // CSS is column-major and has a z axis, which stays unchanged. A projective map has no absolute scale:
  // dividing by the last entry keeps the numbers near one.
  const [a, b, c, d, e, f, g, h, i] = map.map((entry) => entry / map[8]);
  return `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].join(",")})`;
}
