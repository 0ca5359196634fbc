import { describe } from "../../compiler/inspect.ts";
import { checkTargetCount, extractTargets } from "../../compiler/merge.ts";
import { decodeMind, encodeMind } from "../../compiler/mind.ts";
import type { ImageTarget } from "../../compiler/types.ts";
import { type Command, parseWords, required, wholeNumber } from "./command.ts";
import { EXIT, type Failure, failureOf, throwFailures, usageFailure } from "./failure.ts";
import { findFiles, MARKER_ENDINGS, readMarkerInput, STANDARD_STREAM } from "./inputs.ts";
import { checkOutput, print, writeOutputs } from "./outputs.ts";
import { counted, table } from "./text.ts";

const MERGE_HELP = `Joins .mind files into one, without compiling anything again.

  vivimark merge FILE … --output FILE [--json]

FILE is a .mind file, a folder of them, a pattern in quotes, or - for standard input. The targets of the first
file come first. The output may be one of the inputs: vivimark merge all.mind new.mind -o all.mind

  -o, --output FILE    the .mind file, or - for the standard output
  --json               print the result, or the reason for a failure, as JSON on standard output
`;

const EXTRACT_HELP = `Copies targets of a .mind file into a new one, without compiling anything again.

  vivimark extract FILE --target N [--target N …] --output FILE [--json]

Targets are numbered from 0, like MindAR's targetIndex. The new file has them in the order given: --target 1,0
swaps the targets of a file of two.

  -t, --target N       a target, or several separated by commas; may be repeated
  -o, --output FILE    the .mind file, or - for the standard output
  --json               print the result, or the reason for a failure, as JSON on standard output
`;

const OPTIONS = { output: { type: "string", short: "o" }, json: { type: "boolean" } } as const;

/** `vivimark merge`. */
export const mergeCommand: Command = {
  help: MERGE_HELP,
  async run(words) {
    const { values, inputs } = parseWords(words, {
      ...OPTIONS,
      input: { type: "string", short: "i", multiple: true },
    });
    if (inputs.length === 0) throw usageFailure("Expected a .mind file. See --help.");
    const output = checkedOutput(values);
    const failures: Failure[] = [];
    const targets: Origin[] = [];
    for (const file of await findFiles(inputs, MARKER_ENDINGS)) {
      try {
        const decoded = decodeMind(await readMarkerInput(file));
        targets.push(...decoded.map((target, index) => ({ input: file, index, target })));
      } catch (error) {
        failures.push(failureOf(error, file));
      }
    }
    throwFailures(failures);
    try {
      checkTargetCount(targets.length);
    } catch (error) {
      throw failureOf(error, null);
    }
    return write(output, encodeMind(targets.map(({ target }) => target)), targets, values.json);
  },
};

/** `vivimark extract`. */
export const extractCommand: Command = {
  help: EXTRACT_HELP,
  async run(words) {
    const { values, inputs } = parseWords(words, {
      ...OPTIONS,
      target: { type: "string", short: "t", multiple: true },
    });
    if (inputs.length !== 1) throw usageFailure(`Got ${inputs.length} files, expected one. See --help.`);
    if (values.target === undefined) throw usageFailure("--target is missing. See --help.");
    const indexes = values.target.flatMap((list) => list.split(",")).map((n) => wholeNumber("target", n, 0));
    const output = checkedOutput(values);
    const [file] = inputs;
    const bytes = await readMarkerInput(file);
    try {
      const extracted = extractTargets(bytes, indexes);
      const targets = decodeMind(extracted);
      return write(
        output,
        extracted,
        targets.map((target, i) => ({ input: file, index: indexes[i], target })),
        values.json,
      );
    } catch (error) {
      throw failureOf(error, file);
    }
  },
};

/** A target and its origin. */
interface Origin {
  readonly input: string;
  readonly index: number;
  readonly target: ImageTarget;
}

function checkedOutput(values: { output?: string; json?: boolean }): string {
  const output = required("output", values.output);
  if (values.json && output === STANDARD_STREAM) {
    throw usageFailure("--json and --output - both write to standard output. Choose a file for --output.");
  }
  checkOutput(output);
  return output;
}

async function write(
  output: string,
  bytes: Uint8Array,
  origins: readonly Origin[],
  json = false,
): Promise<number> {
  await writeOutputs([{ name: output, bytes }]);
  if (json) {
    const targets = origins.map(({ input, index, target }) => ({ input, index, ...describe(target) }));
    await print(`${JSON.stringify({ output, bytes: bytes.length, targets }, null, 2)}\n`);
  } else if (process.stderr.isTTY) {
    const rows = origins.map(({ input, index, target: { width, height } }, i) => [
      i,
      `${index} of ${input}`,
      `${width} × ${height}`,
    ]);
    process.stderr.write(
      `${output}: ${counted(origins.length, "target")}, ${counted(bytes.length, "byte")}\n` +
        table([["target", "was", "size"], ...rows]),
    );
  }
  return EXIT.ok;
}
