import {
  getMultipartBoundary,
  MultipartParseError,
  type MultipartPart,
  parseMultipartStream,
} from "@remix-run/multipart-parser";
import { z } from "zod";
import type { CompileErrorCode } from "../../compiler/types.ts";
import { type ErrorCode, Refusal } from "../errors.ts";
import { type ProgressBody, progress } from "../schemas.ts";
import { readBeginning } from "../storage/chunks.ts";
import { pump } from "../storage/pump.ts";
import { type Delivery, MAX_MARKER_BYTES, PREVIEW_LIMITS } from "./delivery.ts";
import type {
  DeliveredPreviews,
  FailedOutcome,
  ImageJob,
  PreviewOutcome,
  RetryableOutcome,
} from "./outcome.ts";

/** The connection to the Node compiler. For the protocol, see node/service.ts. */
export interface CompileService {
  /** Empty: there is no Node compiler. */
  readonly url: string;
  readonly secret: string;
  /** The platform's `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** The longest wait for the response to begin, and between two of its parts. */
  readonly silenceSeconds: number;
  readonly totalSeconds: number;
}

export interface CompileJob extends ImageJob {
  readonly maxFeatures: number | null;
}

export type CompileOutcome =
  | { readonly kind: "compiled"; readonly delivery: Delivery }
  | FailedOutcome
  /** `onProgress` returned false: the lease is lost. */
  | { readonly kind: "unwanted" };

/** Returns whether a code is about the image or the options, so that another attempt is useless. */
const FATAL: Record<CompileErrorCode, boolean> = {
  empty_file: true,
  not_an_image: true,
  unsupported_format: true,
  image_damaged: true,
  image_too_many_bytes: true,
  image_too_many_pixels: true,
  image_too_many_scans: true,
  image_too_small: true,
  too_few_features: true,
  invalid_option: true,
  invalid_marker: false,
};

const answeredProblem = z.object({ code: z.string().max(64), detail: z.string().max(2000) });
const answeredMetadata = z.object({
  milliseconds: z.number().min(0).nullable().optional(),
  compiler_version: z.string().max(64).nullable().optional(),
});

const MAX_PARTS = 100_000;
const NO_COMPILER =
  "The photo waits for a Node compiler, which this platform does not have. Its operator can set COMPILER_URL or COMPILER_CONTAINER.";
const NO_COMPILER_RETRY_SECONDS = 600;

/** Much longer than any error of the Node compiler. The rest of the response is not read. */
const MAX_TEXT_BYTES = 65_536;

/**
 * Sends an image to the Node compiler and reads the parts of its response as they stream in. Failures of the
 * compiler and of the network are outcomes; they are not thrown.
 *
 * @param onProgress returns false when the lease is lost, which ends the request
 */
export function compileRemotely(
  service: CompileService,
  job: CompileJob,
  onProgress: (progress: ProgressBody) => Promise<boolean>,
): Promise<CompileOutcome> {
  const query = job.maxFeatures === null ? "" : `?max_features=${job.maxFeatures}`;
  return send<CompileOutcome>(service, `/compile${query}`, job, (response, watch) =>
    readAnswer(response, watch, onProgress),
  );
}

/** Lets the Node compiler make the smaller pictures of an image. Failures are outcomes, as above. */
export function previewRemotely(service: CompileService, job: ImageJob): Promise<PreviewOutcome> {
  return send<PreviewOutcome>(service, "/preview", job, readPreviews);
}

async function send<O extends CompileOutcome | PreviewOutcome>(
  service: CompileService,
  path: string,
  job: ImageJob,
  read: (response: Response, watch: Watch) => Promise<O>,
): Promise<O | FailedOutcome> {
  const watch = new Watch(service.silenceSeconds, service.totalSeconds);
  const { readable, writable } = new FixedLengthStream(job.imageBytes);
  const answered = new AbortController();
  // Not piped: the image from S3 is a FixedLengthStream too, and workerd cannot pipe one into another. An
  // error
  // here also fails the request.
  pump(job.image, writable, job.imageBytes, { signal: answered.signal }).catch(() => {});
  try {
    const response = await service.fetch(`${service.url}${path}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${service.secret}`,
        "Content-Type": "application/octet-stream",
        ...(job.taskId === null ? {} : { "X-Task-Id": job.taskId }),
        "X-Request-Id": job.requestId,
      },
      // A FixedLengthStream, so that the request has a Content-Length.
      body: readable,
      signal: watch.signal,
    });
    if (response.status !== 200) return await refusal(response);
    return await read(response, watch);
  } catch (error) {
    return watch.reason ?? breakdown(error);
  } finally {
    // A refusal may come before the image is sent; the rest of the image is not read then.
    answered.abort();
    watch.stop();
  }
}

