import type { QualityMap } from "../../compiler/quality/reasons.ts";
import { type ChosenCorner, type Corner, chooseCorner } from "./corner.ts";
import type { Box, Size } from "./paper.ts";
import { type FittedText, fitText, LEADING, type Measure, type Weight } from "./text.ts";

/** A photo as it is printed. */
export interface PrintPhoto {
  readonly title: string;
  readonly orderNumber: string | null;
  /** What its QR code contains. */
  readonly address: string;
  /** In pixels. */
  readonly pixels: Size;
  /** Its trackable detail; null if there is no marker. */
  readonly map: QualityMap | null;
  /** The smallest longer side at which phones find it; null if that is unknown. */
  readonly smallest: number | null;
}

/** What a piece shows. Boxes are in the piece; those of photos may reach out of it, into the bleed. */
export type Mark =
  /** The photo covers the box: what does not fit is cut off on both sides. */
  | { readonly kind: "photo"; readonly box: Box }
  /** A QR code on white, with the margin that scanners expect. */
  | { readonly kind: "code"; readonly address: string; readonly box: Box }
  /** One line. `y` is its baseline. */
  | {
      readonly kind: "text";
      readonly text: string;
      readonly weight: Weight;
      readonly size: number;
      readonly x: number;
      readonly y: number;
      readonly width: number;
    };

/** Something that is printed and cut out: a label, or a photo. */
export interface Piece extends Size {
  readonly marks: readonly Mark[];
  /** Whether it is turned by a quarter, clockwise, on the sheet. Width and height are those before. */
  readonly isTurned: boolean;
}

export type Caption = "title" | "order_number" | "both" | "none";

/** Between a print's edge and its contents. */
const PADDING = 3;
/** A code's own margin on white is enough beside it. */
const CODE_MARGIN = 1;

const TITLE_SIZE = 4.2;
const SMALLEST_TEXT = 1.9;

/** Returns the lines of text of a label: the order number takes the place of the title if it is the only text. */
function captionOf(
  { title, orderNumber }: PrintPhoto,
  caption: Caption,
): readonly (readonly [string, Weight])[] {
  if (caption === "none") return [];
  if (caption === "title" || orderNumber === null) return [[title, "bold"]];
  return caption === "order_number"
    ? [[orderNumber, "bold"]]
    : [
        [title, "bold"],
        [orderNumber, "regular"],
      ];
}

/** Returns a label: the code, and the text beside it if the label is wide, else below it. */
export function labelPiece(photo: PrintPhoto, label: Size, caption: Caption, measure: Measure): Piece {
  const { width, height } = label;
  const padding = Math.min(PADDING, 0.05 * Math.min(width, height));
  const inner = { x: padding, y: padding, width: width - 2 * padding, height: height - 2 * padding };
  const texts = captionOf(photo, caption);
  const marks =
    width >= 1.25 * height && texts.length > 0
      ? codeAndTextBeside(photo, inner, Math.min(inner.height, 0.6 * inner.width), texts, measure)
      : codeAndTextBelow(photo, inner, texts, measure);
  return { width, height, marks, isTurned: false };
}

type Texts = ReturnType<typeof captionOf>;

function codeAndTextBeside(
  { address }: PrintPhoto,
  box: Box,
  side: number,
  texts: Texts,
  measure: Measure,
): Mark[] {
  const code = { x: box.x, y: box.y + (box.height - side) / 2, width: side, height: side };
  const room = {
    x: box.x + side + CODE_MARGIN,
    y: box.y,
    width: box.width - side - CODE_MARGIN - padOf(box),
    height: box.height,
  };
  return [{ kind: "code", address, box: code }, ...placeTexts(texts, room, "start", measure)];
}

function codeAndTextBelow({ address }: PrintPhoto, box: Box, texts: Texts, measure: Measure): Mark[] {
  const textHeight = texts.length === 0 ? 0 : Math.max(texts.length * 4, 0.2 * box.height);
  const side = Math.min(box.width, box.height - textHeight);
  const code = {
    x: box.x + (box.width - side) / 2,
    y: box.y + (texts.length === 0 ? (box.height - side) / 2 : 0),
    width: side,
    height: side,
  };
  const top = code.y + side;
  const room = { x: box.x, y: top, width: box.width, height: box.y + box.height - top };
  return [{ kind: "code", address, box: code }, ...placeTexts(texts, room, "middle", measure)];
}

function padOf({ height }: Size): number {
  return Math.min(1, 0.05 * height);
}

