import { drawCode } from "./code.ts";
import { CORNERS, type Corner } from "./corner.ts";
import { cropMarks, gapOf, type Line, markReach } from "./crop-marks.ts";
import { fillPaper, type Grid, labelGrid, placeCount, placesOf } from "./grid.ts";
import {
  type Box,
  LABEL_SHEETS,
  type LabelSheetName,
  PAPERS,
  type PaperName,
  PRINT_SIZES,
  type PrintSizeName,
  type Size,
} from "./paper.ts";
import {
  type Caption,
  labelPiece,
  type Piece,
  type PrintPhoto,
  photoBeside,
  photoCorner,
  stripOf,
} from "./piece.ts";
import type { Measure } from "./text.ts";

export interface PrintSettings {
  readonly kind: "labels" | "beside" | "corner";
  readonly caption: Caption;
  readonly copies: number;
  /** Labels: `custom` is `label` on `paper`. */
  readonly sheet: LabelSheetName | "custom";
  readonly label: Size;
  /** Labels of the first sheet that are used already. */
  readonly used: number;
  readonly paper: PaperName;
  readonly size: PrintSizeName;
  /** The side of the code on a photo, with its margin. */
  readonly side: number;
  readonly corner: Corner | "auto";
  readonly bleed: number;
  readonly hasMarks: boolean;
}

export const DEFAULT_SETTINGS: PrintSettings = {
  kind: "labels",
  caption: "both",
  copies: 1,
  sheet: "L7160",
  label: { width: 50, height: 50 },
  used: 0,
  paper: "a4",
  size: "10x15",
  side: 25,
  corner: "auto",
  bleed: 0,
  hasMarks: true,
};

/** The numbers that settings may have. */
export const LIMITS = {
  copies: [1, 100],
  used: [0, 999],
  width: [15, 300],
  height: [15, 300],
  side: [15, 60],
  bleed: [0, 5],
} as const;

/** A piece on a page; its box is that after turning. */
export interface PlacedPiece {
  readonly piece: Piece;
  /** The index of its photo. */
  readonly photo: number;
  readonly box: Box;
}

export interface PrintPage extends Size {
  readonly pieces: readonly PlacedPiece[];
  readonly lines: readonly Line[];
}

/** Something that would spoil prints. */
export type Concern =
  /** The paper is too small for one piece. There are no pages. */
  | { readonly kind: "too_large" }
  /** The modules of these photos' codes are too small for phones. */
  | { readonly kind: "small_code"; readonly photos: readonly number[] }
  /** The codes are on detail that phones need to find the photo. */
  | { readonly kind: "covers_detail"; readonly photos: readonly number[] }
  /** Photos without a map of detail: the corner was not checked. */
  | { readonly kind: "unchecked_corner"; readonly photos: readonly number[] }
  /** Phones find these photos only when they are printed larger. */
  | { readonly kind: "small_photo"; readonly photos: readonly number[] };

export interface PrintPlan {
  readonly pages: readonly PrintPage[];
  readonly concerns: readonly Concern[];
}

/** Phones read modules of this size from 15 cm away. */
const SMALLEST_MODULE = 0.33;

/** Returns the pages with all photos. Nothing is drawn yet. */
export function layOut(photos: readonly PrintPhoto[], settings: PrintSettings, measure: Measure): PrintPlan {
  const grid = gridOf(settings);
  if (!grid) return { pages: [], concerns: [{ kind: "too_large" }] };
  const pieces = photos.map((photo) => pieceOf(photo, settings, grid, measure));
  return {
    pages: place(pieces, grid, settings),
    concerns: concernsOf(photos, pieces, settings),
  };
}

const isOnStock = ({ kind, sheet }: PrintSettings) => kind === "labels" && sheet !== "custom";

function gridOf(settings: PrintSettings): Grid | null {
  const { kind, sheet, label, paper, size, side, hasMarks } = settings;
  if (kind === "labels" && sheet !== "custom") return labelGrid(LABEL_SHEETS[sheet]);
  const bleed = bleedOf(settings);
  const { width, height } = PRINT_SIZES[size];
  const photo = { width, height: kind === "beside" ? height + stripOf(side) : height };
  const edge = hasMarks ? markReach(bleed) : bleed;
  return fillPaper(PAPERS[paper], kind === "labels" ? label : photo, gapOf(bleed, hasMarks), edge);
}

function bleedOf({ kind, bleed }: PrintSettings): number {
  return kind === "labels" ? 0 : bleed;
}

type AnyPiece = Piece & Partial<Pick<ReturnType<typeof photoCorner>, "chosen">>;

