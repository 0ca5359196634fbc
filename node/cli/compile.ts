import { COMPILER_VERSION, DEFAULT_MAX_SIZE } from "../../compiler/compile.ts";
import { describe, type TargetReport } from "../../compiler/inspect.ts";
import { checkTargetCount, mergeMinds } from "../../compiler/merge.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { type CompiledMarker, compileMarker } from "../../compiler/photo.ts";
import type { CompileOptions, CompileProgress, ImageTarget } from "../../compiler/types.ts";
import { prepareCompiler } from "../library.ts";
import { compileMarkers } from "../photos.ts";
import { type Command, parseWords, required, wholeNumber } from "./command.ts";
import { EXIT, type Failure, failureOf, throwFailures, usageFailure } from "./failure.ts";
import { findFiles, PHOTO_ENDINGS, readPhotoInput, STANDARD_STREAM } from "./inputs.ts";
import { checkOutput, type Output, print, SIGNALS, samePlace, writeOutputs } from "./outputs.ts";
import { progressBar } from "./progress.ts";
import { counted, table } from "./text.ts";

const HELP = `Compiles photos into one .mind file, one image target each, in the order given.

  vivimark compile [--input] PHOTO … --output FILE [options]

PHOTO is a JPEG, PNG or WebP file, a folder of them, a pattern such as "photos/**/*.jpg" in quotes, or - for
standard input. Photos of a folder or a pattern are in natural order: 2.jpg before 10.jpg.

  -i, --input PHOTO    a photo, like an argument; may be repeated
  -o, --output FILE    the .mind file, or - for standard output
  --max-features N     keep only the N strongest points of each keyframe
  --max-size PX        reduce photos to this longer side first (default: ${DEFAULT_MAX_SIZE}); full keeps every pixel
  --preview FILE       a PNG of the photos with their feature points
  --threads N          number of photos compiled at the same time (default: one per core)
  --json               print the result, or the reason for a failure, as JSON on standard output

Nothing is written unless every photo compiles. If standard error is a terminal, it shows a progress bar.
`;

