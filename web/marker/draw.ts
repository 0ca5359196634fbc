import type { PlacedKeyframe, PlacedPoints } from "./place.ts";
import type { PointColours } from "./protocol.ts";

/** The radius of a point in pixels of its octave, and its minimum in CSS pixels. */
const RADIUS = 2;
const MIN_RADIUS = 2.5;

/**
 * Draws a keyframe's points over the whole canvas: maxima as circles, minima as squares, as large as their octave, with
 * a tick in their orientation. One path per colour, so that a keyframe takes four strokes.
 *
 * @param density device pixels per CSS pixel
 */
export function drawPoints(
  context: OffscreenCanvasRenderingContext2D,
  keyframe: PlacedKeyframe,
  density: number,
  colours: PointColours,
): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  for (const [points, colour, mark] of [
    [keyframe.minima, colours.minima, square],
    [keyframe.maxima, colours.maxima, circle],
  ] as const) {
    const path = trace(points, { width, height, density }, mark);
    context.lineWidth = 3 * density;
    context.strokeStyle = "rgb(0 0 0 / 0.55)";
    context.stroke(path);
    context.lineWidth = 1.5 * density;
    context.strokeStyle = colour;
    context.stroke(path);
  }
}

type Mark = (path: Path2D, x: number, y: number, radius: number) => void;

const circle: Mark = (path, x, y, radius) => {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
};

const square: Mark = (path, x, y, radius) => {
  const side = radius * Math.sqrt(Math.PI);
  path.rect(x - side / 2, y - side / 2, side, side);
};

interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly density: number;
}

function trace(points: PlacedPoints, { width, height, density }: Canvas, mark: Mark): Path2D {
  const path = new Path2D();
  for (let i = 0; i < points.count; i++) {
    const x = points.x[i] * width;
    const y = points.y[i] * height;
    const radius = Math.max(MIN_RADIUS * density, RADIUS * points.size[i] * width);
    mark(path, x, y, radius);
    const dx = Math.cos(points.angle[i]);
    const dy = Math.sin(points.angle[i]);
    path.moveTo(x + radius * dx, y + radius * dy);
    path.lineTo(x + 2 * radius * dx, y + 2 * radius * dy);
  }
  return path;
}
