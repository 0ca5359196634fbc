// `vivimark`: compiles and inspects MindAR image targets on the command line.

import { createRequire } from "node:module";
import { COMPILER_VERSION } from "../../compiler/compile.ts";
import type { Command } from "./command.ts";
import { compileCommand } from "./compile.ts";
import { EXIT, Failure, usageFailure } from "./failure.ts";
import { inspectCommand } from "./inspect.ts";
import { extractCommand, mergeCommand } from "./merge.ts";
import { print } from "./outputs.ts";
import { scoreCommand } from "./score.ts";

const COMMANDS: Record<string, Command> = {
  compile: compileCommand,
  inspect: inspectCommand,
  merge: mergeCommand,
  extract: extractCommand,
  score: scoreCommand,
};

const HELP = `Compiles photos into MindAR image targets (.mind files). Inspects, merges and scores them.

  vivimark compile portrait.jpg --output targets.mind

Commands:
${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}\n`)
  .join("")}
  vivimark COMMAND --help lists the options of a command. vivimark --version prints the version.

Exit codes:
  0   success
  1   an image or a .mind file was rejected, or scores too low; standard error has the reason
  2   the command line is invalid
  3   a file is missing, or cannot be read or written
  70  a bug in Vivimark
`;

/** Runs one command line and sets the exit code of the process. */
export async function main(words: readonly string[]): Promise<void> {
  // `print` handles its errors itself.
  process.stdout.on("error", () => {});
  try {
    process.exitCode = await dispatch(words);
  } catch (error) {
    if (!(error instanceof Failure)) {
      console.error("vivimark: this is a bug in Vivimark:", error);
      process.exitCode = EXIT.bug;
      return;
    }
    for (const { file, message } of error.reports) {
      console.error(`vivimark: ${file === null ? "" : `${file}: `}${message}`);
    }
    process.exitCode = error.exit;
    // With an invalid command line, standard output may be meant for something else.
    if (words.includes("--json") && error.exit !== EXIT.usage)
      await print(`${JSON.stringify({ errors: error.reports }, null, 2)}\n`);
  }
}

async function dispatch([word, ...rest]: readonly string[]): Promise<number> {
  if (word === "--version" || word === "-v") {
    const { version } = createRequire(import.meta.url)("../../package.json");
    await print(`vivimark ${version} (compiler ${COMPILER_VERSION})\n`);
    return EXIT.ok;
  }
  const about = word === "help" ? rest[0] : rest.some(asksForHelp) ? word : undefined;
  if (word === "--help" || word === "-h" || (word === "help" && about === undefined)) {
    await print(HELP);
    return EXIT.ok;
  }
  if (word === undefined) throw usageFailure(`Expected a command: ${Object.keys(COMMANDS).join(", ")}.`);
  const name = about ?? word;
  if (!Object.hasOwn(COMMANDS, name)) {
    throw usageFailure(`"${name}" is not a command; expected ${Object.keys(COMMANDS).join(", ")}.`);
  }
  if (about !== undefined) {
    await print(COMMANDS[about].help);
    return EXIT.ok;
  }
  return COMMANDS[name].run(rest);
}

function asksForHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}
