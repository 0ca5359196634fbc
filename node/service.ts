/**
 * The fallback compiler as a stateless HTTP service: image bytes in, marker and pictures out.
 *
 *     POST /compile?max_features=N      Authorization: Bearer SECRET, Content-Length, the image as the body
 *     POST /preview                     likewise, for the smaller pictures only
 *     GET  /health                      with an Authorization header: also checks the secret
 *
 * Requests that are refused before any work get problem details with a status (400, 401, 404, 405, 408, 411, 413,
 * or 503 with Retry-After). All others get 200 and a multipart/form-data stream: `progress` parts during the
 * work, then either one `problem` part or the parts `metadata`, `thumbnail`, `picture` and `marker`; those of /preview
 * are `thumbnail` and `picture`.
 *
 * The log of a job has the caller's X-Task-Id and X-Request-Id.
 *
 * A job has its place from the last byte of its image to the end of its thread's work. Callers that send an image
 * or read an answer too slowly hold no place, and are cut off.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import { COMPILER_VERSION } from "../compiler/compile.ts";
import { MAX_IMAGE_BYTES } from "../compiler/image/inspect.ts";
import type { CompileErrorCode, CompileProgress } from "../compiler/types.ts";
import { readCompileModules } from "./codecs.ts";
import { MultipartEncoder } from "./multipart.ts";
import type { Job } from "./protocol.ts";
import { type Every, everyInterval, watchRate } from "./rate.ts";
import { type Outcome, Threads } from "./threads.ts";

/** Time limit of a job. A photo of 50 megapixels takes a few seconds, so a job that takes this long hangs. */
const JOB_MILLISECONDS = 120_000;

/** Time for running jobs to finish on shutdown: about as long as hosts wait before they kill a process. */
const GRACE_MILLISECONDS = 25_000;

/** Time to flush the last answer from its socket after its job has ended. */
const LINGER_MILLISECONDS = 1_000;

/** Time limits of a request: of its headers, and of all of it, which is up to 20 MB. */
const HEADERS_MILLISECONDS = 10_000;
const UPLOAD_MILLISECONDS = 120_000;
const LIMITS_CHECK_MILLISECONDS = 5_000;

/** Uploads at a time for each place. Each holds up to 20 MB of memory. */
const UPLOADS_PER_PLACE = 16;

/** Bytes of an answer that are sent at a time. */
const SLICE_BYTES = 65_536;

/** Shortest time between progress parts within a stage, and longest time between any two of them. */
const PROGRESS_MILLISECONDS = 250;
const HEARTBEAT_MILLISECONDS = 5_000;

/** Retry-After when all places are taken: a typical job takes a second or two. */
const BUSY_RETRY_SECONDS = 2;
const STOPPING_RETRY_SECONDS = 10;

/** Anyone who reaches the port can try secrets, without a limit. */
export const MIN_SECRET_LENGTH = 32;

export interface CompilerOptions {
  /** 0 selects any free port. */
  readonly port: number;
  readonly host: string;
  /** The bearer token that callers send; at least `MIN_SECRET_LENGTH` characters. */
  readonly secret: string;
  /** Number of jobs at a time, each in a thread of its own. Default: the number of cores. */
  readonly capacity?: number;
  readonly jobMilliseconds?: number;
  /** Time that `close` waits for running jobs. */
  readonly graceMilliseconds?: number;
  /** The clock of the minimum rate. Default: the platform's. */
  readonly every?: Every;
  /** The threads' module. Default: node/job.ts. */
  readonly jobEntry?: URL;
  /** Receives one entry per job. Default: prints it to standard output as a line of JSON. */
  readonly log?: (entry: JobLog) => void;
}

export interface Compiler {
  readonly url: string;
  /** Refuses new jobs, waits for running jobs up to `graceMilliseconds`, then stops. */
  close(): Promise<void>;
}

/** A job that requests ask for, at the path of its name. */
type ServedJob = "compile" | "preview";

/** A log entry of a job. Never contains the secret or the image. */
export interface JobLog {
  readonly time: string;
  readonly event: ServedJob;
  /** The caller's X-Task-Id and X-Request-Id; null without one of at most 64 letters, digits, `-`, `_` and `=`. */
  readonly task_id: string | null;
  readonly request_id: string | null;
  /** `ready`, `cancelled`, or the problem's code, such as `upload_too_slow`. */
  readonly outcome: string;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly max_features: number | null;
  readonly width?: number;
  readonly height?: number;
  readonly marker_bytes?: number;
  readonly message?: string;
}

