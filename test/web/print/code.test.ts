import { describe, expect, test } from "vitest";
import { drawCode } from "../../../web/print/code.ts";
import { phoneProblem } from "../../../web/print/phone-problem.ts";
import { drawQrCode } from "../../../worker/content/qr-code.ts";

test("a printed code is the one that the API serves", () => {
  const address = "https://vivimark.example/v/8b0a5a5e-7f8f-4a9c-9f6e-0d5f0e3f7c11";
  const { size, path } = drawCode(address);
  const svg = new TextDecoder().decode(drawQrCode(address));
  const [, width] = /viewBox="0 0 (\d+) /.exec(svg)!;
  const unit = Number(width) / size;
  // In the API's drawing each module is a square of its own.
  const served = Array.from(
    svg.matchAll(/M(\d+),(\d+)h/g),
    ([, x, y]) => `${Number(x) / unit} ${Number(y) / unit}`,
  );
  const printed = Array.from(path.matchAll(/M(\d+) (\d+)H(\d+)/g), ([, from, y, to]) =>
    Array.from({ length: Number(to) - Number(from) }, (_, at) => `${Number(from) + at} ${y}`),
  ).flat();
  expect(served.length).toBeGreaterThan(500);
  expect(printed.sort()).toEqual(served.sort());
});

describe("phones", () => {
  test.each([
    "http://localhost:8787/v/1",
    "https://studio.localhost/v/1",
    "http://127.0.0.1:8787/v/1",
    "https://[::1]/v/1",
  ])("cannot open %s", (address) => expect(phoneProblem(address)).toBe("localhost"));
  test.each(["http://vivimark.example/v/1", "http://192.168.0.7:8787/v/1"])(
    "get no camera at %s",
    (address) => expect(phoneProblem(address)).toBe("http"),
  );
  test.each(["https://vivimark.example/v/1", "https://localhost.example/v/1"])("can use %s", (address) =>
    expect(phoneProblem(address)).toBeNull(),
  );
});
