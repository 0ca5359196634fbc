/**
 * Plane geometry of the player. Projective maps describe where a flat target lies in the camera's frame and
 * where the frame lies on the screen; CSS applies them to an element.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A projective map of the plane, row-major 3 × 3, acting on column vectors (x, y, 1). */
// biome-ignore format: rows
export type Homography = readonly [
  number, number, number,
  number, number, number,
  number, number, number,
];

/** Returns the map that applies `first`, then `second`. */
export function compose(second: Homography, first: Homography): Homography {
  const [a, b, c, d, e, f, g, h, i] = second;
  const [j, k, l, m, n, o, p, q, r] = first;
  // biome-ignore format: rows
  return [
    a * j + b * m + c * p, a * k + b * n + c * q, a * l + b * o + c * r,
    d * j + e * m + f * p, d * k + e * n + f * q, d * l + e * o + f * r,
    g * j + h * m + i * p, g * k + h * n + i * q, g * l + h * o + i * r,
  ];
}

/**
 * Returns the map from target pixels (x right, y down, origin at the upper left corner) to pixels of the
 * player's input image.
 *
 * @param world MindAR's world matrix: column-major 4 × 4, from target pixels with y *up* from the lower
 *   left corner to OpenGL camera coordinates (y up, the camera looks along −z).
 * @param focal The player's focal length in pixels of `image`; its principal point is the centre.
 */
export function projectTarget(
  world: ArrayLike<number>,
  targetHeight: number,
  focal: number,
  image: Size,
): Homography {
  const cx = image.width / 2;
  const cy = image.height / 2;
  const column = (x: number, y: number, z: number) => [focal * x - cx * z, -focal * y - cy * z, -z] as const;
  const right = column(world[0], world[1], world[2]);
  const up = column(world[4], world[5], world[6]);
  const lowerLeft = column(world[12], world[13], world[14]);
  // biome-ignore format: rows
  return [
    right[0], -up[0], up[0] * targetHeight + lowerLeft[0],
    right[1], -up[1], up[1] * targetHeight + lowerLeft[1],
    right[2], -up[2], up[2] * targetHeight + lowerLeft[2],
  ];
}

/** Returns the map that centers `inner` on `outer` and scales it to cover `outer`, like `object-fit: cover`. */
export function cover(inner: Size, outer: Size): Homography {
  return centered(inner, outer, Math.max(outer.width / inner.width, outer.height / inner.height));
}

function centered(inner: Size, outer: Size, scale: number): Homography {
  // biome-ignore format: rows
  return [
    scale, 0, (outer.width - scale * inner.width) / 2,
    0, scale, (outer.height - scale * inner.height) / 2,
    0, 0, 1,
  ];
}

/**
 * Returns the map from a camera frame to the player's input, whose size is fixed. The frame is scaled to fit.
 * If the phone was rotated since the player started, the frame is rotated a quarter turn clockwise.
 */
export function fitFrame(frame: Size, input: Size): Homography {
  const isRotated = frame.width > frame.height !== input.width > input.height;
  if (!isRotated) {
    return centered(frame, input, Math.min(input.width / frame.width, input.height / frame.height));
  }
  const upright = { width: frame.height, height: frame.width };
  const quarter: Homography = [0, -1, frame.height, 1, 0, 0, 0, 0, 1];
  return compose(
    centered(upright, input, Math.min(input.width / upright.width, input.height / upright.height)),
    quarter,
  );
}

/** Returns the inverse of a map without perspective (last row 0 0 1), such as `fitFrame`'s. */
export function invertAffine([a, b, c, d, e, f]: Homography): Homography {
  const determinant = a * e - b * d;
  // biome-ignore format: rows
  return [
    e / determinant, -b / determinant, (b * f - c * e) / determinant,
    -d / determinant, a / determinant, (c * d - a * f) / determinant,
    0, 0, 1,
  ];
}

/** Returns `map` as a CSS transform for an element whose transform origin is its upper left corner. */
export function toMatrix3d(map: Homography): string {
  // CSS is column-major and has a z axis, which stays unchanged. A projective map has no absolute scale:
  // dividing by the last entry keeps the numbers near one.
  const [a, b, c, d, e, f, g, h, i] = map.map((entry) => entry / map[8]);
  return `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].join(",")})`;
}