/** Starts the service. Resolves when it listens. */
export async function startCompiler(options: CompilerOptions): Promise<Compiler> {
  const {
    capacity = availableParallelism(),
    jobMilliseconds = JOB_MILLISECONDS,
    graceMilliseconds = GRACE_MILLISECONDS,
    jobEntry = new URL("./job.ts", import.meta.url),
    every = everyInterval,
    log = (entry: JobLog) => console.log(JSON.stringify(entry)),
  } = options;
  if (options.secret.length < MIN_SECRET_LENGTH) {
    throw new Error(
      `The compiler's secret has ${options.secret.length} characters; expected at least ${MIN_SECRET_LENGTH}.`,
    );
  }
  const authorized = bearerCheck(options.secret);
  const threads = new Threads(jobEntry, await readCompileModules());
  const jobs = new Set<AbortController>();
  let uploads = 0;
  let stopping = false;
  let onIdle = () => {};

  const limits = {
    headersTimeout: HEADERS_MILLISECONDS,
    requestTimeout: UPLOAD_MILLISECONDS,
    connectionsCheckingInterval: LIMITS_CHECK_MILLISECONDS,
  };
  const server = createServer(limits, (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    if (path === "/health") health(request, response);
    else if (path === "/compile") void serve("compile", request, response);
    else if (path === "/preview") void serve("preview", request, response);
    else
      refuse(response, 404, "not_found", `${path} does not exist; expected /compile, /preview or /health.`);
  });

  function health(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "GET" && request.method !== "HEAD") {
      refuseMethod(response, "GET, HEAD");
    } else if (request.headers.authorization !== undefined && !authorized(request.headers.authorization)) {
      refuseCaller(response);
    } else {
      const status = stopping ? "stopping" : "ok";
      const running = jobs.size;
      const body = { status, compiler_version: COMPILER_VERSION, uploading: uploads, running, capacity };
      sendJson(response, stopping ? 503 : 200, "application/json", body);
    }
  }

  async function serve(kind: ServedJob, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // An unread body must still be received; otherwise the caller never sees the answer.
    request.resume();
    if (!authorized(request.headers.authorization)) {
      return refuseCaller(response);
    }
    if (request.method !== "POST") return refuseMethod(response, "POST");
    const length = request.headers["content-length"];
    if (length === undefined) {
      return refuse(response, 411, "length_required", "Content-Length is missing; send the image's size.");
    }
    const bytes = Number(length);
    if (bytes > MAX_IMAGE_BYTES) {
      const detail = `The image has ${bytes} bytes; expected at most ${MAX_IMAGE_BYTES}.`;
      return refuse(response, 413, "image_too_many_bytes" satisfies CompileErrorCode, detail);
    }
    const maxFeatures = maxFeaturesOf(request);
    if (Number.isNaN(maxFeatures)) {
      const detail = "max_features is not a whole number of at least 1.";
      return refuse(response, 400, "invalid_option" satisfies CompileErrorCode, detail);
    }
    if (isFull() || uploads >= capacity * UPLOADS_PER_PLACE) return refuseBusy(response);
    const started = Date.now();
    const note = (outcome: Outcome<ServedJob> | SlowUpload) => {
      const job = { event: kind, ...idsOf(request), bytes, max_features: maxFeatures ?? null };
      log(entry(outcome, job, Date.now() - started));
    };
    uploads += 1;
    const image = await receive(request, bytes, every).finally(() => {
      uploads -= 1;
    });
    if ("kind" in image) {
      note(image);
      if (image.kind === "slow") refuseSlow(request, response);
    } else if (isFull()) {
      refuseBusy(response);
    } else {
      const answer = new MultipartEncoder();
      const job = { kind, bytes: image, options: { maxFeatures } };
      const outcome = await work(job, { response, answer });
      note(outcome);
      await send(response, lastParts(answer, outcome));
    }
  }

  function isFull(): boolean {
    return stopping || jobs.size >= capacity;
  }

  function refuseBusy(response: ServerResponse): void {
    response.setHeader("Retry-After", stopping ? STOPPING_RETRY_SECONDS : BUSY_RETRY_SECONDS);
    const detail = stopping ? "The compiler is stopping." : `All ${capacity} places for jobs are taken.`;
    refuse(response, 503, "busy", detail);
  }

  /** Runs a job in a thread, which occupies a place, and reports its progress. */
  async function work(
    job: Job<ServedJob>,
    { response, answer }: { response: ServerResponse; answer: MultipartEncoder },
  ): Promise<Outcome<ServedJob>> {
    const place = new AbortController();
    jobs.add(place);
    response.on("close", () => place.abort());
    response.writeHead(200, { "Content-Type": answer.contentType, "Cache-Control": "no-store" });
    const reporter = new ProgressReporter((progress) => {
      response.write(answer.part("progress", "application/json", JSON.stringify(progress)));
    });
    try {
      return await threads.run(job, {
        milliseconds: jobMilliseconds,
        signal: place.signal,
        onProgress: (progress) => reporter.report(progress),
      });
    } finally {
      reporter.stop();
      jobs.delete(place);
      if (jobs.size === 0) onIdle();
    }
  }

  /** Returns the end of an answer; null for a caller that has disconnected. */
  function lastParts(answer: MultipartEncoder, outcome: Outcome<ServedJob>): Buffer | null {
    if (outcome.kind === "cancelled") return null;
    if (outcome.kind !== "done") {
      return answer.part("problem", "application/json", JSON.stringify(problemOf(outcome)), true);
    }
    const { photo } = outcome;
    const { thumbnail, picture } = photo;
    if (!("marker" in photo)) {
      return Buffer.concat([
        answer.part("thumbnail", "image/jpeg", thumbnail),
        answer.part("picture", "image/jpeg", picture, true),
      ]);
    }
    const { marker, milliseconds } = photo;
    const metadata = { milliseconds, compiler_version: COMPILER_VERSION };
    return Buffer.concat([
      answer.part("metadata", "application/json", JSON.stringify(metadata)),
      answer.part("thumbnail", "image/jpeg", thumbnail),
      answer.part("picture", "image/jpeg", picture),
      answer.part("marker", "application/octet-stream", marker, true),
    ]);
  }

  /** Sends the end of an answer, and cuts off a caller that reads it too slowly. */
  async function send(response: ServerResponse, bytes: Buffer | null): Promise<void> {
    if (!bytes) {
      response.destroy();
      return;
    }
    const rate = watchRate(every, () => response.destroy());
    for (let at = 0; at < bytes.length && !response.destroyed; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      await new Promise<void>((sent) => response.write(slice, () => sent()));
      rate.moved(slice.length);
    }
    rate.stop();
    response.end();
  }

  function problemOf(outcome: Exclude<Outcome<ServedJob>, { kind: "done" } | { kind: "cancelled" }>) {
    switch (outcome.kind) {
      case "refused":
        return problem(422, outcome.code, outcome.message);
      case "timeout":
        return problem(504, "compile_timeout", `The job took longer than ${jobMilliseconds / 1000} s.`);
      case "crashed":
        return problem(500, "compile_crashed", "The thread that compiled the image crashed.");
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;

  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    async close() {
      stopping = true;
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
        if (jobs.size === 0) resolve();
      });
      const grace = setTimeout(() => {
        for (const job of jobs) job.abort();
      }, graceMilliseconds);
      await idle;
      clearTimeout(grace);
      const closed = new Promise((resolve) => server.close(resolve));
      const linger = setTimeout(() => server.closeAllConnections(), LINGER_MILLISECONDS);
      await Promise.all([closed, threads.close()]);
      clearTimeout(linger);
    },
  };
}

