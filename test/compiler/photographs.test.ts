import { beforeAll, expect, test } from "vitest";
import { BOARD, loadPhotographs, type Photograph, paste } from "../../bench/photographs/paste.ts";
import { cornerError } from "../../bench/recall/camera.ts";
import { loadSubjects } from "../../bench/recall/pictures.ts";
import { load } from "../../bench/recall/vivimark.ts";
import { compileTarget } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";

let photographs: Photograph[];
beforeAll(async () => {
  loadCodecs(CODEC_SOURCES);
  photographs = await loadPhotographs();
});

/** Returns the grey level of a photograph at a place on the board. */
function greyAt({ frame, map: [a, b, c, d, e, f, g, h, i] }: Photograph, x: number, y: number): number {
  const w = g * x + h * y + i;
  const [u, v] = [Math.floor((a * x + b * y + c) / w), Math.floor((d * x + e * y + f) / w)];
  return frame.data[v * frame.width + u];
}

test("every corner of the chessboards is where cameras.json says", () => {
  expect(photographs.length).toBe(26);
  for (const photograph of photographs) {
    for (let y = 0; y < BOARD.rows; y++) {
      for (let x = 0; x < BOARD.columns; x++) {
        // About three pixels from the corner, in each of the four squares.
        const [upper, right, lower, left] = [
          [-0.12, -0.12],
          [0.12, -0.12],
          [0.12, 0.12],
          [-0.12, 0.12],
        ].map(([dx, dy]) => greyAt(photograph, x + dx, y + dy));
        const contrast = (upper + lower - right - left) * ((x + y) % 2 === 0 ? 1 : -1);
        expect(Math.abs(contrast), `${photograph.name}, corner ${x}, ${y}`).toBeGreaterThan(150);
        expect(Math.sign(contrast)).toBe(Math.sign(contrastOf(photograph)));
      }
    }
  }
});

/** Returns how much brighter the squares beside the first corner's diagonal are. */
function contrastOf(photograph: Photograph): number {
  return (
    greyAt(photograph, -0.3, -0.3) +
    greyAt(photograph, 0.3, 0.3) -
    greyAt(photograph, 0.3, -0.3) -
    greyAt(photograph, -0.3, 0.3)
  );
}

test.each([1, 0.5])("our player finds a photo that is pasted at %d of the board's length", async (share) => {
  const subject = (await loadSubjects()).find(({ name }) => name === "astronaut")!;
  const player = load(compileTarget(subject.image));
  for (const photograph of [photographs[0], photographs[photographs.length - 1]]) {
    expect(player.find(photograph.frame)).toBeNull();
    const { frame, corners } = await paste(subject.image, photograph, { share, seed: 1 });
    const found = player.find(frame);
    expect(found).not.toBeNull();
    // As a share of the frame's height, so in pixels / 480.
    expect(cornerError(found!, corners, { size: 1 }) * 480).toBeLessThan(1);
  }
});