const OPTIONS = {
  input: { type: "string", short: "i", multiple: true },
  output: { type: "string", short: "o" },
  "max-features": { type: "string" },
  "max-size": { type: "string" },
  preview: { type: "string" },
  threads: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `vivimark compile`. */
export const compileCommand: Command = {
  help: HELP,
  async run(words) {
    const start = Date.now();
    const { values, inputs } = parseWords(words, OPTIONS);
    if (inputs.length === 0) throw usageFailure("Expected a photo. See --help.");
    const output = required("output", values.output);
    const options: CompileOptions = {
      maxFeatures: wholeNumber("max-features", values["max-features"], 1),
      maxSize: values["max-size"] === "full" ? Infinity : wholeNumber("max-size", values["max-size"], 1),
    };
    const threads = wholeNumber("threads", values.threads, 1);
    const { preview, json = false } = values;
    const photos = await findPhotos(inputs);
    checkPlaces(photos, output, preview, json);

    const standardInput = await readStandardPhoto(photos);
    const files = photos.map((photo) => (photo === STANDARD_STREAM ? standardInput! : photo));
    const compiled = await compileAll(photos, files, options, threads);
    const bytes =
      compiled.length === 1 ? compiled[0].marker : mergeMinds(compiled.map(({ marker }) => marker));
    const outputs: Output[] = [{ name: output, bytes }];
    const reports = json || process.stderr.isTTY;
    const targets = reports || preview !== undefined ? decodeMind(bytes) : [];
    if (preview !== undefined) {
      outputs.push({ name: preview, bytes: await drawPreview(photos, standardInput, targets) });
    }
    await writeOutputs(outputs);

    const result: Result = { output, preview, bytes: bytes.length, milliseconds: Date.now() - start };
    const entries = targets.map((target, i) => ({
      input: photos[i],
      milliseconds: compiled[i].milliseconds,
      ...describe(target),
    }));
    if (json) await print(reportForPrograms(result, entries));
    else if (process.stderr.isTTY) process.stderr.write(reportForPeople(result, entries));
    return EXIT.ok;
  },
};

interface Result {
  readonly output: string;
  readonly preview: string | undefined;
  readonly bytes: number;
  readonly milliseconds: number;
}

type Entry = TargetReport & { readonly input: string; readonly milliseconds: number };

function reportForPrograms(
  { output, preview, bytes, milliseconds }: Result,
  targets: readonly Entry[],
): string {
  const report = {
    output,
    bytes,
    milliseconds,
    compiler_version: COMPILER_VERSION,
    preview: preview ?? null,
    targets,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function reportForPeople({ output, bytes, milliseconds }: Result, targets: readonly Entry[]): string {
  const seconds = (milliseconds / 1000).toFixed(1);
  const rows = targets.map(({ input, width, height, points }, i) => [
    i,
    input,
    `${width} × ${height}`,
    points,
  ]);
  return (
    `${output}: ${counted(targets.length, "target")}, ${counted(bytes, "byte")}, in ${seconds} s\n` +
    table([["target", "photo", "size", "points"], ...rows])
  );
}

async function findPhotos(inputs: readonly string[]): Promise<string[]> {
  const photos = await findFiles(inputs, PHOTO_ENDINGS);
  try {
    checkTargetCount(photos.length);
  } catch (error) {
    throw failureOf(error, null);
  }
  return photos;
}

/** Refuses outputs that cannot be written, and those that would overwrite a photo or each other. */
function checkPlaces(photos: readonly string[], output: string, preview: string | undefined, json: boolean) {
  if (json && output === STANDARD_STREAM) {
    throw usageFailure("--json and --output - both write to standard output. Choose a file for --output.");
  }
  if (preview === STANDARD_STREAM) throw usageFailure("--preview needs a file name, not -.");
  const outputs = preview === undefined ? [output] : [output, preview];
  for (const name of outputs) {
    checkOutput(name);
    const photo = photos.find((each) => samePlace(each, name));
    if (photo !== undefined) throw usageFailure("This is one of the photos; it would be overwritten.", name);
  }
  if (preview !== undefined && samePlace(output, preview)) {
    throw usageFailure("--output and --preview are the same file.", preview);
  }
}

async function readStandardPhoto(photos: readonly string[]): Promise<Uint8Array | undefined> {
  if (!photos.includes(STANDARD_STREAM)) return undefined;
  try {
    return await readPhotoInput(STANDARD_STREAM);
  } catch (error) {
    throw failureOf(error, STANDARD_STREAM);
  }
}

/** Compiles all photos. Throws a Failure that names every refused photo. */
async function compileAll(
  photos: readonly string[],
  files: readonly (string | Uint8Array)[],
  options: CompileOptions,
  threads: number | undefined,
): Promise<CompiledMarker[]> {
  const bar = progressBar(process.stderr, photos.length);
  const leave = (signal: NodeJS.Signals) => {
    bar.clear();
    // The listeners are removed, so the signal ends the process as usual.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, leave);
  try {
    const results =
      files.length === 1
        ? await Promise.allSettled([compileHere(files[0], options, (progress) => bar.update(0, progress))])
        : await compileMarkers(files, { ...options, threads, onProgress: bar.update });
    const failures: Failure[] = [];
    const compiled: CompiledMarker[] = [];
    for (const [i, result] of results.entries()) {
      if (result.status === "fulfilled") compiled.push(result.value);
      else failures.push(failureOf(result.reason, photos[i]));
    }
    throwFailures(failures);
    return compiled;
  } finally {
    bar.clear();
    for (const signal of SIGNALS) process.off(signal, leave);
  }
}

/** Compiles a photo in this thread: starting another takes longer than compiling. */
async function compileHere(
  photo: string | Uint8Array,
  options: CompileOptions,
  onProgress: (progress: CompileProgress) => void,
): Promise<CompiledMarker> {
  const bytes = typeof photo === "string" ? await readPhotoInput(photo) : photo;
  await prepareCompiler();
  return compileMarker(bytes, options, onProgress);
}

/** Decodes the photos again, one at a time, because threads return markers and not pixels. */
async function drawPreview(
  photos: readonly string[],
  standardInput: Uint8Array | undefined,
  targets: readonly ImageTarget[],
): Promise<Uint8Array> {
  await prepareCompiler();
  const [{ decodeImage }, { encodePng }, { contactSheet, drawFeatures, sheetPictureSize }] =
    await Promise.all([
      import("../../compiler/image/decode.ts"),
      import("../../compiler/image/png.ts"),
      import("../../compiler/preview.ts"),
    ]);
  const size = sheetPictureSize(photos.length);
  const pictures = [];
  for (const [i, photo] of photos.entries()) {
    try {
      const bytes = photo === STANDARD_STREAM ? standardInput! : await readPhotoInput(photo);
      pictures.push(drawFeatures(await decodeImage(bytes), targets[i], size));
    } catch (error) {
      throw failureOf(error, photo);
    }
  }
  return encodePng(contactSheet(pictures));
}
