import { MIN_IMAGE_SIDE } from "../../compiler/image/inspect.ts";

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The clockwise rotation of a photo before it is cropped. */
export interface Turn {
  /** Quarter turns, 0 to 3. */
  readonly quarters: number;
  /** Degrees in addition to them, ±`MAX_TILT`. */
  readonly tilt: number;
}

/**
 * An upright rectangle on the turned photo, in pixels of the photo. `x` and `y` are its centre, relative to the centre
 * of the photo, so that they do not depend on the tilt.
 */
export interface Piece extends Size {
  readonly x: number;
  readonly y: number;
}

/** A side or corner of a piece: -1 left or top, 0 neither, 1 right or bottom. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

/** The edit of a photo. */
export interface Edit {
  readonly turn: Turn;
  /** The requested piece. `pieceOf` fits it into the tilted photo. */
  readonly wanted: Piece;
}

/**
 * A crop in terms of the source pixels: `width` × `height` pixels around the point (`x`, `y`) of the upright photo,
 * relative to its top left corner, after the photo was turned clockwise around that point.
 */
export interface Cut extends Size {
  readonly x: number;
  readonly y: number;
  readonly degrees: number;
}

/** Degrees; enough for any crooked horizon. */
export const MAX_TILT = 15;

const UPRIGHT: Turn = { quarters: 0, tilt: 0 };

/** Returns the edit that changes nothing. */
export function untouched({ width, height }: Size): Edit {
  return { turn: UPRIGHT, wanted: { x: 0, y: 0, width, height } };
}

/** Returns whether an edit changes nothing. */
export function isUntouched(photo: Size, edit: Edit): boolean {
  const { x, y, width, height, degrees } = cutOf(photo, edit);
  const centred = x === photo.width / 2 && y === photo.height / 2;
  return degrees === 0 && centred && width === photo.width && height === photo.height;
}

/** Returns the size of a photo after its quarter turns. */
export function turnedSize({ width, height }: Size, { quarters }: Turn): Size {
  return quarters % 2 === 0 ? { width, height } : { width: height, height: width };
}

/** Returns the size of the upright rectangle around the turned photo. */
export function boundingSize(photo: Size, turn: Turn): Size {
  return extent(turnedSize(photo, turn), turn.tilt);
}

/** Returns the piece of an edit: the requested one, shrunk and moved as little as the tilt requires. */
export function pieceOf(photo: Size, { turn, wanted }: Edit): Piece {
  const room = turnedSize(photo, turn);
  const { width, height } = extent(wanted, turn.tilt);
  const scale = Math.min(1, room.width / width, room.height / height);
  return moveInside(
    { photo, turn },
    { ...wanted, width: wanted.width * scale, height: wanted.height * scale },
  );
}

export interface TurnedPhoto {
  readonly photo: Size;
  readonly turn: Turn;
}

/** Moves a piece by `dx`, `dy`. It slides along the border of the photo. */
export function movePiece(on: TurnedPhoto, piece: Piece, dx: number, dy: number): Piece {
  return moveInside(on, { ...piece, x: piece.x + dx, y: piece.y + dy });
}

export interface Resize {
  readonly handle: Handle;
  readonly dx: number;
  readonly dy: number;
  /** The ratio of width to height to keep, for corners; null: any. */
  readonly aspect: number | null;
}

/**
 * Moves one side or corner of a piece by `dx`, `dy`, within the photo and down to the smallest side that a photo may
 * have. The opposite side or corner stays.
 */
export function resizePiece(on: TurnedPhoto, piece: Piece, { handle, dx, dy, aspect }: Resize): Piece {
  const grown = (width: number, height: number, from: Piece): Piece => ({
    width,
    height,
    x: from.x + (handle.x * (width - from.width)) / 2,
    y: from.y + (handle.y * (height - from.height)) / 2,
  });
  const width = piece.width + handle.x * dx;
  const height = piece.height + handle.y * dy;
  if (aspect !== null) {
    const wanted = (width + height * aspect) / 2;
    const kept = Math.max(wanted, MIN_IMAGE_SIDE * Math.max(1, aspect));
    return farthest(on, piece, grown(kept, kept / aspect, piece));
  }
  // One axis after the other, so that a border stops only one of them.
  const wide = grown(Math.max(width, MIN_IMAGE_SIDE), piece.height, piece);
  const widened = farthest(on, piece, wide);
  const tall = grown(widened.width, Math.max(height, MIN_IMAGE_SIDE), widened);
  return farthest(on, widened, tall);
}

/** Returns the largest piece of a shape, as near to the piece's centre as possible. */
export function reshapePiece({ photo, turn }: TurnedPhoto, { x, y }: Piece, aspect: number): Piece {
  const { width, height } = turnedSize(photo, turn);
  const wanted = { x, y, width: Math.min(width, height * aspect), height: Math.min(height, width / aspect) };
  return pieceOf(photo, { turn, wanted });
}