async function readAnswer(
  response: Response,
  watch: Watch,
  onProgress: (progress: ProgressBody) => Promise<boolean>,
): Promise<CompileOutcome> {
  let metadata: z.infer<typeof answeredMetadata> = {};
  const previews = new Previews();
  for await (const part of partsOf(response, watch)) {
    switch (part.name) {
      case "progress": {
        const parsed = progress.safeParse(JSON.parse(part.text));
        if (parsed.success && !(await onProgress(parsed.data))) {
          watch.stop();
          return { kind: "unwanted" };
        }
        break;
      }
      case "problem":
        return problem(answeredProblem.parse(JSON.parse(part.text)), null);
      case "metadata":
        metadata = answeredMetadata.parse(JSON.parse(part.text));
        break;
      case "thumbnail":
      case "picture":
        previews.take(part.name, part);
        break;
      case "marker":
        return {
          kind: "compiled",
          delivery: {
            marker: part.bytes as Uint8Array<ArrayBuffer>,
            ...previews,
            milliseconds: metadata.milliseconds ?? null,
            compilerVersion: metadata.compiler_version ?? null,
          },
        };
    }
  }
  return retryable("compile_crashed", "The compiler's response ended without a marker.");
}

async function readPreviews(response: Response, watch: Watch): Promise<PreviewOutcome> {
  const previews = new Previews();
  for await (const part of partsOf(response, watch)) {
    if (part.name === "problem") return problem(answeredProblem.parse(JSON.parse(part.text)), null);
    if (part.name !== "thumbnail" && part.name !== "picture") continue;
    previews.take(part.name, part);
    if (part.name === "picture") return { kind: "previewed", previews };
  }
  return retryable("compile_crashed", "The compiler's response ended without a picture.");
}

/** The smaller pictures of a response. */
class Previews implements DeliveredPreviews {
  thumbnail: Uint8Array<ArrayBuffer> | null = null;
  picture: Uint8Array<ArrayBuffer> | null = null;

  take(kind: keyof DeliveredPreviews, { size, bytes }: MultipartPart): void {
    if (size <= PREVIEW_LIMITS[kind].bytes) this[kind] = bytes as Uint8Array<ArrayBuffer>;
  }
}

/** Yields the parts of a response as they arrive. */
async function* partsOf(response: Response, watch: Watch): AsyncGenerator<MultipartPart> {
  const boundary = getMultipartBoundary(response.headers.get("content-type") ?? "");
  if (!boundary || !response.body) throw new MissingParts();
  for await (const part of parseMultipartStream(response.body, {
    boundary,
    maxFileSize: MAX_MARKER_BYTES,
    maxParts: MAX_PARTS,
    maxTotalSize: 2 * MAX_MARKER_BYTES,
  })) {
    watch.heard();
    yield part;
  }
}

class MissingParts extends Error {}

/** Returns the text of a response, cut off after `MAX_TEXT_BYTES`. */
async function beginningOf({ body }: Response): Promise<string> {
  if (!body) return "";
  return new TextDecoder().decode(await readBeginning(body, MAX_TEXT_BYTES));
}

/** Returns the outcome of a response other than 200. */
async function refusal(response: Response): Promise<FailedOutcome> {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  const text = await beginningOf(response);
  try {
    return problem(answeredProblem.parse(JSON.parse(text)), retryAfterSeconds);
  } catch {
    return retryable("compiler_error", `The compiler responded with status ${response.status}.`);
  }
}

function problem(
  { code, detail }: z.infer<typeof answeredProblem>,
  retryAfterSeconds: number | null,
): FailedOutcome {
  if (Object.hasOwn(FATAL, code)) {
    const failure = { code: code as CompileErrorCode, message: detail };
    return FATAL[code as CompileErrorCode]
      ? { kind: "fatal", failure }
      : { kind: "retryable", failure, retryAfterSeconds };
  }
  if (code === "busy") return retryable("compiler_busy", detail, retryAfterSeconds);
  if (code === "upload_too_slow") {
    return retryable("storage_unavailable", "The storage sent the photo too slowly.", retryAfterSeconds);
  }
  if (code === "compile_timeout" || code === "compile_crashed") return retryable(code, detail);
  return retryable(
    "compiler_error",
    `The compiler rejected the photo (${code}): ${detail}`,
    retryAfterSeconds,
  );
}

