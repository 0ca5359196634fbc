/// <reference lib="dom" />
import type { Page } from "playwright-core";
import { type CameraFilm, CODE, readFrameNumber } from "./camera.ts";
import type { Corners, Point } from "./pinhole.ts";

/** What a page showed at one moment: the frame of the film and the position of the overlay. */
export interface Sample {
  /** Corners of the overlay on the screen; null while it is hidden. */
  readonly overlay: Corners | null;
  /** Number of the film's frame in the camera's picture. */
  readonly frame: number;
  /**
   * Corners of the photo on the screen, in each frame that the camera has shown since the previous sample, the
   * current one last; null in frames without the photo. The player used one of these frames.
   */
  readonly photo: readonly (Corners | null)[];
  readonly paused: boolean;
  /** Position of the overlay's video, in seconds. */
  readonly time: number;
}

/**
 * Takes a sample whenever the player moves, shows or hides the overlay, until the overlay was on the photo in
 * `count` frames of the film. A fast machine takes several samples of one frame.
 */
export async function watchOverlay(page: Page, film: CameraFilm, count: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const frames = new Set<number>();
  while (frames.size < count) {
    const more = await watch(page, film, samples.at(-1)?.frame ?? null);
    samples.push(...more);
    for (const { overlay, photo, frame } of more) if (overlay && photo.at(-1)) frames.add(frame);
  }
  return samples;
}

/** Returns the corners of the overlay on the screen; null while it is hidden. */
export async function readOverlay(page: Page): Promise<Corners | null> {
  const seen = await page.evaluate(() => {
    const overlay = document.querySelector<HTMLElement>(".live-overlay.is-found");
    return (
      overlay && {
        matrix: Array.from(new DOMMatrix(getComputedStyle(overlay).transform).toFloat64Array()),
        element: { width: overlay.offsetWidth, height: overlay.offsetHeight },
      }
    );
  });
  return seen && overlayCorners(seen.matrix, seen.element);
}

/** Takes samples for some seconds. */
async function watch(page: Page, film: CameraFilm, before: number | null): Promise<Sample[]> {
  const raw = await page.evaluate(
    async ({ row, width }) => {
      const camera = document.querySelector<HTMLVideoElement>(".live-camera")!;
      const overlay = document.querySelector<HTMLElement>(".live-overlay")!;
      const video = overlay.querySelector("video")!;
      const canvas = document.createElement("canvas");
      canvas.width = width;
      canvas.height = row + 1;
      const context = canvas.getContext("2d", { willReadFrequently: true })!;
      const samples = [];
      const look = () => ({
        shown: overlay.classList.contains("is-found"),
        transform: getComputedStyle(overlay).transform,
      });
      let last = JSON.stringify(look());
      for (const end = performance.now() + 5000; performance.now() < end; ) {
        await new Promise(requestAnimationFrame);
        const { shown, transform } = look();
        const now = JSON.stringify({ shown, transform });
        if (now === last) continue;
        last = now;
        context.drawImage(camera, 0, 0);
        samples.push({
          code: Array.from(context.getImageData(0, 0, width, row + 1).data),
          matrix: Array.from(new DOMMatrix(transform).toFloat64Array()),
          shown,
          element: { width: overlay.offsetWidth, height: overlay.offsetHeight },
          screen: { width: camera.clientWidth, height: camera.clientHeight },
          picture: { width: camera.videoWidth, height: camera.videoHeight },
          paused: video.paused,
          time: video.currentTime,
        });
      }
      return samples;
    },
    { row: CODE.cell / 2, width: CODE.bits * 2 * CODE.cell },
  );
  let previous = before;
  return raw.map(({ code, matrix, shown, element, screen, picture, paused, time }) => {
    const frame = readFrameNumber(code, CODE.bits * 2 * CODE.cell);
    if (frame === null) throw new Error("The camera's picture carries no frame number.");
    if (picture.width !== film.width || picture.height !== film.height) {
      throw new Error(`The camera gives ${picture.width} × ${picture.height}, not the film's size.`);
    }
    const photo = [];
    for (let at = previous ?? frame; ; at = (at + 1) % film.frames.length) {
      const corners = film.frames[at];
      photo.push(corners && mapCorners(corners, (point) => onScreen(point, picture, screen)));
      if (at === frame) break;
    }
    previous = frame;
    return { overlay: shown ? overlayCorners(matrix, element) : null, frame, photo, paused, time };
  });
}

function overlayCorners(matrix: readonly number[], { width, height }: Size): Corners {
  const corners: Corners = [
    { x: 0, y: 0 },
    { x: width, y: 0 },
    { x: width, y: height },
    { x: 0, y: height },
  ];
  return mapCorners(corners, (point) => transform(matrix, point));
}

/** Returns the largest distance of a corner from the photo's, as a share of the photo's width on the screen. */
export function cornerError(overlay: Corners, photo: Corners): number {
  const width = (distance(photo[0], photo[1]) + distance(photo[3], photo[2])) / 2;
  return Math.max(...overlay.map((corner, index) => distance(corner, photo[index]))) / width;
}

/** Returns the point at (u, v), each 0 … 1, between the corners; precise enough for points well inside. */
export function inside([a, b, c, d]: Corners, u: number, v: number): Point {
  const blend = (axis: "x" | "y") =>
    (a[axis] * (1 - u) + b[axis] * u) * (1 - v) + (d[axis] * (1 - u) + c[axis] * u) * v;
  return { x: blend("x"), y: blend("y") };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function mapCorners([a, b, c, d]: Corners, map: (point: Point) => Point): Corners {
  return [map(a), map(b), map(c), map(d)];
}

/** Applies a column-major 4 × 4 matrix to a point of the plane z = 0, as CSS does. */
function transform(m: readonly number[], { x, y }: Point): Point {
  const w = m[3] * x + m[7] * y + m[15];
  return { x: (m[0] * x + m[4] * y + m[12]) / w, y: (m[1] * x + m[5] * y + m[13]) / w };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns where `object-fit: cover` puts a point of a picture on the screen. */
function onScreen({ x, y }: Point, picture: Size, screen: Size): Point {
  const scale = Math.max(screen.width / picture.width, screen.height / picture.height);
  return {
    x: screen.width / 2 + scale * (x - picture.width / 2),
    y: screen.height / 2 + scale * (y - picture.height / 2),
  };
}
