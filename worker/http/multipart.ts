import { getMultipartBoundary } from "@remix-run/multipart-parser";
import { z } from "zod";
import { type ErrorCode, Refusal } from "../errors.ts";
import { decoded, FormSplitter, malformed, PART_END, type Piece } from "./form-splitter.ts";
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
const UTF8_ONLY = { fatal: true, ignoreBOM: false } as const;

/** Takes the bytes of a file as they arrive. */
export interface FileSink {
  write(chunk: Uint8Array): Promise<void>;
}

/** A file of a form at its beginning. */
export interface ArrivingFile<Texts extends z.ZodObject> {
  readonly name: string;
  /** The texts before the file. */
  readonly texts: Form<never, Texts>["texts"];
}

/**
 * Reads a form as it streams in, and stops at the first byte over a limit.
 *
 * @param sinkFor returns what takes the bytes of a file; null to keep them in memory
 * @returns the texts, and the files that are in memory
 * @throws Refusal `too_many_uploads`
 */
export async function readForm<File extends string, Texts extends z.ZodObject>(
  body: RequestBody,
  fields: FormFields<File, Texts>,
  sinkFor: (file: ArrivingFile<Texts>) => FileSink | null = () => null,
): Promise<Form<File, Texts>> {
  const fileNames = Object.keys(fields.files);
  const textNames = Object.keys(fields.texts.shape);
  const maxTotalBytes =
    fields.maxFileBytes * fileNames.length + MAX_TEXT_BYTES * textNames.length + MAX_ENVELOPE_BYTES;
  const splitter = new FormSplitter(boundaryOf(body));
  const declared = Number(body.contentLength ?? 0);
  if (declared > maxTotalBytes) throw tooLarge(fields, declared);

  // Without prototypes: a field may be called "constructor".
  const files: Partial<Record<string, FormFile>> = Object.create(null);
  const texts: Partial<Record<string, string>> = Object.create(null);
  const names = [...fileNames, ...textNames];
  const seen = new Set<string>();
  let part: { add(chunk: Uint8Array): Promise<void>; end?(): void } | undefined;
  for await (const piece of piecesOf(body, splitter)) {
    if (piece instanceof Uint8Array) {
      await part?.add(piece);
      continue;
    }
    if (piece === PART_END) {
      part?.end?.();
      continue;
    }
    const { name, fileName } = piece;
    if (seen.has(name)) {
      throw new Refusal("invalid_input", `Field "${name}" was sent twice; expected it once.`);
    }
    seen.add(name);
    if (textNames.includes(name)) {
      const kept = new KeptPart(body, MAX_TEXT_BYTES, () => longText(name));
      part = {
        add: (chunk) => kept.add(chunk),
        end: () => {
          texts[name] = decoded(() => new TextDecoder("utf-8", UTF8_ONLY).decode(kept.join()));
        },
      };
      continue;
    }
    if (!fileNames.includes(name)) {
      throw unknownField(name, names.map((known) => `"${known}"`).join(", "));
    }
    const sink = sinkFor({ name: fileName, texts: texts as ArrivingFile<Texts>["texts"] });
    if (sink) {
      part = { add: (chunk) => sink.write(chunk) };
      continue;
    }
    const kept = new KeptPart(body, fields.maxFileBytes, () => tooLarge(fields));
    part = {
      add: (chunk) => kept.add(chunk),
      end: () => {
        files[name] = { name: fileName, bytes: kept.join() };
      },
    };
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
  { maxFiles, maxFileBytes, tooLarge: code }: { maxFiles: number; maxFileBytes: number; tooLarge: ErrorCode },
): AsyncGenerator<FormFile, void> {
  let count = 0;
  let current: { readonly name: string; readonly kept: KeptPart } | undefined;
  for await (const piece of piecesOf(body, new FormSplitter(boundaryOf(body)))) {
    if (piece instanceof Uint8Array) {
      await current?.kept.add(piece);
    } else if (piece === PART_END) {
      if (current) yield { name: current.name, bytes: current.kept.join() };
    } else {
      if (piece.name !== field) throw unknownField(piece.name, `"${field}", once for each file`);
      if (++count > maxFiles) throw malformed(`The form has too many parts; expected at most ${maxFiles}.`);
      const kept = new KeptPart(body, maxFileBytes, () => tooLarge({ tooLarge: code, maxFileBytes }));
      current = { name: piece.fileName, kept };
    }
  }
}

async function* piecesOf(body: RequestBody, splitter: FormSplitter): AsyncGenerator<Piece, void> {
  if (!body.stream) throw malformed("The body is empty; expected a multipart form.");
  for await (const chunk of body.chunks()) yield* splitter.write(chunk);
  splitter.finish();
}

function longText(name: string): Refusal {
  return new Refusal(
    "invalid_input",
    `Field "${name}" is longer than the maximum of ${MAX_TEXT_BYTES} bytes.`,
  );
}

/** The content of a part in memory. */
class KeptPart {
  readonly #body: RequestBody;
  readonly #maxBytes: number;
  readonly #tooLarge: () => Refusal;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(body: RequestBody, maxBytes: number, tooLarge: () => Refusal) {
    this.#body = body;
    this.#maxBytes = maxBytes;
    this.#tooLarge = tooLarge;
  }

  async add(chunk: Uint8Array): Promise<void> {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) throw this.#tooLarge();
    await this.#body.held.add(chunk.length);
    this.#chunks.push(chunk);
  }

  /** Returns the bytes. Frees the chunks while it copies them, so that they are held once. */
  join(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const [i, chunk] of this.#chunks.entries()) {
      bytes.set(chunk, offset);
      offset += chunk.length;
      // The buffers of the first and the last one may have other parts too.
      if (i > 0 && i < this.#chunks.length - 1) (chunk.buffer as ArrayBuffer).transfer(0);
    }
    this.#chunks.length = 0;
    return bytes;
  }
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

function tooLarge({ tooLarge, maxFileBytes }: FileLimit, declaredBytes?: number): Refusal {
  const limit = `${maxFileBytes / 1_000_000} MB`;
  if (declaredBytes === undefined) {
    return new Refusal(tooLarge, `A file in the form is larger than the maximum of ${limit}.`);
  }
  const size = `${(declaredBytes / 1_000_000).toFixed(1)} MB`;
  return new Refusal(tooLarge, `The upload is ${size}; expected a file of at most ${limit}.`);
}