function retryable(
  code: ErrorCode,
  message: string,
  retryAfterSeconds: number | null = null,
): RetryableOutcome {
  return { kind: "retryable", failure: { code, message }, retryAfterSeconds };
}

function breakdown(error: unknown): RetryableOutcome {
  if (error instanceof MultipartParseError) {
    return retryable("compile_crashed", "The compiler's response ended early.");
  }
  if (error instanceof MissingParts) {
    return retryable("compiler_error", "The compiler's response has no parts.");
  }
  if (error instanceof SyntaxError || error instanceof z.ZodError) {
    return retryable("compiler_error", "The compiler's response does not follow the protocol.");
  }
  const what = error instanceof Error ? error.message : String(error);
  return retryable("compiler_unreachable", `The connection to the compiler failed: ${what}`);
}

/** Aborts a request after a silence, or when its total time is up; `reason` is the outcome then. */
class Watch {
  readonly #controller = new AbortController();
  readonly #silenceSeconds: number;
  readonly #total: ReturnType<typeof setTimeout>;
  #silence: ReturnType<typeof setTimeout>;
  reason: FailedOutcome | null = null;

  constructor(silenceSeconds: number, totalSeconds: number) {
    this.#silenceSeconds = silenceSeconds;
    this.#silence = this.#armSilence();
    const tooLong = retryable("compile_timeout", `The compiler took more than ${totalSeconds} s.`);
    this.#total = setTimeout(() => this.end(tooLong), totalSeconds * 1000);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#silence);
    this.#silence = this.#armSilence();
  }

  end(reason: FailedOutcome): void {
    this.reason ??= reason;
    this.#controller.abort();
  }

  /** Stops watching and aborts what is left of the request; its outcome is known. */
  stop(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#total);
    this.#controller.abort();
  }

  #armSilence(): ReturnType<typeof setTimeout> {
    const silent = retryable(
      "compiler_unreachable",
      `The compiler sent no data for more than ${this.#silenceSeconds} s.`,
    );
    return setTimeout(() => this.end(silent), this.#silenceSeconds * 1000);
  }
}

const answeredPlaces = z.object({ running: z.number(), capacity: z.number() });

/** Asks the Node compiler for a free place. Returns null if it has one, and otherwise the outcome of an attempt. */
export async function askForPlace(
  service: Pick<CompileService, "url" | "secret" | "fetch">,
  timeoutSeconds: number,
): Promise<RetryableOutcome | null> {
  if (service.url === "") return retryable("compiler_missing", NO_COMPILER, NO_COMPILER_RETRY_SECONDS);
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const headers = { Authorization: `Bearer ${service.secret}` };
  try {
    const response = await service.fetch(`${service.url}/health`, { method: "GET", headers, signal });
    const text = await beginningOf(response);
    if (response.status === 503) return retryable("compiler_busy", "The compiler is stopping.");
    if (!response.ok)
      return retryable("compiler_error", `The compiler responded with status ${response.status}.`);
    const { running, capacity } = answeredPlaces.parse(JSON.parse(text));
    if (running < capacity) return null;
    return retryable("compiler_busy", `All ${capacity} places of the compiler are taken.`);
  } catch (error) {
    return breakdown(error);
  }
}

/** Checks that the Node compiler answers and has our secret. Throws an error with the reason when it does not. */
export async function checkCompiler(
  service: Pick<CompileService, "url" | "secret" | "fetch">,
  timeoutSeconds: number,
): Promise<void> {
  if (service.url === "")
    throw new Refusal(
      "compiler_missing",
      "There is no Node compiler. Set COMPILER_URL or COMPILER_CONTAINER.",
    );
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const headers = { Authorization: `Bearer ${service.secret}` };
  const response = await service.fetch(`${service.url}/health`, { method: "GET", headers, signal });
  const text = await beginningOf(response);
  if (response.status === 401) throw new Error("The Node compiler has another COMPILER_SECRET.");
  if (!response.ok) throw new Error(`The Node compiler responded with status ${response.status}.`);
  z.object({ status: z.literal("ok") }).parse(JSON.parse(text));
}