/** Adds a quarter turn, clockwise or anticlockwise. The edit keeps the same part of the photo. */
export function turnQuarter({ turn, wanted }: Edit, direction: 1 | -1): Edit {
  const { x, y, width, height } = wanted;
  return {
    turn: { ...turn, quarters: (turn.quarters + direction + 4) % 4 },
    wanted: { x: -direction * y || 0, y: direction * x || 0, width: height, height: width },
  };
}

/** Returns the crop of an edit. Without a tilt, it is aligned to whole pixels. */
export function cutOf(photo: Size, edit: Edit): Cut {
  const { turn } = edit;
  const room = turnedSize(photo, turn);
  const exact = pieceOf(photo, edit);
  const piece = turn.tilt === 0 ? onWholePixels(room, exact) : inWholePixels(exact);
  const degrees = 90 * turn.quarters + turn.tilt;
  const centre = turned(piece, -degrees);
  return {
    x: photo.width / 2 + centre.x,
    y: photo.height / 2 + centre.y,
    width: piece.width,
    height: piece.height,
    degrees,
  };
}

/** Returns the cosine and sine of an angle in degrees, exact for quarter turns. */
export function direction(degrees: number): { cos: number; sin: number } {
  const quarters = degrees / 90;
  if (Number.isInteger(quarters)) {
    const turn = ((quarters % 4) + 4) % 4;
    return { cos: [1, 0, -1, 0][turn], sin: [0, 1, 0, -1][turn] };
  }
  const radians = (degrees * Math.PI) / 180;
  return { cos: Math.cos(radians), sin: Math.sin(radians) };
}

/** Turns a point clockwise around the origin; y points down. */
function turned({ x, y }: { x: number; y: number }, degrees: number): { x: number; y: number } {
  const { cos, sin } = direction(degrees);
  return { x: x * cos - y * sin, y: x * sin + y * cos };
}

/** Returns the size of the upright rectangle around a tilted one. */
function extent({ width, height }: Size, tilt: number): Size {
  const { cos, sin } = direction(Math.abs(tilt));
  return { width: width * cos + height * sin, height: width * sin + height * cos };
}

/** Moves a piece, which must be small enough, as little as possible so that its corners lie on the photo. */
function moveInside({ photo, turn }: TurnedPhoto, piece: Piece): Piece {
  const room = turnedSize(photo, turn);
  // In the coordinates of the photo, the piece is tilted and the borders are straight.
  const { width, height } = extent(piece, turn.tilt);
  const centre = turned(piece, -turn.tilt);
  const inside = turned(
    {
      x: clamp(centre.x, Math.max(0, (room.width - width) / 2)),
      y: clamp(centre.y, Math.max(0, (room.height - height) / 2)),
    },
    turn.tilt,
  );
  return { ...piece, x: inside.x, y: inside.y };
}

/** Interpolates from a piece on the photo to another piece, up to the last one that lies on the photo. */
function farthest({ photo, turn }: TurnedPhoto, from: Piece, to: Piece): Piece {
  const room = turnedSize(photo, turn);
  const start = reach(from, turn.tilt);
  const end = reach(to, turn.tilt);
  let way = 1;
  for (const side of ["left", "right", "top", "bottom"] as const) {
    const border = (side === "left" || side === "right" ? room.width : room.height) / 2;
    if (end[side] <= border) continue;
    const left = Math.max(0, border - start[side]);
    way = Math.min(way, left / (end[side] - Math.min(start[side], border)));
  }
  const between = (a: number, b: number) => a + (b - a) * way;
  return {
    x: between(from.x, to.x),
    y: between(from.y, to.y),
    width: between(from.width, to.width),
    height: between(from.height, to.height),
  };
}

/** Returns how far a piece reaches from the photo's centre towards each of its borders. */
function reach(piece: Piece, tilt: number) {
  const { width, height } = extent(piece, tilt);
  const { x, y } = turned(piece, -tilt);
  return { left: width / 2 - x, right: width / 2 + x, top: height / 2 - y, bottom: height / 2 + y };
}

function onWholePixels(room: Size, { x, y, width, height }: Piece): Piece {
  const horizontal = wholeSpan(room.width / 2 + x, width, room.width);
  const vertical = wholeSpan(room.height / 2 + y, height, room.height);
  return {
    x: horizontal.centre - room.width / 2,
    y: vertical.centre - room.height / 2,
    width: horizontal.length,
    height: vertical.length,
  };
}

function wholeSpan(centre: number, length: number, room: number): { centre: number; length: number } {
  const whole = Math.min(room, Math.max(1, Math.round(length)));
  const start = Math.min(room - whole, Math.max(0, Math.round(centre - whole / 2)));
  return { centre: start + whole / 2, length: whole };
}

/** Rounds down, but tolerates rounding errors: 127.9999 pixels become 128. */
function inWholePixels(piece: Piece): Piece {
  return {
    ...piece,
    width: Math.max(1, Math.floor(piece.width + 1e-3)),
    height: Math.max(1, Math.floor(piece.height + 1e-3)),
  };
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
