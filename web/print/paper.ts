/** Lengths are in millimetres, in all files of this folder that do not say otherwise. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** `x` and `y` are its upper left corner, from that of what it is in. */
export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

export type PaperName = keyof typeof PAPERS;

export const PAPERS = {
  a4: { width: 210, height: 297 },
  letter: { width: 215.9, height: 279.4 },
} as const;

/** A sheet of labels as it is sold. The labels are in the middle of the paper. */
export interface LabelSheet {
  readonly paper: PaperName;
  readonly label: Size;
  readonly columns: number;
  readonly rows: number;
  /** Between two columns; rows touch. */
  readonly gap: number;
}

export type LabelSheetName = keyof typeof LABEL_SHEETS;

/** Avery's sheets, whose dimensions other manufacturers share. */
export const LABEL_SHEETS = {
  L7160: { paper: "a4", label: { width: 63.5, height: 38.1 }, columns: 3, rows: 7, gap: 2.5 },
  L7163: { paper: "a4", label: { width: 99.1, height: 38.1 }, columns: 2, rows: 7, gap: 2.5 },
  L7165: { paper: "a4", label: { width: 99.1, height: 67.7 }, columns: 2, rows: 4, gap: 2.5 },
  L7651: { paper: "a4", label: { width: 38.1, height: 21.2 }, columns: 5, rows: 13, gap: 2.5 },
  "5160": { paper: "letter", label: { width: 66.675, height: 25.4 }, columns: 3, rows: 10, gap: 3.175 },
  "5163": { paper: "letter", label: { width: 101.6, height: 50.8 }, columns: 2, rows: 5, gap: 4.7625 },
} as const satisfies Record<string, LabelSheet>;

export type PrintSizeName = keyof typeof PRINT_SIZES;

/** Sizes of photo prints, upright. */
export const PRINT_SIZES = {
  "9x13": { width: 90, height: 130 },
  "10x15": { width: 100, height: 150 },
  "13x18": { width: 130, height: 180 },
  "15x20": { width: 150, height: 200 },
  "4x6": { width: 101.6, height: 152.4 },
  "5x7": { width: 127, height: 177.8 },
} as const;
