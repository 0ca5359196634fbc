import {
  getMultipartBoundary,
  MaxFileSizeExceededError,
  MaxHeaderSizeExceededError,
  MaxPartsExceededError,
  MaxTotalSizeExceededError,
  MultipartParseError,
  MultipartParser,
  type MultipartPart,
} from "@remix-run/multipart-parser";
import { type ErrorCode, Refusal } from "../errors.ts";

/** What a multipart/form-data request may bring. Anything else in it is refused by name. */
export interface FormShape<File extends string, Text extends string> {
  readonly files: readonly File[];
  readonly texts: readonly Text[];
  /** Most bytes of one file, and the code for more. */
  readonly maxFileBytes: number;
  readonly tooLarge: ErrorCode;
}

export interface Form<File extends string, Text extends string> {
  readonly files: Partial<Record<File, { readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string }>>;
  readonly texts: Partial<Record<Text, string>>;
}

export interface IncomingBody {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
}

export function bodyOf(request: Request): IncomingBody {
  return {
    body: request.body,
    contentType: request.headers.get("content-type") ?? undefined,
    contentLength: request.headers.get("content-length") ?? undefined,
  };
}

/** What is read of a refused request: enough for every body that a client may send in good faith. */
const MAX_DRAINED_BYTES = 100_000_000;
/** The same for one whose length is not known and that may have no end; what was read before counts. */
const MAX_DRAINED_UNDECLARED_BYTES = 20_000_000;
const MAX_DRAIN_MILLISECONDS = 8_000;

/** Sees a body as it is read. */
export interface BodyObserver {
  write(chunk: Uint8Array): Promise<void>;
  /** All of it was read. What this throws, the reader throws. */
  end?(): Promise<void>;
}

const observers = new WeakMap<ReadableStream<Uint8Array>, BodyObserver>();

/** Shows a body to somebody besides its reader. */
export function observe(body: ReadableStream<Uint8Array> | null, observer: BodyObserver): void {
  if (body) observers.set(body, observer);
}

/** Bytes that `chunksOf` took from a body. */
const received = new WeakMap<ReadableStream<Uint8Array>, number>();

/** The chunks of a body. Whoever stops half way leaves the rest of it to `drain`. */
export async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  const observer = observers.get(body);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw interrupted();
      });
      if (done) return await observer?.end?.();
      received.set(body, (received.get(body) ?? 0) + value.length);
      await observer?.write(value);
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

/**
 * Reads what is left of a request's body and forgets it. A client that is still sending when it is answered
 * sees a broken connection instead of the answer. Bounded: who sends far too much is cut off.
 */
export async function drain({ body, contentLength }: IncomingBody): Promise<void> {
  if (!body || body.locked || Number(contentLength ?? 0) > MAX_DRAINED_BYTES) return;
  const most = contentLength === undefined ? MAX_DRAINED_UNDECLARED_BYTES : MAX_DRAINED_BYTES;
  if ((received.get(body) ?? 0) > most) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, MAX_DRAIN_MILLISECONDS);
  });
  const rest = async () => {
    for await (const _ of chunksOf(body)) if ((received.get(body) ?? 0) > most) return;
  };
  // The client may be gone, or the body be used up: then nothing is left to read.
  await Promise.race([rest().catch(() => {}), timeUp]);
  if (timer !== undefined) clearTimeout(timer);
}

const MAX_TEXT_BYTES = 16_384;
/** Boundaries and part headers; generous, for they are bounded by the number of parts too. */
const MAX_ENVELOPE_BYTES = 65_536;

/**
 * Reads a form as it streams in, and stops at the first byte over a limit. A file is held twice for a
 * moment, as the chunks that came from the network and joined, and once from then on: 40 MB at the peak and
 * 20 MB after it for the largest photo, so an isolate of 128 MB takes several uploads at a time.
 */
export async function readForm<File extends string, Text extends string>(
  request: IncomingBody,
  shape: FormShape<File, Text>,
): Promise<Form<File, Text>> {
  const boundary = boundaryOf(request.contentType);
  const maxTotalBytes =
    shape.maxFileBytes * shape.files.length + MAX_TEXT_BYTES * shape.texts.length + MAX_ENVELOPE_BYTES;
  const declared = Number(request.contentLength ?? 0);
  if (declared > maxTotalBytes) throw tooLarge(shape, declared);
  if (!request.body) throw new Refusal("malformed_upload", "The upload is empty; expected a multipart form.");

  // Without prototypes: a field may be called "constructor".
  const files: Partial<Record<string, { bytes: Uint8Array<ArrayBuffer>; name: string }>> =
    Object.create(null);
  const texts: Partial<Record<string, string>> = Object.create(null);
  const names = [...shape.files, ...shape.texts];
  const parser = new MultipartParser(boundary, {
    maxFileSize: shape.maxFileBytes,
    maxParts: names.length,
    maxTotalSize: maxTotalBytes,
  });
  try {
    for await (const part of partsOf(request.body, parser)) {
      const name = part.name ?? "";
      if (name in files || name in texts) throw new Refusal("invalid_input", `Field "${name}" came twice.`);
      if ((shape.files as readonly string[]).includes(name)) {
        files[name] = { bytes: part.bytes as Uint8Array<ArrayBuffer>, name: part.filename ?? "" };
        part.content.length = 0;
      } else if ((shape.texts as readonly string[]).includes(name)) {
        if (part.size > MAX_TEXT_BYTES) {
          const limit = `expected at most ${MAX_TEXT_BYTES}`;
          throw new Refusal("invalid_input", `Field "${name}" has ${part.size} bytes; ${limit}.`);
        }
        texts[name] = part.text;
      } else {
        const known = names.map((known) => `"${known}"`).join(", ");
        throw new Refusal(
          "invalid_input",
          `Unknown field ${JSON.stringify(name.slice(0, 50))}; expected ${known}.`,
        );
      }
    }
  } catch (error) {
    throw formRefusal(error, shape);
  }
  return { files, texts } as Form<File, Text>;
}

