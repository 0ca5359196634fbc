import { getMultipartBoundary, MultipartParseError, parseMultipartStream } from "@remix-run/multipart-parser";
import { z } from "zod";
import type { CompileErrorCode } from "../../compiler/types.ts";
import type { ErrorCode, Failure } from "../errors.ts";
import { type ProgressBody, progress } from "../schemas.ts";
import { pump } from "../storage/pump.ts";
import { type Delivery, MAX_MARKER_BYTES, MAX_THUMBNAIL_BYTES } from "./delivery.ts";

/** The Node compiler, seen from the edge. Its protocol: `POST /compile`, see node/. */
export interface CompileService {
  readonly url: string;
  readonly secret: string;
  /** The platform's `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Longest silence: until the answer begins, and between two of its parts. */
  readonly silenceSeconds: number;
  readonly totalSeconds: number;
}

export interface CompileJob {
  readonly image: ReadableStream;
  readonly imageBytes: number;
  readonly maxFeatures: number | null;
}

export type CompileOutcome =
  | { readonly kind: "compiled"; readonly delivery: Delivery }
  /** The image will never compile. */
  | { readonly kind: "fatal"; readonly failure: Failure }
  /** Another try may succeed. */
  | { readonly kind: "retryable"; readonly failure: Failure; readonly retryAfterSeconds: number | null }
  /** `onProgress` said that nobody wants it any more. */
  | { readonly kind: "unwanted" };

/** The compiler's codes that are about the image or the options, not about the compiler's own trouble. */
const FATAL: Record<CompileErrorCode, boolean> = {
  empty_file: true,
  not_an_image: true,
  unsupported_format: true,
  image_damaged: true,
  image_too_many_bytes: true,
  image_too_many_pixels: true,
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

/**
 * Has an image compiled by the Node compiler, and follows the parts of its answer as they stream in.
 * Never throws for what the compiler or the network does: every ending is an outcome.
 *
 * @param onProgress false ends the request: the lease is lost
 */
export async function compileRemotely(
  service: CompileService,
  job: CompileJob,
  onProgress: (progress: ProgressBody) => Promise<boolean>,
): Promise<CompileOutcome> {
  const watch = new Watch(service.silenceSeconds, service.totalSeconds);
  const { readable, writable } = new FixedLengthStream(job.imageBytes);
  const answered = new AbortController();
  // Not piped: from S3 the image comes as such a stream itself, and workerd pipes none into another. What
  // breaks here breaks the request.
  pump(job.image, writable, job.imageBytes, { signal: answered.signal }).catch(() => {});
  try {
    const query = job.maxFeatures === null ? "" : `?max_features=${job.maxFeatures}`;
    const response = await service.fetch(`${service.url}/compile${query}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${service.secret}`,
        "Content-Type": "application/octet-stream",
      },
      // Of known length, so that it goes out with a Content-Length.
      body: readable,
      signal: watch.signal,
    });
    if (response.status !== 200) return await refusal(response);
    return await readAnswer(response, watch, onProgress);
  } catch (error) {
    return watch.reason ?? breakdown(error);
  } finally {
    // An answer before the end is a refusal, which leaves the rest of the image unread.
    answered.abort();
    watch.stop();
  }
}

