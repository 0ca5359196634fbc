import {
  getMultipartBoundary,
  MaxFileSizeExceededError,
  MaxHeaderSizeExceededError,
  MaxPartsExceededError,
  MaxTotalSizeExceededError,
  MultipartParseError,
  parseMultipartStream,
} from "@remix-run/multipart-parser";
import { type ErrorCode, Refusal } from "./errors.ts";

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
  if (Number(request.contentLength ?? 0) > maxTotalBytes) throw tooLarge(shape);
  if (!request.body) throw new Refusal("malformed_upload", "The upload is empty; expected a multipart form.");

  const files: Partial<Record<string, { bytes: Uint8Array<ArrayBuffer>; name: string }>> = {};
  const texts: Partial<Record<string, string>> = {};
  const names = [...shape.files, ...shape.texts];
  try {
    for await (const part of parseMultipartStream(request.body, {
      boundary,
      maxFileSize: shape.maxFileBytes,
      maxParts: names.length,
      maxTotalSize: maxTotalBytes,
    })) {
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
    throw refusalOf(error, shape);
  }
  return { files, texts } as Form<File, Text>;
}

function boundaryOf(contentType: string | undefined): string {
  const isForm = contentType?.toLowerCase().startsWith("multipart/form-data");
  const boundary = isForm && contentType ? getMultipartBoundary(contentType) : null;
  if (boundary) return boundary;
  const received = contentType ? `"${contentType.slice(0, 100)}"` : "none";
  throw new Refusal(
    "unsupported_media_type",
    `The Content-Type is ${received}; expected multipart/form-data with a boundary.`,
  );
}

function refusalOf(error: unknown, shape: FormShape<string, string>): unknown {
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
  const refuse = () => new Refusal(code, `The body is over the limit of ${maxBytes} bytes.`);
  if (Number(contentLength ?? 0) > maxBytes) throw refuse();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = body?.getReader();
  while (reader) {
    const { done, value } = await reader.read().catch(() => {
      throw interrupted();
    });
    if (done) break;
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel();
      throw refuse();
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function tooLarge({ tooLarge, maxFileBytes }: FormShape<string, string>): Refusal {
  return new Refusal(tooLarge, `A file is over the limit of ${maxFileBytes / 1_000_000} MB.`);
}
