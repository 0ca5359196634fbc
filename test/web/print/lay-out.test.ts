import { describe, expect, test } from "vitest";
import {
  type Concern,
  DEFAULT_SETTINGS,
  layOut,
  type PrintSettings,
  settingsOf,
} from "../../../web/print/lay-out.ts";
import type { Mark, PrintPhoto } from "../../../web/print/piece.ts";
import type { Measure } from "../../../web/print/text.ts";

const measure: Measure = (text) => 0.5 * text.length;

const photo = (changed: Partial<PrintPhoto> = {}): PrintPhoto => ({
  title: "Grandmother in the garden",
  orderNumber: "A-17",
  address: "https://vivimark.example/v/8b0a5a5e-7f8f-4a9c-9f6e-0d5f0e3f7c11",
  pixels: { width: 3000, height: 4000 },
  map: { columns: 2, rows: 2, cells: [80, 80, 80, 0] },
  smallest: 60,
  ...changed,
});

const plan = (photos: readonly PrintPhoto[], settings: Partial<PrintSettings>) =>
  layOut(photos, { ...DEFAULT_SETTINGS, ...settings }, measure);

const kinds = (concerns: readonly Concern[]) => concerns.map(({ kind }) => kind);
const textsOf = (marks: readonly Mark[]) =>
  marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));

describe("labels", () => {
  test("fill sheets in order, with copies, after the used ones", () => {
    const photos = Array.from({ length: 12 }, (_, at) => photo({ title: `Photo ${at}` }));
    const { pages, concerns } = plan(photos, { copies: 2, used: 20 });
    expect(pages.map(({ pieces }) => pieces.length)).toEqual([1, 21, 2]);
    expect(pages[1].pieces.slice(0, 4).map(({ photo }) => photo)).toEqual([0, 1, 1, 2]);
    // The last place of the first sheet, the first of the second.
    expect(pages[0].pieces[0].box.y).toBeGreaterThan(pages[1].pieces[0].box.y);
    expect(concerns).toEqual([]);
    expect(pages.flatMap(({ lines }) => lines)).toEqual([]);
  });

  test.each([
    ["title", ["Grandmother in the garden"]],
    ["order_number", ["A-17"]],
    ["both", ["Grandmother in the garden", "A-17"]],
    ["none", []],
  ] as const)("show the text that was chosen: %s", (caption, texts) => {
    const { marks } = plan([photo()], { caption, sheet: "L7163" }).pages[0].pieces[0].piece;
    expect(textsOf(marks)).toEqual(texts);
  });

  test("show the title larger than the order number, also when it is reduced to fit", () => {
    const long = photo({ title: "Grandmother-in-the-garden-of-the-summer-house" });
    const { marks } = plan([long], { sheet: "5160" }).pages[0].pieces[0].piece;
    const [title, number] = marks.flatMap((mark) => (mark.kind === "text" ? [mark.size] : []));
    expect(title).toBeLessThan(3);
    expect(number).toBeLessThan(title);
  });

  test("show the title of a photo without order number", () => {
    const { marks } = plan([photo({ orderNumber: null })], { caption: "order_number" }).pages[0].pieces[0]
      .piece;
    expect(textsOf(marks).join(" ")).toBe("Grandmother in the garden");
  });

  test.each(["L7160", "L7163", "L7165", "L7651", "5160", "5163", "custom"] as const)(
    "keep code and text inside and apart: %s",
    (sheet) => {
      const long = photo({
        title: "Grandmother and grandfather in front of the summer house by the lake in 1961",
      });
      for (const label of [
        { width: 50, height: 50 },
        { width: 30, height: 60 },
      ]) {
        const { pages, concerns } = plan([long], { sheet, label });
        expect(concerns).toEqual([]);
        const { width, height, marks } = pages[0].pieces[0].piece;
        const code = marks.find((mark) => mark.kind === "code")!.box;
        for (const mark of marks) {
          const box =
            mark.kind === "text"
              ? { x: mark.x, y: mark.y - 0.9 * mark.size, width: mark.width, height: 1.15 * mark.size }
              : mark.box;
          expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
          expect(box.x + box.width).toBeLessThanOrEqual(width);
          expect(box.y + box.height).toBeLessThanOrEqual(height);
          if (mark.kind === "text")
            expect(box.x >= code.x + code.width || box.y >= code.y + code.height - 1e-9).toBe(true);
        }
      }
    },
  );

  test("with codes that phones cannot read are reported", () => {
    const { concerns } = plan([photo()], { sheet: "custom", label: { width: 15, height: 15 } });
    expect(concerns).toEqual([{ kind: "small_code", photos: [0] }]);
  });

  test("on plain paper have crop marks, unless they are switched off", () => {
    const custom = { sheet: "custom", label: { width: 60, height: 40 } } as const;
    expect(plan([photo(), photo()], custom).pages[0].lines).toHaveLength(16);
    expect(plan([photo()], { ...custom, hasMarks: false }).pages[0].lines).toEqual([]);
  });

  test("that are larger than the paper have no pages", () => {
    const { pages, concerns } = plan([photo()], { sheet: "custom", label: { width: 300, height: 300 } });
    expect([pages, kinds(concerns)]).toEqual([[], ["too_large"]]);
  });
});

