import { mkdirSync } from "node:fs";
import path from "node:path";
import { encodePng } from "../../compiler/image/png.ts";
import { inspectMind, type MarkerReport } from "../../compiler/inspect.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { drawFeatures, targetPicture } from "../../compiler/preview.ts";
import { prepareCompiler } from "../library.ts";
import { type Command, parseWords } from "./command.ts";
import { EXIT, failureOf, usageFailure } from "./failure.ts";
import { readMarkerInput } from "./inputs.ts";
import { type Output, print, writeOutputs } from "./outputs.ts";
import { counted, table } from "./text.ts";

const HELP = `Shows the contents and the problems of a .mind file.

  vivimark inspect FILE [options]

FILE may be - for standard input. Targets are numbered from 0, like MindAR's targetIndex.

  --json           print the report as JSON: valid, version, targets, keyframes, tracking images, problems
  --preview DIR    write a PNG of each target with its feature points: DIR/target-0.png and so on

The exit code is 1 if there is a problem. Problems that keep a file from loading: empty, html, json,
foreign_file, wrong_version, null_descriptors, truncated, malformed. A target that loads but is hard to find:
too_few_features.
`;

const OPTIONS = { json: { type: "boolean" }, preview: { type: "string" } } as const;

/** `vivimark inspect`. */
export const inspectCommand: Command = {
  help: HELP,
  async run(words) {
    const { values, inputs } = parseWords(words, OPTIONS);
    if (inputs.length !== 1) throw usageFailure(`Got ${inputs.length} files, expected one. See --help.`);
    const [file] = inputs;
    const bytes = await readMarkerInput(file);
    const report = inspectMind(bytes);
    if (values.preview !== undefined && report.valid) await writePreviews(bytes, values.preview);
    await print(
      values.json ? `${JSON.stringify({ file, ...report }, null, 2)}\n` : describeReport(file, report),
    );
    return report.problems.length === 0 ? EXIT.ok : EXIT.refused;
  },
};

function describeReport(file: string, { valid, bytes, version, targets, problems }: MarkerReport): string {
  const head = valid
    ? `${file}: .mind version ${version}, ${counted(targets.length, "target")}, ${counted(bytes, "byte")}\n`
    : `${file}: MindAR's player cannot load this file, ${counted(bytes, "byte")}\n`;
  const rows = targets.map(({ width, height, keyframes, points, tracking }, i) => [
    i,
    `${width} × ${height}`,
    keyframes.length,
    points,
    tracking[1].points,
  ]);
  const list = valid ? table([["target", "size", "keyframes", "points", "tracking points"], ...rows]) : "";
  const faults = problems.map(({ code, message, target }) => {
    return `problem: ${code}${target === null ? "" : ` in target ${target}`}: ${message}\n`;
  });
  return head + list + faults.join("");
}

async function writePreviews(bytes: Uint8Array, folder: string): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw failureOf(error, folder);
  }
  await prepareCompiler();
  const outputs: Output[] = [];
  for (const [i, target] of decodeMind(bytes).entries()) {
    const picture = drawFeatures(targetPicture(target), target);
    outputs.push({ name: path.join(folder, `target-${i}.png`), bytes: await encodePng(picture) });
  }
  await writeOutputs(outputs);
}
