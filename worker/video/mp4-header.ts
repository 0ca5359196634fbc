import { joinChunks } from "../storage/chunks.ts";
import { damaged, truncated } from "./refusals.ts";
import { type StoredFile, WINDOW_BYTES } from "./stored-file.ts";

/** The boxes that hold others, and after which of these the rest is not needed (ISO/IEC 14496-12, section 6). */
const LAST_CHILD: Readonly<Record<string, string | null>> = {
  moov: null,
  trak: "mdia",
  mdia: "minf",
  minf: "stbl",
  stbl: "stsd",
};

/** The boxes that say what a video contains. The others list frames, and can be as large as the film is long. */
const KEPT = new Set(["ftyp", "mvhd", "tkhd", "mdhd", "hdlr", "stsd"]);

/** Without these boxes, a file cannot be played. */
const NEEDED = new Set(["ftyp", "moov", "mdat", "moof"]);

/** A video of a phone has fewer than 60 up to its last track. */
const MAX_BOXES = 300;

interface Box {
  readonly type: string;
  readonly start: number;
  /** Where the contents begin. */
  readonly contents: number;
  readonly end: number;
}

/**
 * Returns an MP4 with the tracks of a stored one and without their frames.
 *
 * @throws Refusal `video_damaged` for a file that is cut off, or whose boxes do not fit into each other
 */
export async function mp4Header(file: StoredFile): Promise<Uint8Array<ArrayBuffer>> {
  const walk = new Walk(file);
  const kept: Uint8Array[] = [];
  let hasMovie = false;
  let hasFrames = false;
  for (let at = 0; at + 8 <= file.size && !(hasMovie && hasFrames); ) {
    const box = await walk.box(at, file.size);
    if (box.end > file.size) {
      if (NEEDED.has(box.type)) throw truncated(file.size, box.end);
      break;
    }
    if (box.type === "ftyp" || box.type === "moov") kept.push(await walk.copy(box));
    hasMovie ||= box.type === "moov";
    hasFrames ||= box.type === "mdat" || box.type === "moof";
    at = box.end;
  }
  if (!hasMovie) throw damaged('its index (the box "moov") is missing, as in a file that was cut off');
  if (!hasFrames) throw damaged("it has no frames, as in a file that was cut off");
  return joinChunks(kept);
}

/** Visits the boxes of a file, and no more than `MAX_BOXES`. */
class Walk {
  readonly #file: StoredFile;
  #boxes = 0;

  constructor(file: StoredFile) {
    this.#file = file;
  }

  /** Reads the header of a box. @param end where the box around it ends */
  async box(start: number, end: number): Promise<Box> {
    if (++this.#boxes > MAX_BOXES) throw damaged(`its index comes after more than ${MAX_BOXES} boxes`);
    const head = await this.#file.read(start, 16);
    if (head.length < 8) throw damaged(`the box at ${start} cannot be read`);
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    const type = String.fromCharCode(...head.subarray(4, 8));
    const isLong = view.getUint32(0) === 1 && head.length === 16;
    const size = isLong ? Number(view.getBigUint64(8)) : view.getUint32(0);
    const contents = start + (isLong ? 16 : 8);
    // A size of 0: up to the end.
    const box = { type, start, contents, end: size === 0 ? end : start + size };
    if (box.end < contents) throw damaged(`a box at ${start} has an invalid length of ${size} bytes`);
    return box;
  }

  /** Returns a box with what is kept of its contents. */
  async copy({ type, start, contents, end }: Box): Promise<Uint8Array<ArrayBuffer>> {
    const parts = type in LAST_CHILD ? await this.#children(type, contents, end) : [];
    if (KEPT.has(type)) {
      if (end - contents > WINDOW_BYTES) throw damaged(`the box "${type}" at ${start} is too large`);
      parts.push(await this.#file.read(contents, end - contents));
    }
    const bytes = joinChunks([new Uint8Array(8), ...parts]);
    new DataView(bytes.buffer).setUint32(0, bytes.length);
    for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
    return bytes;
  }

  async #children(type: string, start: number, end: number): Promise<Uint8Array[]> {
    const kept: Uint8Array[] = [];
    for (let at = start; at + 8 <= end; ) {
      const child = await this.box(at, end);
      if (child.end > end) throw damaged(`a box at ${at} is longer than the one around it`);
      if (child.type in LAST_CHILD || KEPT.has(child.type)) kept.push(await this.copy(child));
      if (child.type === LAST_CHILD[type]) break;
      at = child.end;
    }
    return kept;
  }
}
