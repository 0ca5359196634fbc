import { expect, test } from "vitest";
import { PrintFailed, type PrintProblem } from "../../../../web/print/problem.ts";
import { problemText } from "../../../../web/studio/print/problem-text.ts";

test.each<[PrintProblem, string]>([
  [{ kind: "photo", photo: 1 }, "“Harbour”: This browser cannot read the photo."],
  [{ kind: "font", status: 503 }, "The font for prints could not be loaded: status 503."],
  [{ kind: "worker_start" }, "The print worker could not start."],
  [{ kind: "other", message: "Out of memory" }, "Out of memory"],
])("a print that failed with %o says why", (problem, text) => {
  const photos = [{ title: "Wedding" }, { title: "Harbour" }];
  expect(problemText(new PrintFailed(problem), photos)).toBe(text);
});

test("the error of a download stays as it is", () => {
  expect(problemText(new Error("Not found."), [])).toBe("Not found.");
});
