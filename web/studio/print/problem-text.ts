import { PrintFailed } from "../../print/problem.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";

/** Returns why photos cannot be printed. */
export function problemText(error: unknown, photos: readonly { readonly title: string }[]): string {
  if (!(error instanceof PrintFailed) || error.problem.kind === "other") return messageOf(error);
  const { problem } = error;
  const texts = t.print.problems;
  switch (problem.kind) {
    case "photo":
      return texts.photo(photos[problem.photo].title);
    case "font":
      return texts.font(problem.status);
    default:
      return texts[problem.kind];
  }
}
