import { expect, it } from "vitest";
import { findReasons, type QualityMap, type QualityPartName } from "../../../compiler/quality/reasons.ts";
import { studio } from "../../../messages/en/studio.ts";
import { reasonsOf } from "../../../web/studio/quality.tsx";

const PARTS: readonly QualityPartName[] = ["detail", "spread", "distinctness", "contrast", "sharpness"];
const SIDE = 6;

/** Returns a map without detail in some of its thirds: left, right, upper and lower. */
function mapWithout(left: boolean, right: boolean, upper: boolean, lower: boolean): QualityMap {
  const cells = Array.from({ length: SIDE * SIDE }, (_, at) => {
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    const isEmpty = (left && x < 2) || (right && x > 3) || (upper && y < 2) || (lower && y > 3);
    return isEmpty ? 0 : 100;
  });
  return { columns: SIDE, rows: SIDE, cells };
}

const tones = (darkest: number, mean: number, brightest: number) => ({
  darkest,
  mean,
  brightest,
  crispness: 1,
  deviation: 0,
  slope: 0,
});
const dark = tones(5, 20, 40);
const bright = tones(210, 230, 250);
const grey = tones(100, 128, 150);

it("gives the reasons of a score the texts of the compiler, in English", () => {
  const full = mapWithout(false, false, false, false);
  const scores = (weak: readonly QualityPartName[]) =>
    PARTS.map((name) => ({ name, score: weak.includes(name) ? 10 : 100 }));
  const cases = [
    { parts: scores(PARTS), tones: dark, map: full, print: null },
    { parts: scores(["contrast"]), tones: bright, map: full, print: 231 },
    { parts: scores(["contrast", "distinctness"]), tones: grey, map: full, print: 400 },
    ...Array.from({ length: 15 }, (_, at) => {
      const [left, right, upper, lower] = [1, 2, 4, 8].map((bit) => ((at + 1) & bit) > 0);
      return { parts: scores([]), tones: grey, map: mapWithout(left, right, upper, lower), print: null };
    }),
  ];
  const codes = new Set<string>();
  const messages = new Set<string>();
  for (const { parts, tones, map, print } of cases) {
    const found = findReasons(parts, tones, map, print);
    // Without the compiler's own texts, which a reason keeps where the studio has none.
    const reasons = found.map(({ code }) => ({ code, message: "", advice: "" }));
    expect(reasonsOf({ reasons, map, print })).toEqual(found);
    for (const { code, message } of found) {
      codes.add(code);
      messages.add(message);
    }
  }
  expect([...codes].sort()).toEqual(Object.keys(studio.quality.reasons).sort());
  expect(messages.size).toBe(codes.size - 1 + 15);
});
