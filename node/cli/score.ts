import path from "node:path";
import { decodeImage } from "../../compiler/image/decode.ts";
import { encodePng } from "../../compiler/image/png.ts";
import { decodeMind } from "../../compiler/mind.ts";
import type { ScoreOptions } from "../../compiler/photo.ts";
import { contactSheet, drawDetail, sheetPictureSize, targetPicture } from "../../compiler/preview.ts";
import { SCORED_PLAYERS, type ScoredPlayer } from "../../compiler/quality/model.ts";
import { type Quality, scoreTarget } from "../../compiler/quality.ts";
import type { ImageTarget, RgbaImage } from "../../compiler/types.ts";
import { prepareCompiler } from "../library.ts";
import { scorePhotos } from "../photos.ts";
import { type Command, parseWords, wholeNumber } from "./command.ts";
import { EXIT, type Failure, failureOf, throwFailures, usageFailure } from "./failure.ts";
import {
  findFiles,
  MARKER_ENDINGS,
  PHOTO_ENDINGS,
  readMarkerInput,
  readPhotoInput,
  STANDARD_STREAM,
} from "./inputs.ts";
import { checkOutput, print, samePlace, writeOutputs } from "./outputs.ts";

const HELP = `Predicts how well a camera will find a printed photo.

  vivimark score [--input] PHOTO … [options]

PHOTO is a JPEG, PNG or WebP file, a .mind file, a folder of such files, a pattern in quotes, or - for a photo
from standard input. The score, 0 to 100, is the percentage of a camera's views, good and poor ones, in which
Vivimark's player is expected to find the photo. 78 or more earns five stars.

  -i, --input PHOTO    a photo, like an argument; may be repeated
  --map FILE           a PNG of the photos that shows where they can be tracked
  --player NAME        the player that looks for the photo: vivimark (default) or mindar. MindAR's player is
                       scored in easier views, because it finds no photo in the poorest ones
  --min N              exit with 1 if a score is below N
  --max-size PX        reduce photos to this longer side first, like compile
  --threads N          number of photos scored at the same time (default: one per core)
  --json               print scores, parts, reasons, print size and map as JSON
`;

const OPTIONS = {
  input: { type: "string", short: "i", multiple: true },
  map: { type: "string" },
  player: { type: "string", default: "vivimark" },
  min: { type: "string" },
  "max-size": { type: "string" },
  threads: { type: "string" },
  json: { type: "boolean" },
} as const;

/** `vivimark score`. */
export const scoreCommand: Command = {
  help: HELP,
  async run(words) {
    const { values, inputs } = parseWords(words, OPTIONS);
    if (inputs.length === 0) throw usageFailure("Expected a photo. See --help.");
    const maxSize = values["max-size"] === "full" ? Infinity : wholeNumber("max-size", values["max-size"], 1);
    const threads = wholeNumber("threads", values.threads, 1);
    const min = wholeNumber("min", values.min, 0) ?? 0;
    const player = playerNamed(values.player);
    const files = await findFiles(inputs, [...PHOTO_ENDINGS, ...MARKER_ENDINGS]);
    if (values.map !== undefined) checkPlace(values.map, files);

    const scored = await scoreAll(files, { maxSize, threads, player });
    if (values.map !== undefined) {
      await writeOutputs([{ name: values.map, bytes: await drawMaps(scored) }]);
    }
    await print(values.json ? reportForPrograms(scored) : scored.map(reportForPeople).join("\n"));
    const low = scored.filter(({ quality }) => quality.score < min);
    for (const one of low) {
      console.error(`vivimark: ${nameOf(one)}: scores ${one.quality.score}, expected at least ${min}.`);
    }
    return low.length > 0 ? EXIT.refused : EXIT.ok;
  },
};

interface Scored {
  readonly input: string;
  /** Index of the target in a .mind file; null for a photo. */
  readonly target: number | null;
  readonly quality: Quality;
  readonly picture: () => Promise<RgbaImage>;
}

function checkPlace(map: string, files: readonly string[]): void {
  if (map === STANDARD_STREAM) throw usageFailure("--map needs a file name, not -.");
  checkOutput(map);
  if (files.some((file) => samePlace(file, map))) {
    throw usageFailure("This is one of the photos; it would be overwritten.", map);
  }
}