/** Returns a check that compares digests, so that its duration does not reveal anything about the secret. */
function bearerCheck(secret: string): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${secret}`);
  return (authorization) => timingSafeEqual(digest(authorization ?? ""), expected);
}

/** Returns the option `max_features`; undefined when absent, NaN when invalid. */
function maxFeaturesOf(request: IncomingMessage): number | undefined {
  const query = (request.url ?? "").split("?")[1];
  const text = new URLSearchParams(query).get("max_features");
  if (text === null) return undefined;
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : Number.NaN;
}

/** An upload that was too slow. */
interface SlowUpload {
  readonly kind: "slow";
}

/** Reads the body into a buffer that can be transferred to a thread. */
function receive(
  request: IncomingMessage,
  length: number,
  every: Every,
): Promise<Uint8Array<ArrayBuffer> | SlowUpload | { readonly kind: "cancelled" }> {
  return new Promise((resolve) => {
    const body = new Uint8Array(length);
    let offset = 0;
    const rate = watchRate(every, () => resolve({ kind: "slow" }));
    const end = (received: Uint8Array<ArrayBuffer> | { readonly kind: "cancelled" }) => {
      rate.stop();
      resolve(received);
    };
    request.on("data", (chunk: Buffer) => {
      body.set(chunk, offset);
      offset += chunk.length;
      rate.moved(chunk.length);
    });
    request.on("end", () => end(body));
    request.on("error", () => end({ kind: "cancelled" }));
    request.on("close", () => end({ kind: "cancelled" }));
  });
}

/** Answers, then closes the connection, whose rest is not read. */
function refuseSlow(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Connection", "close");
  response.on("finish", () => request.destroy());
  refuse(
    response,
    408,
    "upload_too_slow",
    "The image arrived too slowly; expected at least 64 kB per second.",
  );
}

/** Limits the rate of a job's progress parts, and repeats the last one so that the caller sees a heartbeat. */
class ProgressReporter {
  readonly #send: (progress: CompileProgress) => void;
  readonly #heartbeat: NodeJS.Timeout;
  #last: CompileProgress | null = null;
  #sentAt = 0;

  constructor(send: (progress: CompileProgress) => void) {
    this.#send = send;
    this.#heartbeat = setInterval(() => this.#repeat(), HEARTBEAT_MILLISECONDS);
  }

  report(progress: CompileProgress): void {
    const due = this.#sentAt + PROGRESS_MILLISECONDS;
    const news = progress.stage !== this.#last?.stage;
    this.#last = progress;
    if (news || Date.now() >= due) this.#repeat();
  }

  stop(): void {
    clearInterval(this.#heartbeat);
  }

  #repeat(): void {
    if (!this.#last) return;
    this.#sentAt = Date.now();
    this.#heartbeat.refresh();
    this.#send(this.#last);
  }
}

function problem(status: number, code: string, detail: string) {
  return { type: "about:blank", title: STATUS_CODES[status], status, code, detail };
}

function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  sendJson(response, status, "application/problem+json", problem(status, code, detail));
}

function refuseCaller(response: ServerResponse): void {
  response.setHeader("WWW-Authenticate", "Bearer");
  refuse(response, 401, "unauthorized", "The bearer token is missing or wrong.");
}

function refuseMethod(response: ServerResponse, allow: string): void {
  response.setHeader("Allow", allow);
  refuse(response, 405, "method_not_allowed", `This path allows only ${allow}.`);
}

function sendJson(response: ServerResponse, status: number, type: string, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

/** Returns the ids for the log. */
function idsOf({ headers }: IncomingMessage): Pick<JobLog, "task_id" | "request_id"> {
  const id = (name: string) => {
    const text = headers[name];
    return typeof text === "string" && /^[\w=-]{1,64}$/.test(text) ? text : null;
  };
  return { task_id: id("x-task-id"), request_id: id("x-request-id") };
}

function entry(
  outcome: Outcome<ServedJob> | SlowUpload,
  job: Pick<JobLog, "event" | "task_id" | "request_id" | "bytes" | "max_features">,
  milliseconds: number,
): JobLog {
  const base = { time: new Date().toISOString(), ...job, milliseconds };
  switch (outcome.kind) {
    case "done": {
      const { photo } = outcome;
      const { width, height } = photo;
      const marker = "marker" in photo ? { marker_bytes: photo.marker.length } : {};
      return { ...base, outcome: "ready", width, height, ...marker };
    }
    case "refused":
      return { ...base, outcome: outcome.code, message: outcome.message };
    case "crashed":
      return { ...base, outcome: "compile_crashed", message: outcome.message };
    case "timeout":
      return { ...base, outcome: "compile_timeout" };
    case "slow":
      return { ...base, outcome: "upload_too_slow" };
    case "cancelled":
      return { ...base, outcome: "cancelled" };
  }
}
