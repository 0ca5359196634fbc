import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { usageFailure } from "./failure.ts";

export interface Command {
  /** One line. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /** Does the work and gives the exit code; throws a Failure that says why nothing was done. */
  run(words: readonly string[]): Promise<number>;
}

export interface Words<Options extends ParseArgsOptionsConfig> {
  readonly values: ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>>["values"];
  /** Arguments and `--input`s, in the order given. */
  readonly inputs: readonly string[];
}

/** Reads the words of a command; an unknown option, or one without its value, is a failure. */
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
    // The first sentence says what is wrong, the others how to name files that begin with a dash.
    throw usageFailure(`${error.message.split(". ", 1)[0]}. See --help.`);
  }
}

/** The value that an option has to have. */
export function required(option: string, value: string | undefined): string {
  if (value === undefined || value === "") throw usageFailure(`--${option} is missing. See --help.`);
  return value;
}

/** A whole number of at least `min`; undefined stays what it is. */
export function wholeNumber(option: string, text: string, min: number): number;
export function wholeNumber(option: string, text: string | undefined, min: number): number | undefined;
export function wholeNumber(option: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text);
  throw usageFailure(`--${option} is "${text}", expected a whole number of ${min} or more.`);
}
