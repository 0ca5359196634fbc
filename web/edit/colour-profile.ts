import { hasAscii } from "../../compiler/image/sniff.ts";

/**
 * The colour profile of a JPEG or PNG file, as the pieces of the file that carry it: a JPEG's APP2 segments
 * (ICC.1, annex B.4), a PNG's iCCP chunk. Empty when there is none. The codecs know nothing of profiles, and
 * a phone's photo without its own looks pale.
 *
 * @param file one that `inspectImage` accepts
 */
export function colourProfile(file: Uint8Array): Uint8Array[] {
  return piecesOf(file)
    .filter(({ profile }) => profile)
    .map(({ start, end }) => file.subarray(start, end));
}

/** The file with these pieces instead of a profile of its own. They are of a file of the same format. */
export function withColourProfile(file: Uint8Array, profile: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const pieces = piecesOf(file);
  // Behind what has to come first: a JPEG's JFIF segment, a PNG's header.
  const first = pieces.findIndex(({ leading }) => !leading);
  const kept = (from: number, to?: number) =>
    pieces
      .slice(from, to)
      .filter((piece) => !piece.profile)
      .map(({ start, end }) => file.subarray(start, end));
  return joined([...kept(0, first), ...profile, ...kept(first)]);
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly profile: boolean;
  readonly leading: boolean;
}

/** A file in pieces that can be left out or put in; the last one is all that follows. */
function piecesOf(file: Uint8Array): Piece[] {
  return hasAscii(file, 0, "\xff\xd8") ? jpegPieces(file) : pngPieces(file);
}

function jpegPieces(file: Uint8Array): Piece[] {
  const pieces: Piece[] = [{ start: 0, end: 2, profile: false, leading: true }];
  let start = 2;
  // APP0 to APP15; behind them, nothing is a profile's.
  while (file[start] === 0xff && file[start + 1] >= 0xe0 && file[start + 1] <= 0xef) {
    const end = start + 2 + ((file[start + 2] << 8) | file[start + 3]);
    const profile = file[start + 1] === 0xe2 && hasAscii(file, start + 4, "ICC_PROFILE\0");
    pieces.push({ start, end, profile, leading: file[start + 1] === 0xe0 });
    start = end;
  }
  return [...pieces, { start, end: file.length, profile: false, leading: false }];
}

function pngPieces(file: Uint8Array): Piece[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const pieces: Piece[] = [{ start: 0, end: 33, profile: false, leading: true }];
  let start = 33;
  while (start + 12 <= file.length && !hasAscii(file, start + 4, "IDAT")) {
    const end = start + 12 + view.getUint32(start);
    pieces.push({ start, end, profile: hasAscii(file, start + 4, "iCCP"), leading: false });
    start = end;
  }
  return [...pieces, { start, end: file.length, profile: false, leading: false }];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
