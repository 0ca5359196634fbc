import type { ZxcvbnResult } from "@zxcvbn-ts/core";
import { Refusal } from "../errors.ts";
import { MIN_PASSWORD_SCORE } from "./passwords.ts";

/** Judges passwords with zxcvbn: by how many guesses an attacker needs who knows common passwords and the person. */

/** Characters that are judged. The time of zxcvbn grows faster than the length: 64 characters take up to 0.1 s. */
const JUDGED_LENGTH = 64;

/** Sentences about what makes a password easy to guess, by zxcvbn's warnings. */
const REASONS: Readonly<Record<string, string>> = {
  topTen: "It is one of the most common passwords.",
  topHundred: "It is one of the most common passwords.",
  common: "It is a common password.",
  similarToCommon: "It is similar to a common password.",
  userInputs: "It contains your name, your email address or your company.",
  simpleRepeat: "It repeats a character.",
  extendedRepeat: "It repeats a pattern.",
  sequences: "It contains a sequence, such as abc or 123.",
  straightRow: "It follows the keyboard.",
  keyPattern: "It follows the keyboard.",
  dates: "It contains a date.",
  recentYears: "It contains a year.",
  wordByItself: "It is a single word.",
};

let factory: Promise<{ check(password: string, about: string[]): ZxcvbnResult }> | undefined;

/**
 * @param about the person's name, email and company
 * @param field the password's name in the request
 * @throws Refusal `invalid_input` for a password that is easy to guess
 */
export async function assertStrong(
  password: string,
  about: readonly (string | undefined)[],
  field: string,
): Promise<void> {
  factory ??= load();
  const words = about.flatMap((text = "") => [text, ...text.split(/[^\p{L}\p{N}]+/u)]);
  const { score, feedback } = (await factory).check(
    password,
    words.filter((word) => word.length > 2),
  );
  if (score >= MIN_PASSWORD_SCORE) return;
  const reason = REASONS[feedback.warning ?? ""] ?? "";
  const detail = `The password is too easy to guess. ${reason} Choose several unrelated words.`.replace(
    "  ",
    " ",
  );
  throw new Refusal("invalid_input", detail, {}, [{ field, detail }]);
}

/** Loads the dictionaries when the first password is chosen, which takes 0.1 s, and not when the Worker starts. */
async function load() {
  const [{ ZxcvbnFactory }, { adjacencyGraphs: graphs, dictionary }] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs, maxLength: JUDGED_LENGTH });
}
