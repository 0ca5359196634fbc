import { hasAscii } from "../../compiler/image/sniff.ts";

/**
 * Returns the parts of a JPEG or PNG file that contain its colour profile: the APP2 segments of a JPEG (ICC.1,
 * annex B.4), the iCCP chunk of a PNG. Returns an empty array if the file has no profile. The codecs drop the profile,
 * without which a phone photo looks pale.
 *
 * @param file a file that `inspectImage` accepts
 */
export function colourProfile(file: Uint8Array): Uint8Array[] {
  return piecesOf(file)
    .filter(({ profile }) => profile)
    .map(({ start, end }) => file.subarray(start, end));
}

/** Returns the file with another colour profile, taken from a file of the same format. */
export function withColourProfile(file: Uint8Array, profile: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const pieces = piecesOf(file);
  // After the parts that must come first: the JFIF segment of a JPEG, the header of a PNG.
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

/** Splits a file into parts that can be removed or inserted. The last part is the rest of the file. */
function piecesOf(file: Uint8Array): Piece[] {
  return hasAscii(file, 0, "\xff\xd8") ? jpegPieces(file) : pngPieces(file);
}

function jpegPieces(file: Uint8Array): Piece[] {
  const pieces: Piece[] = [{ start: 0, end: 2, profile: false, leading: true }];
  let start = 2;
  // APP0 to APP15; profiles only occur there.
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
