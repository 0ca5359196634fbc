import type { ZxcvbnResult } from "@zxcvbn-ts/core";

/** As worker/accounts/strength.ts, which decides. */
const MIN_SCORE = 3;
const JUDGED_LENGTH = 64;

let factory: Promise<{ check(password: string, about: string[]): ZxcvbnResult }> | undefined;

/**
 * Returns whether the server will accept a password. Loads zxcvbn and its dictionaries first.
 *
 * @param about the person's name, email and company
 */
export async function isStrongPassword(password: string, about: readonly string[]): Promise<boolean> {
  factory ??= load().catch((error) => {
    factory = undefined;
    throw error;
  });
  const words = about.flatMap((text) => [text, ...text.split(/[^\p{L}\p{N}]+/u)]);
  const { score } = (await factory).check(
    password,
    words.filter((word) => word.length > 2),
  );
  return score >= MIN_SCORE;
}

async function load() {
  const [{ ZxcvbnFactory }, { adjacencyGraphs: graphs, dictionary }] = await Promise.all([
    import("@zxcvbn-ts/core"),
    import("@zxcvbn-ts/language-common"),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs, maxLength: JUDGED_LENGTH });
}