/**
 * The files of a form, one by one as they stream in; every part is one.
 *
 * @param name of every field
 */
export async function* filesOf(
  request: IncomingBody,
  name: string,
  { maxFiles, maxFileBytes, tooLarge }: { maxFiles: number; maxFileBytes: number; tooLarge: ErrorCode },
): AsyncGenerator<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }, void> {
  const shape = { files: [name], texts: [], maxFileBytes, tooLarge };
  const parser = new MultipartParser(boundaryOf(request.contentType), {
    maxFileSize: maxFileBytes,
    maxParts: maxFiles,
    maxTotalSize: maxFiles * maxFileBytes,
  });
  if (!request.body) throw new Refusal("malformed_upload", "The upload is empty; expected a multipart form.");
  try {
    for await (const part of partsOf(request.body, parser)) {
      if (part.name !== name) {
        const found = JSON.stringify((part.name ?? "").slice(0, 50));
        throw new Refusal("invalid_input", `Unknown field ${found}; expected "${name}", once for each file.`);
      }
      const bytes = part.bytes as Uint8Array<ArrayBuffer>;
      part.content.length = 0;
      yield { name: part.filename ?? "", bytes };
    }
  } catch (error) {
    throw formRefusal(error, shape);
  }
}

async function* partsOf(
  body: ReadableStream<Uint8Array>,
  parser: MultipartParser,
): AsyncGenerator<MultipartPart> {
  for await (const chunk of chunksOf(body)) yield* parser.write(chunk);
  parser.finish();
}

/** `text/plain` of `Text/Plain; charset=utf-8`. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(";")[0].trim().toLowerCase();
}

/** How a sentence names the Content-Type that came. */
export function quoteContentType(contentType: string | undefined): string {
  return contentType ? `"${contentType.slice(0, 100)}"` : "missing";
}

/** The boundary that a form's Content-Type names; null: there is none. */
export function multipartBoundary(contentType: string | undefined): string | null {
  const isForm = mediaTypeOf(contentType) === "multipart/form-data";
  return isForm && contentType ? getMultipartBoundary(contentType) : null;
}

function boundaryOf(contentType: string | undefined): string {
  const boundary = multipartBoundary(contentType);
  if (boundary) return boundary;
  throw new Refusal(
    "unsupported_media_type",
    `The Content-Type is ${quoteContentType(contentType)}; expected multipart/form-data with a boundary.`,
  );
}

function formRefusal(error: unknown, shape: FormShape<string, string>): unknown {
  if (error instanceof Refusal) return error;
  if (error instanceof MaxFileSizeExceededError || error instanceof MaxTotalSizeExceededError) {
    return tooLarge(shape);
  }
  if (error instanceof MaxPartsExceededError) {
    const most = shape.files.length + shape.texts.length;
    return new Refusal("malformed_upload", `The form has more than the ${most} parts that are expected.`);
  }
  if (error instanceof MaxHeaderSizeExceededError) {
    return new Refusal("malformed_upload", "A part of the form has headers of more than 8 KB.");
  }
  if (error instanceof MultipartParseError) {
    return new Refusal("malformed_upload", "The form ends too early or is not multipart/form-data.");
  }
  return interrupted();
}

/** The reader of a body failed: its client went away. */
export function interrupted(): Refusal {
  return new Refusal("upload_interrupted", "The upload broke off before its end; nothing was stored.");
}

/** Reads a body into memory, and stops at the first byte over `maxBytes`. */
export async function readBytes(
  { body, contentLength }: IncomingBody,
  maxBytes: number,
  code: ErrorCode,
): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (size: string) =>
    new Refusal(code, `The body has ${size} bytes; expected at most ${maxBytes}.`);
  const declared = Number(contentLength ?? 0);
  if (declared > maxBytes) throw refuse(String(declared));
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ? chunksOf(body) : []) {
    size += chunk.length;
    if (size > maxBytes) throw refuse(`more than ${maxBytes}`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge({ tooLarge, maxFileBytes }: FormShape<string, string>, declaredBytes?: number): Refusal {
  const limit = `${maxFileBytes / 1_000_000} MB`;
  if (declaredBytes === undefined) {
    return new Refusal(tooLarge, `A file of the form has more than ${limit}; expected at most ${limit}.`);
  }
  const size = `${(declaredBytes / 1_000_000).toFixed(1)} MB`;
  return new Refusal(tooLarge, `The upload has ${size}; expected a file of at most ${limit}.`);
}
