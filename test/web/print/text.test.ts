import { expect, test } from "vitest";
import { fitText } from "../../../web/print/text.ts";

/** Every letter is half as wide as the font is high. */
const widthOf = (line: string) => 0.5 * [...line].length;
const room = { width: 20, maxLines: 2, size: 4, minSize: 2 };

test("short text keeps its size", () => {
  expect(fitText("Anna", room, widthOf)).toEqual({ lines: ["Anna"], size: 4 });
});

test("text breaks at spaces", () => {
  expect(fitText("Anna Maria Elena", room, widthOf)).toEqual({ lines: ["Anna Maria", "Elena"], size: 4 });
});

test("longer text is reduced, to the smallest size at most", () => {
  const { lines, size } = fitText("Anna Maria Elena Katharina", room, widthOf);
  expect(lines.join(" ")).toBe("Anna Maria Elena Katharina");
  expect(size).toBeLessThan(4);
  expect(size).toBeGreaterThanOrEqual(2);
  for (const line of lines) expect(widthOf(line) * size).toBeLessThanOrEqual(20);
});

test("what does not fit then ends with an ellipsis", () => {
  const { lines, size } = fitText(
    "Grandmother and grandfather in front of the summer house in 1961",
    room,
    widthOf,
  );
  expect([lines.length, size]).toEqual([2, 2]);
  expect(lines[1]).toMatch(/\S…$/);
  for (const line of lines) expect(widthOf(line) * size).toBeLessThanOrEqual(20);
});

test("a long word is shortened, between whole characters", () => {
  const { lines } = fitText("👩‍👩‍👧".repeat(30), { ...room, maxLines: 1 }, widthOf);
  expect(lines).toEqual([`${"👩‍👩‍👧".repeat(3)}…`]);
});