async function readAnswer(
  response: Response,
  watch: Watch,
  onProgress: (progress: ProgressBody) => Promise<boolean>,
): Promise<CompileOutcome> {
  const boundary = getMultipartBoundary(response.headers.get("content-type") ?? "");
  if (!boundary || !response.body) return retryable("compiler_error", "The compiler's answer has no parts.");
  let metadata: z.infer<typeof answeredMetadata> = {};
  let thumbnail: Delivery["thumbnail"] = null;
  for await (const part of parseMultipartStream(response.body, {
    boundary,
    maxFileSize: MAX_MARKER_BYTES,
    maxParts: MAX_PARTS,
    maxTotalSize: 2 * MAX_MARKER_BYTES,
  })) {
    watch.heard();
    switch (part.name) {
      case "progress": {
        const parsed = progress.safeParse(JSON.parse(part.text));
        if (parsed.success && !(await onProgress(parsed.data))) {
          watch.end({ kind: "unwanted" });
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
        if (part.size <= MAX_THUMBNAIL_BYTES) thumbnail = part.bytes as Uint8Array<ArrayBuffer>;
        break;
      case "marker":
        return {
          kind: "compiled",
          delivery: {
            marker: part.bytes as Uint8Array<ArrayBuffer>,
            thumbnail,
            milliseconds: metadata.milliseconds ?? null,
            compilerVersion: metadata.compiler_version ?? null,
          },
        };
    }
  }
  return retryable("compile_crashed", "The compiler's answer ended without a marker.");
}

/** An answer that came instead of the work. */
async function refusal(response: Response): Promise<CompileOutcome> {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  const text = await response.text();
  try {
    return problem(answeredProblem.parse(JSON.parse(text)), retryAfterSeconds);
  } catch {
    return retryable("compiler_error", `The compiler answered with status ${response.status}.`);
  }
}

function problem(
  { code, detail }: z.infer<typeof answeredProblem>,
  retryAfterSeconds: number | null,
): CompileOutcome {
  if (Object.hasOwn(FATAL, code)) {
    const failure = { code: code as CompileErrorCode, message: detail };
    return FATAL[code as CompileErrorCode]
      ? { kind: "fatal", failure }
      : { kind: "retryable", failure, retryAfterSeconds };
  }
  if (code === "busy") return retryable("compiler_busy", detail, retryAfterSeconds);
  if (code === "compile_timeout" || code === "compile_crashed") return retryable(code, detail);
  return retryable("compiler_error", `The compiler refused the work (${code}): ${detail}`, retryAfterSeconds);
}

function retryable(
  code: ErrorCode,
  message: string,
  retryAfterSeconds: number | null = null,
): CompileOutcome & { kind: "retryable" } {
  return { kind: "retryable", failure: { code, message }, retryAfterSeconds };
}

function breakdown(error: unknown): CompileOutcome {
  if (error instanceof MultipartParseError) {
    return retryable("compile_crashed", "The compiler's answer broke off in the middle.");
  }
  if (error instanceof SyntaxError || error instanceof z.ZodError) {
    return retryable("compiler_error", "The compiler's answer does not follow the protocol.");
  }
  const what = error instanceof Error ? error.message : String(error);
  return retryable("compiler_unreachable", `The connection to the compiler failed: ${what}`);
}

/** Ends a request after a silence, or after its whole time; `reason` tells which. */
class Watch {
  readonly #controller = new AbortController();
  readonly #silenceSeconds: number;
  readonly #total: ReturnType<typeof setTimeout>;
  #silence: ReturnType<typeof setTimeout>;
  reason: CompileOutcome | null = null;

  constructor(silenceSeconds: number, totalSeconds: number) {
    this.#silenceSeconds = silenceSeconds;
    this.#silence = this.#armSilence();
    const tooLong = retryable("compile_timeout", `The compiler needed more than ${totalSeconds} s.`);
    this.#total = setTimeout(() => this.end(tooLong), totalSeconds * 1000);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#silence);
    this.#silence = this.#armSilence();
  }

  end(reason: CompileOutcome): void {
    this.reason ??= reason;
    this.#controller.abort();
  }

  /** The outcome is known: whatever is still under way is let go. */
  stop(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#total);
    this.#controller.abort();
  }

  #armSilence(): ReturnType<typeof setTimeout> {
    const silent = retryable(
      "compile_timeout",
      `The compiler was silent for more than ${this.#silenceSeconds} s.`,
    );
    return setTimeout(() => this.end(silent), this.#silenceSeconds * 1000);
  }
}

/** Rejects, saying why, when the Node compiler does not answer as one. */
export async function checkCompiler(
  service: Pick<CompileService, "url" | "fetch">,
  timeoutSeconds: number,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const response = await service.fetch(`${service.url}/health`, { method: "GET", signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`It answered with status ${response.status}.`);
  z.object({ status: z.literal("ok") }).parse(JSON.parse(text));
}
