// `vivimark`: compiles and inspects MindAR image targets on the command line.

import { createRequire } from "node:module";
import { COMPILER_VERSION } from "../../compiler/compile.ts";
import type { Command } from "./command.ts";
import { EXIT, Failure, usageFailure } from "./failure.ts";
import { print } from "./outputs.ts";

interface Entry {
  /** One line. */
  readonly summary: string;
  /** Loads the command's code, which the others do not need. */
  load(): Promise<Command>;
}

const COMMANDS: Record<string, Entry> = {
  compile: {
    summary: "compile photos into one .mind file",
    load: async () => (await import("./compile.ts")).compileCommand,
  },
  inspect: {
    summary: "show the contents and problems of a .mind file",
    load: async () => (await import("./inspect.ts")).inspectCommand,
  },
  merge: {
    summary: "join .mind files into one, without compiling again",
    load: async () => (await import("./merge.ts")).mergeCommand,
  },
  extract: {
    summary: "copy targets of a .mind file into a new one",
    load: async () => (await import("./merge.ts")).extractCommand,
  },
  score: {
    summary: "predict how well a camera will find a photo",
    load: async () => (await import("./score.ts")).scoreCommand,
  },
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
  const command = await COMMANDS[name].load();
  if (about !== undefined) {
    await print(command.help);
    return EXIT.ok;
  }
  return command.run(rest);
}

function asksForHelp(word: string): boolean {
  return word === "--help" || word === "-h";
}
