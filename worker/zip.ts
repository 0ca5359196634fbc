import { Inflate, Unzip, type UnzipDecoder } from "fflate";
import { Refusal } from "./errors.ts";

/** A file of an archive, or why it cannot be had. Its name is for people: nothing is ever stored under it. */
export type Unzipped =
  | { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly name: string; readonly error: Refusal };

/** Of the archive, unpacked at a time: deflate makes at most about a thousand times as much of it. */
const SLICE_BYTES = 4096;

const SIGNATURE = [0x50, 0x4b, 0x03, 0x04] as const;
const STORED = 0;
const DEFLATED = 8;

/**
 * The files of a ZIP archive as it streams in (APPNOTE.TXT 6.3.10, by its local headers). Folders and what
 * operating systems leave beside files are passed over. In memory is one file at a time, and no more of it than
 * `maxBytes`: of a larger one nothing more is unpacked. A damaged file does not spoil the next one.
 *
 * @throws Refusal `malformed_upload` for what is no archive
 */
export async function* unzipped(
  archive: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Unzipped, void> {
  const done: Unzipped[] = [];
  let open: string | null = null;
  let hasFiles = false;
  const end = (file: Unzipped) => {
    if (open === file.name) open = null;
    if (!isIgnored(file.name)) done.push(file);
  };
  const unzip = new Unzip((file) => {
    const { name, compression } = file;
    open = name;
    hasFiles = true;
    if (compression !== STORED && compression !== DEFLATED) {
      // Registered as it is met: without a decoder its bytes would pile up.
      unzip.register(decoder(compression, 0, () => null));
    }
    const chunks: Uint8Array[] = [];
    let isOver = false;
    file.ondata = (error, chunk, isLast) => {
      if (isOver) return;
      if (chunk && chunk.length > 0) chunks.push(chunk);
      isOver = error !== null || isLast;
      if (!isOver) return;
      end(error ? { name, error: refusalOf(error, name, maxBytes) } : { name, bytes: joined(chunks) });
    };
    file.start();
  });
  unzip.register(decoder(STORED, maxBytes, (push) => ({ push })));
  unzip.register(decoder(DEFLATED, maxBytes, (push) => new Inflate(push)));

  let isFirst = true;
  for await (const chunk of archive) {
    if (chunk.length === 0) continue;
    if (isFirst && !SIGNATURE.every((byte, i) => chunk.length <= i || chunk[i] === byte)) throw noArchive();
    isFirst = false;
    for (let from = 0; from < chunk.length; from += SLICE_BYTES) {
      unzip.push(chunk.slice(from, from + SLICE_BYTES));
      yield* done.splice(0);
    }
  }
  try {
    unzip.push(new Uint8Array(0), true);
  } catch {
    // It ends within a file: said below.
  }
  if (!hasFiles) throw noArchive();
  if (open !== null) end({ name: open, error: damaged(open, "the archive ends within it") });
  yield* done;
}

class TooLarge extends Error {}

type Push = (chunk: Uint8Array<ArrayBuffer>, isLast: boolean) => void;

/** A decoder for one method that stops at the first byte over `maxBytes`. `make` gives none for a foreign method. */
function decoder(compression: number, maxBytes: number, make: (push: Push) => { push: Push } | null) {
  return class implements UnzipDecoder {
    static readonly compression = compression;
    ondata: UnzipDecoder["ondata"] = () => {};
    #isOver = false;
    #bytes = 0;
    readonly #inner = make((chunk, isLast) => {
      this.#bytes += chunk.length;
      if (this.#bytes > maxBytes) throw new TooLarge();
      this.ondata(null, chunk, isLast);
    });

    push(chunk: Uint8Array<ArrayBuffer>, isLast: boolean): void {
      if (this.#isOver) return;
      try {
        if (!this.#inner) throw new Error(`packed by method ${compression}`);
        this.#inner.push(chunk, isLast);
      } catch (error) {
        this.#isOver = true;
        this.ondata(error as Parameters<UnzipDecoder["ondata"]>[0], new Uint8Array(0), true);
      }
    }
  };
}

function isIgnored(name: string): boolean {
  return /(^|\/)(\.[^/]*|__MACOSX\/.*|Thumbs\.db|desktop\.ini)$|[/\\]$/i.test(name);
}

function refusalOf(error: Error, name: string, maxBytes: number): Refusal {
  if (error instanceof TooLarge) {
    const most = `${maxBytes / 1_000_000} MB`;
    return new Refusal(
      "image_too_many_bytes",
      `"${shown(name)}" has more than ${most}; expected at most ${most}.`,
    );
  }
  return damaged(name, error.message);
}

function damaged(name: string, why: string): Refusal {
  return new Refusal("image_damaged", `"${shown(name)}" cannot be unpacked: ${why}.`);
}

function shown(name: string): string {
  return name.slice(-100);
}

function noArchive(): Refusal {
  return new Refusal("malformed_upload", "The body is no ZIP archive with files in it.");
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
