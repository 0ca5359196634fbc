import { describe, expect, it } from "vitest";
import { MIN_IMAGE_SIDE } from "../../../compiler/image/inspect.ts";
import {
  boundingSize,
  type Cut,
  cutOf,
  direction,
  type Edit,
  type Handle,
  isUntouched,
  MAX_TILT,
  movePiece,
  type Piece,
  pieceOf,
  reshapePiece,
  resizePiece,
  type Size,
  type Turn,
  turnQuarter,
  untouched,
} from "../../../web/edit/geometry.ts";
import { randomNumbers } from "../../compiler/pictures.ts";

const photo: Size = { width: 4000, height: 3000 };
const upright: Turn = { quarters: 0, tilt: 0 };
const whole: Piece = { x: 0, y: 0, ...photo };
const middle: Piece = { x: 100, y: -50, width: 1200, height: 900 };
const bottomRight: Handle = { x: 1, y: 1 };

/** Returns the corners of a cut in the upright photo. */
function cornersOf({ x, y, width, height, degrees }: Cut): { x: number; y: number }[] {
  const { cos, sin } = direction(-degrees);
  return [-0.5, 0.5].flatMap((right) =>
    [-0.5, 0.5].map((down) => ({
      x: x + right * width * cos - down * height * sin,
      y: y + right * width * sin + down * height * cos,
    })),
  );
}

function expectOnPhoto(cut: Cut, { width, height }: Size): void {
  for (const corner of cornersOf(cut)) {
    expect(corner.x).toBeGreaterThanOrEqual(-1e-6);
    expect(corner.y).toBeGreaterThanOrEqual(-1e-6);
    expect(corner.x).toBeLessThanOrEqual(width + 1e-6);
    expect(corner.y).toBeLessThanOrEqual(height + 1e-6);
  }
}

describe("an untouched photo", () => {
  it("has a cut of the whole photo", () => {
    expect(cutOf(photo, untouched(photo))).toEqual({ x: 2000, y: 1500, ...photo, degrees: 0 });
    expect(isUntouched(photo, untouched(photo))).toBe(true);
  });

  it.each<[string, Edit]>([
    ["turned", { turn: { quarters: 2, tilt: 0 }, wanted: whole }],
    ["tilted", { turn: { quarters: 0, tilt: 0.1 }, wanted: whole }],
    ["cropped by a pixel", { turn: upright, wanted: { ...whole, width: 3999 } }],
  ])("is not one that was %s", (_, edit) => {
    expect(isUntouched(photo, edit)).toBe(false);
  });
});

describe("any edit of a photo", () => {
  it("gives a cut within the photo, in whole pixels", () => {
    const random = randomNumbers(11);
    const between = (least: number, most: number) => least + (most - least) * random();
    for (let round = 0; round < 300; round++) {
      const size = { width: Math.round(between(128, 5000)), height: Math.round(between(128, 5000)) };
      const turn = {
        quarters: Math.floor(between(0, 4)),
        tilt: round % 3 === 0 ? 0 : between(-MAX_TILT, MAX_TILT),
      };
      let wanted = untouched(size).wanted;
      for (let step = 0; step < 6; step++) {
        const piece = pieceOf(size, { turn, wanted });
        const [dx, dy] = [between(-3000, 3000), between(-3000, 3000)];
        const handle = { x: Math.sign(dx), y: Math.sign(dy) } as Handle;
        const aspect = step % 2 === 0 ? null : piece.width / piece.height;
        wanted =
          step % 3 === 0
            ? movePiece({ photo: size, turn }, piece, dx, dy)
            : resizePiece({ photo: size, turn }, piece, { handle, dx: -dx, dy, aspect });
        const cut = cutOf(size, { turn, wanted });
        expectOnPhoto(cut, size);
        expect([cut.width, cut.height].every(Number.isInteger)).toBe(true);
      }
    }
  });

  it("is undone by four quarter turns, and one quarter turn keeps the same part of the photo", () => {
    const edit: Edit = { turn: upright, wanted: middle };
    let turned = edit;
    for (let i = 0; i < 4; i++) turned = turnQuarter(turned, 1);
    expect(turned).toEqual(edit);
    expect(turnQuarter(turnQuarter(edit, 1), -1)).toEqual(edit);

    const once = cutOf(photo, turnQuarter(edit, 1));
    const before = cutOf(photo, edit);
    expect(once).toEqual({ ...before, width: before.height, height: before.width, degrees: 90 });
  });
});

