// The edit worker: decodes one photo, then scores and makes crops of it, off the page's thread.
import { compileTarget, DEFAULT_MAX_SIZE } from "../../compiler/compile.ts";
import { decodeImage, toGrey } from "../../compiler/image/decode.ts";
import { resizeGrey } from "../../compiler/image/resize.ts";
import { scoreImage } from "../../compiler/quality.ts";
import { assertTrackable } from "../../compiler/trackable.ts";
import { CompileError, type GreyImage } from "../../compiler/types.ts";
import { loadCompiler } from "../compile/load.ts";
import { encodePhoto } from "./encode.ts";
import { type Cut, cutOf, type Size, untouched } from "./geometry.ts";
import { cutGrey, cutRgba, type GreyLevels, layLevels } from "./pixels.ts";
import type { EditReply, EditRequest } from "./protocol.ts";

/**
 * The longer side, in pixels, at which a crop is scored: that of the largest keyframe that a score uses. For
 * photographs, the score differs from that at full size by about 1 point of 100.
 */
const SCORED_SIZE = 640;

/** A photo with more stars and more detail almost certainly has enough points for a marker. */
const DOUBTFUL_STARS = 2;
const DOUBTFUL_DETAIL = 20;

/** A doubtful photo is compiled after no request has come for this long. */
const CHECK_PAUSE_MS = 150;

const WARM_UP_ROUNDS = 8;

/** Grey only. The colours need four times as much memory; they are decoded again when needed. */
interface OpenPhoto {
  readonly file: Blob;
  grey: GreyImage;
  /** The photo as it would be compiled without a crop. */
  readonly whole: GreyImage;
  /** Made when the worker is idle, or when the first crop needs them. */
  levels: GreyLevels | null;
}

let open: OpenPhoto | null = null;
let check: ReturnType<typeof setTimeout> | undefined;

const post = (reply: EditReply, transfer: Transferable[] = []) => self.postMessage(reply, transfer);
const bytesOf = async (file: Blob) => new Uint8Array(await file.arrayBuffer());

async function openPhoto(file: Blob): Promise<void> {
  const [bytes] = await Promise.all([bytesOf(file), loadCompiler()]);
  const grey = toGrey(await decodeImage(bytes));
  const whole = resizeGrey(grey, DEFAULT_MAX_SIZE);
  const opened: OpenPhoto = { file, grey, whole, levels: null };
  open = opened;
  post({ kind: "opened" });
  // After the requests that have arrived by now.
  inTurn(() => warmUp(opened));
}

/**
 * Warms up the kernels, whose first runs take several times as long as later ones. Requests that arrive between two
 * rounds are answered first.
 */
function warmUp(photo: OpenPhoto, rounds = WARM_UP_ROUNDS): void {
  const { width, height } = photo.grey;
  const cut = { x: width / 2, y: height / 2, width: width >> 1, height: height >> 1, degrees: 1 };
  scoreImage(cutGrey(levelsOf(photo), cut, SCORED_SIZE));
  if (rounds > 1) setTimeout(() => inTurn(() => warmUp(photo, rounds - 1)));
}

function levelsOf(photo: OpenPhoto): GreyLevels {
  if (photo.levels) return photo.levels;
  const levels = layLevels(photo.grey, SCORED_SIZE, DEFAULT_MAX_SIZE);
  photo.levels = levels;
  photo.grey = levels.images[0];
  return levels;
}

function score(photo: OpenPhoto, cut: Cut): void {
  const cutAt = (size: number) =>
    isWhole(cut, photo.grey) ? photo.whole : cutGrey(levelsOf(photo), cut, size);
  const quality = scoreImage(cutAt(SCORED_SIZE));
  post({ kind: "scored", cut, quality });
  const checked = (refusal: string | null) => post({ kind: "checked", cut, refusal });
  const detail = quality.parts.find(({ name }) => name === "detail")?.score ?? 0;
  if (quality.stars > DOUBTFUL_STARS && detail > DOUBTFUL_DETAIL) checked(null);
  else
    check = setTimeout(() => attempt(() => checked(scoringRefusal(cutAt(DEFAULT_MAX_SIZE)))), CHECK_PAUSE_MS);
}

function isWhole(cut: Cut, photo: Size): boolean {
  const { x, y, width, height } = cutOf(photo, untouched(photo));
  return cut.degrees === 0 && cut.x === x && cut.y === y && cut.width === width && cut.height === height;
}

/** Returns why a photo would be refused as a marker; null if it would not. */
function scoringRefusal(image: GreyImage): string | null {
  try {
    assertTrackable(compileTarget(image));
    return null;
  } catch (error) {
    if (error instanceof CompileError && error.code === "too_few_features") return error.message;
    throw error;
  }
}

async function make({ file }: OpenPhoto, cut: Cut): Promise<void> {
  const bytes = await bytesOf(file);
  const made = await encodePhoto(cutRgba(await decodeImage(bytes), cut), bytes);
  post({ kind: "made", file: made }, [made.bytes.buffer]);
}

async function attempt(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CompileError) post({ kind: "refused", code: error.code, message: error.message });
    else post({ kind: "crashed", message: error instanceof Error ? error.message : String(error) });
  }
}

let queue = Promise.resolve();

/** Runs tasks one after the other: requests wait until the photo is open. */
function inTurn(work: () => void | Promise<void>): void {
  queue = queue.then(() => attempt(work));
}

self.onmessage = ({ data: request }: MessageEvent<EditRequest>) => {
  clearTimeout(check);
  inTurn(() => {
    switch (request.kind) {
      case "open":
        return openPhoto(request.photo);
      case "score":
        return score(open!, request.cut);
      case "make":
        return make(open!, request.cut);
    }
  });
};
