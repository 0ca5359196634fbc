import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { usageFailure } from "./failure.ts";

export interface Command {
  /** What `--help` prints. */
  readonly help: string;
  /** Runs the command and returns the exit code. Throws a Failure when nothing was done. */
  run(words: readonly string[]): Promise<number>;
}

export interface Words<Options extends ParseArgsOptionsConfig> {
  readonly values: ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>>["values"];
  /** Arguments and `--input`s, in the order given. */
  readonly inputs: readonly string[];
}

/** Parses the words of a command. Throws a Failure for an unknown option or a missing value. */
export function parseWords<const Options extends ParseArgsOptionsConfig>(
  words: readonly string[],
  options: Options,
): Words<Options> {
  try {
    const { values, tokens } = parseArgs({ args: [...words], options, allowPositionals: true, tokens: true });
    const inputs = tokens.flatMap((token) => {
      if (token.kind === "positional") return [token.value];
      return token.kind === "option" && token.name === "input" ? [token.value as string] : [];
    });
    return { values: values as Words<Options>["values"], inputs };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Only the first sentence is about the error. The others explain file names that begin with a dash.
    throw usageFailure(`${error.message.split(". ", 1)[0]}. See --help.`);
  }
}

/** Returns the value of a required option. Throws a Failure when it is missing. */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value === "") throw usageFailure(`--${option} is missing. See --help.`);
  return value;
}

/** Parses a whole number of at least `min`. Returns undefined for an absent option. */
export function wholeNumber(option: string, text: string, min: number): number;
export function wholeNumber(option: string, text: string | undefined, min: number): number | undefined;
export function wholeNumber(option: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text);
  throw usageFailure(`--${option} is "${text}", expected a whole number of ${min} or more.`);
}
