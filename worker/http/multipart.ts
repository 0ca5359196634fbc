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
import { z } from "zod";
import { type ErrorCode, Refusal } from "../errors.ts";
import { type RequestBody, unsupportedMediaType } from "./request-body.ts";

/** The fields of a multipart/form-data body. A request with any other field is refused. */
export interface FormFields<File extends string, Texts extends z.ZodObject> {
  readonly files: Readonly<Record<File, { readonly description: string; readonly isRequired: boolean }>>;
  readonly texts: Texts;
  readonly maxFileBytes: number;
  /** The error code for a file of more than `maxFileBytes`. */
  readonly tooLarge: ErrorCode;
}

export interface FormFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Form<File extends string, Texts extends z.ZodObject> {
  readonly files: Partial<Record<File, FormFile>>;
  readonly texts: Partial<Record<keyof Texts["shape"], string>>;
}

/** Returns a request body's `content` for the API document. */
export function describeForm({ files, texts }: FormFields<string, z.ZodObject>) {
  const { properties, required = [] } = z.toJSONSchema(texts);
  const fileFields = Object.entries(files);
  const fileProperties = fileFields.map(([name, { description }]) => [
    name,
    { type: "string", format: "binary", description },
  ]);
  const requiredFiles = fileFields.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
  const schema = {
    type: "object" as const,
    required: [...requiredFiles, ...required],
    properties: { ...Object.fromEntries(fileProperties), ...properties },
  };
  return { "multipart/form-data": { schema } };
}

const MAX_TEXT_BYTES = 16_384;
/** Boundaries and part headers together; the number of parts bounds them too. */
const MAX_ENVELOPE_BYTES = 65_536;

/**
 * Reads a form into memory as it streams in, and stops at the first byte over a limit.
 *
 * @throws Refusal `too_many_uploads`
 */
export async function readForm<File extends string, Texts extends z.ZodObject>(
  body: RequestBody,
  fields: FormFields<File, Texts>,
): Promise<Form<File, Texts>> {
  const boundary = boundaryOf(body);
  const fileNames = Object.keys(fields.files);
  const textNames = Object.keys(fields.texts.shape);
  const maxTotalBytes =
    fields.maxFileBytes * fileNames.length + MAX_TEXT_BYTES * textNames.length + MAX_ENVELOPE_BYTES;
  const declared = Number(body.contentLength ?? 0);
  if (declared > maxTotalBytes) throw tooLarge(fields, declared);

  // Without prototypes: a field may be called "constructor".
  const files: Partial<Record<string, FormFile>> = Object.create(null);
  const texts: Partial<Record<string, string>> = Object.create(null);
  const names = [...fileNames, ...textNames];
  const parser = new MultipartParser(boundary, {
    maxFileSize: fields.maxFileBytes,
    maxParts: names.length,
    maxTotalSize: maxTotalBytes,
  });
  try {
    for await (const part of partsOf(body, parser)) {
      const name = nameOf(part);
      if (name in files || name in texts) {
        throw new Refusal("invalid_input", `Field "${name}" was sent twice; expected it once.`);
      }
      if (fileNames.includes(name)) {
        files[name] = takeFile(part);
      } else if (textNames.includes(name)) {
        if (part.size > MAX_TEXT_BYTES) {
          const limit = `expected at most ${MAX_TEXT_BYTES}`;
          throw new Refusal("invalid_input", `Field "${name}" has ${part.size} bytes; ${limit}.`);
        }
        texts[name] = decoded(() => part.text);
      } else {
        throw unknownField(name, names.map((known) => `"${known}"`).join(", "));
      }
    }
  } catch (error) {
    throw formRefusal(error, fields, names.length);
  }
  return { files, texts } as Form<File, Texts>;
}

/**
 * Yields the files of a form one by one as they stream in. The reader releases the bytes of each from `body.held`.
 *
 * @param field name of every part of the form
 */
export async function* readFormFiles(
  body: RequestBody,
  field: string,
  { maxFiles, maxFileBytes, tooLarge }: { maxFiles: number; maxFileBytes: number; tooLarge: ErrorCode },
): AsyncGenerator<FormFile, void> {
  const parser = new MultipartParser(boundaryOf(body), {
    maxFileSize: maxFileBytes,
    maxParts: maxFiles,
    maxTotalSize: maxFiles * maxFileBytes,
  });
  try {
    for await (const part of partsOf(body, parser)) {
      const name = nameOf(part);
      if (name !== field) throw unknownField(name, `"${field}", once for each file`);
      yield takeFile(part);
    }
  } catch (error) {
    throw formRefusal(error, { maxFileBytes, tooLarge }, maxFiles);
  }
}