function pieceOf(photo: PrintPhoto, settings: PrintSettings, grid: Grid, measure: Measure): AnyPiece {
  const { kind, caption, side, bleed, corner } = settings;
  const size = PRINT_SIZES[settings.size];
  if (kind === "labels") return labelPiece(photo, grid.place, caption, measure);
  if (kind === "beside") return photoBeside(photo, { size, side, bleed, caption, measure });
  return photoCorner(photo, { size, side, bleed, corner });
}

function place(pieces: readonly Piece[], grid: Grid, settings: PrintSettings): PrintPage[] {
  const { copies, used, hasMarks } = settings;
  const places = placesOf(grid);
  const first = isOnStock(settings) ? used % placeCount(grid) : 0;
  const pages: { pieces: PlacedPiece[]; lines: Line[] }[] = [];
  for (let at = 0; at < pieces.length * copies; at++) {
    const photo = Math.floor(at / copies);
    const page = Math.floor((first + at) / places.length);
    pages[page] ??= { pieces: [], lines: [] };
    const piece = pieces[photo];
    const box = middleOf(places[(first + at) % places.length], piece);
    pages[page].pieces.push({ piece, photo, box });
    if (hasMarks && !isOnStock(settings)) pages[page].lines.push(...cropMarks(box, bleedOf(settings)));
  }
  return pages.map((page) => ({ ...grid.paper, ...page }));
}

function middleOf(place: Box, { width, height, isTurned }: Piece): Box {
  const size = isTurned ? { width: height, height: width } : { width, height };
  return {
    x: place.x + (place.width - size.width) / 2,
    y: place.y + (place.height - size.height) / 2,
    ...size,
  };
}

function concernsOf(
  photos: readonly PrintPhoto[],
  pieces: readonly AnyPiece[],
  { kind }: PrintSettings,
): Concern[] {
  const those = (is: (piece: AnyPiece, photo: PrintPhoto) => boolean) =>
    photos.flatMap((photo, at) => (is(pieces[at], photo) ? [at] : []));
  const isSmallCode = ({ marks }: Piece) =>
    marks.some(
      (mark) => mark.kind === "code" && mark.box.width / drawCode(mark.address).size < SMALLEST_MODULE,
    );
  const isSmallPhoto = ({ marks }: Piece, { smallest }: PrintPhoto) =>
    kind !== "labels" &&
    smallest !== null &&
    marks.some(({ kind, ...mark }) => kind === "photo" && "box" in mark && longerSide(mark.box) < smallest);
  const concerns: Concern[] = [
    { kind: "small_code", photos: those(isSmallCode) },
    { kind: "covers_detail", photos: those(({ chosen }) => chosen?.coversDetail === true) },
    { kind: "unchecked_corner", photos: those(({ chosen }) => chosen?.coversDetail === null) },
    { kind: "small_photo", photos: those(isSmallPhoto) },
  ];
  return concerns.filter((concern) => "photos" in concern && concern.photos.length > 0);
}

function longerSide({ width, height }: Size): number {
  return Math.max(width, height);
}

/**
 * Returns settings that were stored: what is missing, unknown or out of range becomes the default.
 *
 * @param stored JSON that this or an older version wrote, or anything else
 */
export function settingsOf(stored: unknown): PrintSettings {
  const given = (typeof stored === "object" && stored !== null ? stored : {}) as Record<string, unknown>;
  const oneOf = <T extends string>(name: keyof PrintSettings, values: readonly T[]) =>
    (values.includes(given[name] as T) ? given[name] : DEFAULT_SETTINGS[name]) as T;
  const within = (value: unknown, [least, most]: readonly [number, number], otherwise: number) =>
    typeof value === "number" && value >= least && value <= most ? value : otherwise;
  const label = (given.label ?? {}) as Record<string, unknown>;
  return {
    kind: oneOf("kind", ["labels", "beside", "corner"]),
    caption: oneOf("caption", ["title", "order_number", "both", "none"]),
    sheet: oneOf("sheet", [...(Object.keys(LABEL_SHEETS) as LabelSheetName[]), "custom"]),
    paper: oneOf("paper", Object.keys(PAPERS) as PaperName[]),
    size: oneOf("size", Object.keys(PRINT_SIZES) as PrintSizeName[]),
    corner: oneOf("corner", [...CORNERS, "auto"]),
    label: {
      width: within(label.width, LIMITS.width, DEFAULT_SETTINGS.label.width),
      height: within(label.height, LIMITS.height, DEFAULT_SETTINGS.label.height),
    },
    side: within(given.side, LIMITS.side, DEFAULT_SETTINGS.side),
    bleed: within(given.bleed, LIMITS.bleed, DEFAULT_SETTINGS.bleed),
    hasMarks: given.hasMarks !== false,
    // These belong to one print run.
    copies: 1,
    used: 0,
  };
}