describe("photos", () => {
  const boxOf = (marks: readonly Mark[], kind: "photo" | "code") => {
    const mark = marks.find((mark) => mark.kind === kind)!;
    return mark.kind === "text" ? null! : mark.box;
  };

  test("are whole, as large as the size allows, wide ones turned", () => {
    const wide = photo({ pixels: { width: 4000, height: 3000 } });
    const { pages } = plan([photo(), wide], { kind: "corner", size: "9x13", bleed: 2 });
    const [upright, turned] = pages[0].pieces;
    expect(boxOf(upright.piece.marks, "photo")).toEqual({ x: -2, y: -2, width: 94, height: 124 });
    expect(boxOf(turned.piece.marks, "photo")).toEqual({ x: -2, y: -2, width: 124, height: 94 });
    expect([upright.piece.isTurned, turned.piece.isTurned]).toEqual([false, true]);
    expect([turned.box.width, turned.box.height]).toEqual([90, 120]);
  });

  test("have their code in the corner without detail; others are reported", () => {
    const full = photo({ map: { columns: 1, rows: 1, cells: [70] } });
    const { pages, concerns } = plan([photo(), full, photo({ map: null })], { kind: "corner", size: "9x13" });
    const { marks, width, height } = pages[0].pieces[0].piece;
    const code = boxOf(marks, "code");
    expect([code.x + code.width, code.y + code.height]).toEqual([width - 3, height - 3]);
    expect(concerns).toEqual([
      { kind: "covers_detail", photos: [1] },
      { kind: "unchecked_corner", photos: [2] },
    ]);
    const chosen = plan([photo()], { kind: "corner", corner: "top-left" });
    expect(kinds(chosen.concerns)).toEqual(["covers_detail"]);
  });

  test.each([
    ["upright", { width: 3000, height: 4000 }],
    ["wide", { width: 4000, height: 3000 }],
  ])("have their code and text on a strip beside them, %s", (_, pixels) => {
    const { pages } = plan([photo({ pixels })], { kind: "beside", bleed: 3 });
    const { marks, width, height } = pages[0].pieces[0].piece;
    const picture = boxOf(marks, "photo");
    const code = boxOf(marks, "code");
    const isOutside = code.x >= picture.x + picture.width || code.y >= picture.y + picture.height;
    expect(isOutside).toBe(true);
    expect([code.x + code.width <= width, code.y + code.height <= height]).toEqual([true, true]);
    expect(textsOf(marks).join(" ")).toBe("Grandmother in the garden A-17");
    // The picture bleeds over three edges; the strip is at the fourth.
    const edges = [
      -picture.x,
      -picture.y,
      picture.x + picture.width - width,
      picture.y + picture.height - height,
    ];
    expect(edges.filter((edge) => Math.abs(edge - 3) < 1e-9)).toHaveLength(3);
  });

  test("that are too small for phones to find them are reported", () => {
    const faint = photo({ smallest: 140 });
    expect(plan([photo(), faint], { kind: "beside", size: "9x13" }).concerns).toEqual([
      { kind: "small_photo", photos: [1] },
    ]);
  });
});

describe("stored settings", () => {
  test("are taken over where they are valid; copies and used labels are not", () => {
    const stored = { ...DEFAULT_SETTINGS, kind: "beside", side: 30, hasMarks: false, copies: 7, used: 3 };
    expect(settingsOf(JSON.parse(JSON.stringify(stored)))).toEqual({ ...stored, copies: 1, used: 0 });
  });

  test.each([null, 7, {}, { kind: "poster", side: 1e9, label: null, sheet: "toString", bleed: "3" }])(
    "otherwise become the defaults: %j",
    (stored) => expect(settingsOf(stored)).toEqual(DEFAULT_SETTINGS),
  );
});