async function* partsOf(body: RequestBody, parser: MultipartParser): AsyncGenerator<MultipartPart> {
  if (!body.stream) throw new Refusal("malformed_upload", "The body is empty; expected a multipart form.");
  let trailingBytes = 0;
  for await (const chunk of body.chunks()) {
    await body.held.add(chunk.length);
    try {
      yield* parser.write(chunk);
    } catch (error) {
      // The parser refuses the line break after the last boundary if it arrives in a chunk of its own.
      trailingBytes += chunk.length;
      if (!hasEnded(parser) || trailingBytes > MAX_ENVELOPE_BYTES) throw error;
    }
  }
  parser.finish();
}

/** Returns whether the last boundary was read. */
function hasEnded(parser: MultipartParser): boolean {
  try {
    parser.finish();
    return true;
  } catch {
    return false;
  }
}

/** Returns the name of a part's field. @throws Refusal `malformed_upload` for headers that are not UTF-8 */
function nameOf(part: MultipartPart): string {
  return decoded(() => part.name ?? "");
}

/** Returns a text that the parser decodes when it is read. @throws Refusal `malformed_upload` unless it is UTF-8 */
function decoded(read: () => string): string {
  try {
    return read();
  } catch {
    throw new Refusal("malformed_upload", "A name or text of the form is not valid UTF-8; expected UTF-8.");
  }
}

/**
 * Returns the joined bytes of a part. Frees its chunks while it copies them, so that the file is held once. A chunk
 * with other bytes in its buffer may still be read.
 */
function takeFile(part: MultipartPart): FormFile {
  const bytes = new Uint8Array(part.size);
  let offset = 0;
  for (const chunk of part.content) {
    bytes.set(chunk, offset);
    offset += chunk.length;
    if (chunk.length === chunk.buffer.byteLength) (chunk.buffer as ArrayBuffer).transfer(0);
  }
  part.content.length = 0;
  return { name: part.filename ?? "", bytes };
}

function unknownField(name: string, expected: string): Refusal {
  const received = JSON.stringify(name.slice(0, 50));
  return new Refusal("invalid_input", `Unknown field ${received}; expected ${expected}.`);
}

/** Returns the boundary that a multipart form's Content-Type names; null for other bodies. */
export function multipartBoundary({ contentType, mediaType }: RequestBody): string | null {
  return contentType && mediaType === "multipart/form-data" ? getMultipartBoundary(contentType) : null;
}

function boundaryOf(body: RequestBody): string {
  const boundary = multipartBoundary(body);
  if (boundary) return boundary;
  throw unsupportedMediaType(body, "multipart/form-data with a boundary");
}

type FileLimit = Pick<FormFields<string, z.ZodObject>, "maxFileBytes" | "tooLarge">;

function formRefusal(error: unknown, limit: FileLimit, maxParts: number): unknown {
  if (error instanceof Refusal) return error;
  if (error instanceof MaxFileSizeExceededError || error instanceof MaxTotalSizeExceededError) {
    return tooLarge(limit);
  }
  if (error instanceof MaxPartsExceededError) {
    return new Refusal("malformed_upload", `The form has too many parts; expected at most ${maxParts}.`);
  }
  if (error instanceof MaxHeaderSizeExceededError) {
    return new Refusal("malformed_upload", "A part of the form has too many headers; expected at most 8 KB.");
  }
  if (error instanceof MultipartParseError) {
    return new Refusal(
      "malformed_upload",
      "The body is cut off or malformed; expected a complete multipart/form-data body.",
    );
  }
  return error;
}

function tooLarge({ tooLarge, maxFileBytes }: FileLimit, declaredBytes?: number): Refusal {
  const limit = `${maxFileBytes / 1_000_000} MB`;
  if (declaredBytes === undefined) {
    return new Refusal(tooLarge, `A file in the form is larger than the maximum of ${limit}.`);
  }
  const size = `${(declaredBytes / 1_000_000).toFixed(1)} MB`;
  return new Refusal(tooLarge, `The upload is ${size}; expected a file of at most ${limit}.`);
}