/** Places texts one below the other, in the middle of the height of a box. */
function placeTexts(texts: Texts, box: Box, align: "start" | "middle", measure: Measure): Mark[] {
  if (texts.length === 0) return [];
  const share = box.height / texts.length;
  let largest = TITLE_SIZE;
  const fitted = texts.map(([text, weight]) => {
    const size = Math.min(largest, share / LEADING);
    const minSize = Math.min(SMALLEST_TEXT, size);
    // Reduced text takes more lines than there is room for at the full size.
    const maxLines = Math.min(3, Math.max(1, Math.floor(share / (LEADING * Math.max(minSize, 0.75 * size)))));
    const room = { width: box.width, maxLines, size, minSize };
    const fit = fitText(text, room, (line) => measure(line, weight));
    // The title is the most prominent text, also when it is reduced.
    largest = 0.85 * fit.size;
    return { weight, ...fit };
  });
  const height = fitted.reduce((sum, { lines, size }) => sum + lines.length * LEADING * size, 0);
  let y = box.y + Math.max(0, (box.height - height) / 2);
  return fitted.flatMap(({ lines, size, weight }: FittedText & { weight: Weight }) =>
    lines.map((text): Mark => {
      const width = measure(text, weight) * size;
      const baseline = y + 0.92 * size;
      y += LEADING * size;
      const x = align === "start" ? box.x : box.x + (box.width - width) / 2;
      return { kind: "text", text, weight, size, x, y: baseline, width };
    }),
  );
}

interface PhotoOptions {
  /** The largest size of the photo, upright. */
  readonly size: Size;
  /** The side of the code with its margin. */
  readonly side: number;
  readonly bleed: number;
}

/** Returns the size of a photo that is printed as large as possible, without cutting anything off. */
function fitPhoto({ pixels }: PrintPhoto, { width, height }: Size): Size & { readonly isWide: boolean } {
  const isWide = pixels.width > pixels.height;
  const room = isWide ? { width: height, height: width } : { width, height };
  const scale = Math.min(room.width / pixels.width, room.height / pixels.height);
  return { width: pixels.width * scale, height: pixels.height * scale, isWide };
}

/** Returns the size of the strip with the code, along the short side of the photo. */
export function stripOf(side: number): number {
  return side + 2 * CODE_MARGIN;
}

/** Returns a photo with its code and text on a white strip: below it, or to the right of a wide one. */
export function photoBeside(
  photo: PrintPhoto,
  {
    size,
    side,
    bleed,
    caption,
    measure,
  }: PhotoOptions & { readonly caption: Caption; readonly measure: Measure },
): Piece {
  const { isWide, width, height } = fitPhoto(photo, size);
  const strip = stripOf(side);
  const texts = captionOf(photo, caption);
  const inner = { x: PADDING, y: PADDING };
  if (isWide) {
    const room = { x: width + CODE_MARGIN, y: inner.y, width: side, height: height - 2 * PADDING };
    return {
      width: width + strip,
      height,
      marks: [
        { kind: "photo", box: { x: -bleed, y: -bleed, width: width + bleed, height: height + 2 * bleed } },
        ...codeAndTextUpright(photo, room, texts, measure),
      ],
      isTurned: true,
    };
  }
  const room = { x: inner.x, y: height + CODE_MARGIN, width: width - 2 * PADDING, height: side };
  return {
    width,
    height: height + strip,
    marks: [
      { kind: "photo", box: { x: -bleed, y: -bleed, width: width + 2 * bleed, height: height + bleed } },
      ...codeAndTextBeside(photo, room, side, texts, measure),
    ],
    isTurned: false,
  };
}

/** The code at the top of a high box, and the text below it. */
function codeAndTextUpright({ address }: PrintPhoto, box: Box, texts: Texts, measure: Measure): Mark[] {
  const code = { x: box.x, y: box.y, width: box.width, height: box.width };
  const room = { x: box.x, y: box.y + box.width, width: box.width, height: 10 * texts.length };
  return [{ kind: "code", address, box: code }, ...placeTexts(texts, room, "middle", measure)];
}

/** Returns a photo with its code in a corner. */
export function photoCorner(
  photo: PrintPhoto,
  { size, side, bleed, corner }: PhotoOptions & { readonly corner: Corner | "auto" },
): Piece & { readonly chosen: ChosenCorner } {
  const { isWide, width, height } = fitPhoto(photo, size);
  const trimmed = { width, height };
  const chosen = chooseCorner({ map: photo.map, photo: trimmed, side, distance: PADDING, wanted: corner });
  return {
    ...trimmed,
    marks: [
      { kind: "photo", box: { x: -bleed, y: -bleed, width: width + 2 * bleed, height: height + 2 * bleed } },
      { kind: "code", address: photo.address, box: chosen.box },
    ],
    isTurned: isWide,
    chosen,
  };
}
