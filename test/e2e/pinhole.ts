// The geometry of a pinhole camera in front of a flat photo, for all simulated views.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Upper left, upper right, lower right, lower left. */
export type Corners = readonly [Point, Point, Point, Point];

/** Row-major 3 × 3, from photo pixels to frame pixels. */
export type Map3 = readonly number[];

interface Size {
  readonly width: number;
  readonly height: number;
}

type Vector = readonly number[];

/**
 * Returns the map of the photo's plane, K [r1 r2 t], with photo pixels as units of the world.
 *
 * @param right @param down unit vectors along the photo's rows and columns, as the camera sees them
 * @param centre of the photo, from the camera
 * @param focal length in frame pixels; the axis goes through the middle of the frame
 */
export function placePhoto(
  right: Vector,
  down: Vector,
  centre: Vector,
  photo: Size,
  focal: number,
  frame: Size,
): Map3 {
  const origin = centre.map((t, axis) => t - (right[axis] * photo.width + down[axis] * photo.height) / 2);
  const column = ([x, y, z]: Vector) => [
    focal * x + (frame.width / 2) * z,
    focal * y + (frame.height / 2) * z,
    z,
  ];
  const [a, b, c] = [right, down, origin].map(column);
  return [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2]];
}

function project(map: Map3, x: number, y: number): Point {
  const w = map[6] * x + map[7] * y + map[8];
  return { x: (map[0] * x + map[1] * y + map[2]) / w, y: (map[3] * x + map[4] * y + map[5]) / w };
}

export function cornersOf(map: Map3, { width, height }: Size): Corners {
  return [project(map, 0, 0), project(map, width, 0), project(map, width, height), project(map, 0, height)];
}

export function invert([a, b, c, d, e, f, g, h, i]: Map3): Map3 {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((entry) => entry / determinant);
}