/** Scores all files. Throws a Failure that names every refused file. */
async function scoreAll(
  files: readonly string[],
  { threads, ...options }: ScoreOptions & { readonly threads: number | undefined },
): Promise<Scored[]> {
  const failures: Failure[] = [];
  const isMarker = (file: string) => MARKER_ENDINGS.includes(path.extname(file).toLowerCase());
  const photos = files.filter((file) => !isMarker(file));
  const bytes = new Map<string, Uint8Array>();
  if (photos.includes(STANDARD_STREAM)) {
    try {
      bytes.set(STANDARD_STREAM, await readPhotoInput(STANDARD_STREAM));
    } catch (error) {
      throw failureOf(error, STANDARD_STREAM);
    }
  }
  const results = await scorePhotos(
    photos.map((photo) => bytes.get(photo) ?? photo),
    { ...options, threads },
  );
  const scored: Scored[] = [];
  for (const file of files) {
    if (isMarker(file)) {
      try {
        const targets = decodeMind(await readMarkerInput(file));
        scored.push(
          ...targets.map((target, i) => scoreOne(target, options.player, { input: file, target: i })),
        );
      } catch (error) {
        failures.push(failureOf(error, file));
      }
      continue;
    }
    const result = results[photos.indexOf(file)];
    if (result.status === "rejected") {
      failures.push(failureOf(result.reason, file));
      continue;
    }
    const picture = async () => decodeImage(bytes.get(file) ?? (await readPhotoInput(file)));
    scored.push({ input: file, target: null, quality: result.value.quality, picture });
  }
  throwFailures(failures);
  return scored;
}

function scoreOne(
  target: ImageTarget,
  player: ScoredPlayer | undefined,
  place: Pick<Scored, "input" | "target">,
): Scored {
  return { ...place, quality: scoreTarget(target, player), picture: async () => targetPicture(target) };
}

function playerNamed(name: string): ScoredPlayer {
  const player = SCORED_PLAYERS.find((one) => one === name);
  if (!player) throw usageFailure(`--player is "${name}"; expected ${SCORED_PLAYERS.join(" or ")}.`);
  return player;
}

/** Decodes the photos again, one at a time, because threads return scores and not pixels. */
async function drawMaps(scored: readonly Scored[]): Promise<Uint8Array> {
  await prepareCompiler();
  const size = sheetPictureSize(scored.length);
  const pictures: RgbaImage[] = [];
  for (const { picture, quality } of scored) pictures.push(drawDetail(await picture(), quality.map, size));
  return encodePng(contactSheet(pictures));
}

function reportForPrograms(scored: readonly Scored[]): string {
  const scores = scored.map(({ input, target, quality }) => ({ input, target, ...quality }));
  return `${JSON.stringify({ scores }, null, 2)}\n`;
}

function reportForPeople(scored: Scored): string {
  const { score, stars, parts, reasons, print: size } = scored.quality;
  const lines = [
    `${nameOf(scored)}: ${score} of 100  ${drawStars(stars)}`,
    ...parts.map(
      (part) => `  ${part.name.padEnd(13)} ${drawBar(part.score)} ${String(part.score).padStart(3)}`,
    ),
    size === null
      ? "  a phone at arm's length finds it in fewer than half of its views at any print size"
      : `  a phone at arm's length finds it at a print size of ${Math.ceil(size / 10)} cm or more`,
    ...reasons.map(({ code, message, advice }) => `  ${code}: ${message} ${advice}`),
  ];
  return `${lines.join("\n")}\n`;
}

function nameOf({ input, target }: Scored): string {
  return target === null ? input : `${input}, target ${target}`;
}

function drawStars(stars: number): string {
  const half = stars % 1 === 0.5 ? "½" : "";
  return `${"★".repeat(Math.floor(stars))}${half}${"☆".repeat(5 - Math.ceil(stars))}`;
}

function drawBar(score: number): string {
  const full = Math.round(score / 5);
  return "█".repeat(full) + "░".repeat(20 - full);
}