describe("straightening", () => {
  it("shrinks the frame to the tilted photo, and restores it", () => {
    const tilted = pieceOf(photo, { turn: { quarters: 0, tilt: 10 }, wanted: whole });
    expect(tilted.width / tilted.height).toBeCloseTo(4 / 3);
    expect(tilted.width).toBeLessThan(3500);
    // One pixel more would not fit.
    const larger = { ...tilted, width: tilted.width * 1.001, height: tilted.height * 1.001 };
    expect(pieceOf(photo, { turn: { quarters: 0, tilt: 10 }, wanted: larger }).width).toBeCloseTo(
      tilted.width,
    );
    expect(pieceOf(photo, { turn: upright, wanted: whole })).toEqual(whole);
  });

  it("does not change a frame that fits, and moves one that does not before shrinking it", () => {
    const turn = { quarters: 0, tilt: 5 };
    expect(pieceOf(photo, { turn, wanted: middle })).toMatchObject({ width: 1200, height: 900 });
    const corner = { x: 1400, y: 1050, width: 1200, height: 900 };
    const moved = pieceOf(photo, { turn, wanted: corner });
    expect(moved).toMatchObject({ width: 1200, height: 900 });
    expect(moved.x).toBeLessThan(corner.x);
  });

  it("needs room for the photo's corners", () => {
    const { width, height } = boundingSize(photo, { quarters: 1, tilt: 0 });
    expect([width, height]).toEqual([3000, 4000]);
    const tilted = boundingSize(photo, { quarters: 0, tilt: -10 });
    expect(tilted).toEqual(boundingSize(photo, { quarters: 0, tilt: 10 }));
    expect(tilted.width).toBeCloseTo(4000 * Math.cos(Math.PI / 18) + 3000 * Math.sin(Math.PI / 18));
  });
});

describe("moving the frame", () => {
  it("stops at the photo's border, and slides along it", () => {
    expect(movePiece({ photo, turn: upright }, middle, 9000, 20)).toEqual({ ...middle, x: 1400, y: -30 });
  });
});

describe("resizing the frame", () => {
  const edges = ({ x, y, width, height }: Piece) => ({
    left: x - width / 2,
    right: x + width / 2,
    top: y - height / 2,
    bottom: y + height / 2,
  });

  it("moves one corner and leaves the opposite one", () => {
    const before = edges(middle);
    expect(
      edges(
        resizePiece({ photo, turn: upright }, middle, { handle: bottomRight, dx: 40, dy: -30, aspect: null }),
      ),
    ).toEqual({
      ...before,
      right: before.right + 40,
      bottom: before.bottom - 30,
    });
    const left = edges(
      resizePiece({ photo, turn: upright }, middle, {
        handle: { x: -1, y: 0 },
        dx: -60,
        dy: 500,
        aspect: null,
      }),
    );
    expect(left).toEqual({ ...before, left: before.left - 60 });
  });

  it("reaches the photo's border on each axis independently", () => {
    const grown = edges(
      resizePiece({ photo, turn: upright }, middle, { handle: bottomRight, dx: 9000, dy: 10, aspect: null }),
    );
    expect(grown.right).toBeCloseTo(2000);
    expect(grown.bottom).toBeCloseTo(edges(middle).bottom + 10);
  });

  it("keeps an aspect, at the border too", () => {
    const aspect = middle.width / middle.height;
    for (const [dx, dy] of [
      [200, 10],
      [9000, 9000],
      [-9000, -9000],
    ]) {
      const { width, height, ...rest } = resizePiece({ photo, turn: upright }, middle, {
        handle: bottomRight,
        dx,
        dy,
        aspect,
      });
      expect(width / height).toBeCloseTo(aspect);
      expect(edges({ width, height, ...rest })).toMatchObject({
        left: expect.closeTo(edges(middle).left),
        top: expect.closeTo(edges(middle).top),
      });
    }
  });

  it("keeps the minimum size of a photo", () => {
    const least = resizePiece({ photo, turn: upright }, middle, {
      handle: bottomRight,
      dx: -9000,
      dy: -9000,
      aspect: null,
    });
    expect([least.width, least.height]).toEqual([MIN_IMAGE_SIDE, MIN_IMAGE_SIDE]);
    const shaped = resizePiece({ photo, turn: upright }, middle, {
      handle: bottomRight,
      dx: -9000,
      dy: -9000,
      aspect: 2,
    });
    expect([shaped.width, shaped.height]).toEqual([2 * MIN_IMAGE_SIDE, MIN_IMAGE_SIDE]);
  });

  it("takes the largest piece of a shape", () => {
    expect(reshapePiece({ photo, turn: upright }, middle, 1)).toEqual({
      x: 100,
      y: 0,
      width: 3000,
      height: 3000,
    });
    expect(reshapePiece({ photo, turn: { quarters: 1, tilt: 0 } }, middle, 1)).toMatchObject({ width: 3000 });
  });
});
