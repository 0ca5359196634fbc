import { ApiError, type ArContent, type Lease, type Submission } from "../../../client/client.ts";
import { CompileError, type CompileOptions, type CompileProgress } from "../../../compiler/types.ts";
import type { CompiledPhoto } from "../../compile/protocol.ts";
import { CompileCrash, type CompileRun } from "../../compile/run.ts";
import type { Slots } from "../../compile/slots.ts";
import type * as api from "../api/content.ts";
import { hasCode, messageOf, retryTimeOf, Unreachable } from "../api/errors.ts";
import { t } from "../language.ts";
import { startHeartbeat } from "./heartbeat.ts";

/** The progress of a running job. The upload and the compilation run at the same time. */
export interface JobProgress {
  /** The fraction of the photo that has been sent, 0 to 1; null if there is nothing to send. */
  readonly sent: number | null;
  /** Null while the job waits for a free compile worker. */
  readonly compile: CompileProgress | null;
  readonly delivering: boolean;
  /** When the job continues after a rate limit, in milliseconds of the epoch; null if it is not limited. */
  readonly pausedUntil: number | null;
}

/** Returns the progress of a job that starts. */
export function firstProgress(sent: 0 | null): JobProgress {
  return { sent, compile: null, delivering: false, pausedUntil: null };
}

/**
 * How a job ended. `handed_over`: this browser could not finish; the server's compiler does. Nothing is lost.
 * `refused`: the photo or its marker cannot be used; a retry does not help. `retryable`: nothing was stored; a retry
 * may succeed.
 */
export type Outcome =
  | { readonly kind: "ready"; readonly content: ArContent; readonly reused: boolean }
  | { readonly kind: "handed_over"; readonly content: ArContent; readonly reason: string }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "retryable"; readonly message: string }
  | { readonly kind: "cancelled" };

/** The dependencies of a job: the API, the compile worker, and a queue in front of each. */
export interface JobDependencies {
  readonly api: Pick<
    typeof api,
    "reportProgress" | "releaseLease" | "deliverMarker" | "deleteContent" | "downloadPhoto"
  > & {
    readonly submitPhoto: (photo: Omit<api.PhotoUpload, "projectId">) => Promise<Submission>;
  };
  /** Default number of points of new photos, as far as this tab knows; null: all. */
  readonly maxFeatures: number | null;
  readonly compile: (photo: Blob, options: CompileOptions, run: CompileRun) => Promise<CompiledPhoto>;
  readonly sending: Slots;
  readonly compiling: Slots;
  /** Waits before the nth retry of a delivery. */
  readonly pause: (retry: number) => Promise<void>;
  /** Waits until a time in milliseconds of the epoch. */
  readonly until: (time: number, signal: AbortSignal) => Promise<void>;
}

export interface JobContext {
  readonly deps: JobDependencies;
  readonly onProgress: (progress: JobProgress) => void;
  /** The photo is stored: closing this tab no longer loses it. */
  readonly onStored?: (content: ArContent) => void;
  /** The lease that this job holds; null: it holds none any more. */
  readonly onLease?: (lease: Lease | null) => void;
  /** Cancels the job. */
  readonly signal: AbortSignal;
}

/** A job that runs: its context, and its progress so far. */
interface Run extends JobContext {
  readonly advance: (step: Partial<JobProgress>) => void;
}

function startRun(context: JobContext, sent: 0 | null): Run {
  let progress = firstProgress(sent);
  return {
    ...context,
    advance: (step) => context.onProgress((progress = { ...progress, ...step })),
  };
}

/** After this many retries without an answer, the server's compiler takes over. */
const DELIVERY_RETRIES = 3;

/**
 * Uploads a new photo and compiles it at the same time, then delivers the marker under the lease of the submission.
 * Leaves nothing stored if the photo is refused or the job is cancelled. Expected failures are outcomes, not
 * exceptions.
 */
export async function uploadPhoto(
  { photo, details }: Pick<api.PhotoUpload, "photo" | "details">,
  context: JobContext,
): Promise<Outcome> {
  const run = startRun(context, 0);
  const { deps, signal, advance } = run;

  const stopSending = new AbortController();
  const begin = (maxFeatures: number | null) => {
    const compilation = startCompiling(photo, maxFeatures, run);
    compilation.onProgress = (compile) => advance({ compile });
    return compilation;
  };
  let compilation = begin(deps.maxFeatures);
  compilation.result.catch((error) => {
    if (error instanceof CompileError) stopSending.abort(error);
  });

  let submission: Submission;
  try {
    const sendSignal = AbortSignal.any([signal, stopSending.signal]);
    const onSent = (sent: number) => advance({ sent });
    const submit = () => deps.api.submitPhoto({ photo, details, onSent, signal: sendSignal });
    // A job that waits for the rate limit keeps its slot: the others would be refused too.
    submission = await deps.sending.run(
      () => afterRateLimits(submit, { ...run, signal: sendSignal }),
      sendSignal,
    );
  } catch (error) {
    compilation.stop(error);
    return failureOf(error, signal);
  }
  context.onStored?.(submission.content);
  const { max_features: maxFeatures } = submission.content;
  if (submission.lease && maxFeatures !== deps.maxFeatures) {
    // The project was changed in between: this compilation has the wrong number of points.
    compilation.stop();
    compilation = begin(maxFeatures);
  }
  return finish(
    {
      submission,
      compilation,
      undo: () => deps.api.deleteContent(submission.content.id, { keepFiles: false }),
    },
    run,
  );
}

export interface StoredPhoto {
  readonly content: ArContent;
  readonly maxFeatures: number | null;
  /** Takes the lease of the compilation. */
  readonly take: () => Promise<LeasedPhoto>;
}

type LeasedPhoto = Pick<Submission, "content" | "lease" | "reused">;

/**
 * Compiles a stored photo in this browser. If it is refused, cancelled or crashes, the lease is given up and the
 * server's compiler decides.
 */
export async function compileStored(
  { content, maxFeatures, take }: StoredPhoto,
  context: JobContext,
): Promise<Outcome> {
  const run = startRun(context, null);
  const { deps, signal, advance } = run;
  let submission: LeasedPhoto;
  let compilation: Compilation;
  try {
    const photo = await deps.api.downloadPhoto(content, signal);
    submission = await afterRateLimits(take, run);
    compilation = startCompiling(photo, maxFeatures, run);
  } catch (error) {
    return failureOf(error, signal);
  }
  compilation.onProgress = (compile) => advance({ compile });
  context.onStored?.(submission.content);
  return finish({ submission, compilation, undo: null }, run);
}

/** Replaces the photo of a content and compiles the new one here. If that fails, the server's compiler decides. */
export async function replacePhoto(
  photo: File,
  {
    maxFeatures,
    send,
  }: {
    readonly maxFeatures: number | null;
    readonly send: (progress: Pick<api.PhotoUpload, "onSent" | "signal">) => Promise<Submission>;
  },
  context: JobContext,
): Promise<Outcome> {
  const run = startRun(context, 0);
  const { deps, signal, advance } = run;
  const onSent = (sent: number) => advance({ sent });
  let submission: Submission;
  try {
    submission = await deps.sending.run(() => afterRateLimits(() => send({ onSent, signal }), run), signal);
  } catch (error) {
    return failureOf(error, signal);
  }
  const compilation = startCompiling(photo, maxFeatures, run);
  compilation.onProgress = (compile) => advance({ compile });
  context.onStored?.(submission.content);
  return finish({ submission, compilation, undo: null }, run);
}

interface Compilation {
  readonly result: Promise<CompiledPhoto>;
  /** The newest progress, for a listener that is added later. */
  latest: CompileProgress | null;
  onProgress: (progress: CompileProgress) => void;
  readonly stop: (reason?: unknown) => void;
}

function startCompiling(photo: Blob, maxFeatures: number | null, { deps, signal }: JobContext): Compilation {
  const stopping = new AbortController();
  const anySignal = AbortSignal.any([signal, stopping.signal]);
  const report = (progress: CompileProgress) => {
    compilation.latest = progress;
    compilation.onProgress(progress);
  };
  const options = { maxFeatures: maxFeatures ?? undefined };
  const compile = () => deps.compile(photo, options, { onProgress: report, signal: anySignal });
  const result = deps.compiling.run(compile, anySignal);
  const compilation: Compilation = {
    result,
    latest: null,
    onProgress: () => {},
    stop: (reason) => stopping.abort(reason),
  };
  // A failure is handled where the result is awaited, which may be after the submission.
  result.catch(() => {});
  return compilation;
}

interface Ending {
  readonly submission: LeasedPhoto;
  readonly compilation: Compilation;
  /** Removes what a refused or cancelled job has stored; null: it stays. */
  readonly undo: (() => Promise<void>) | null;
}

/** Takes a job from its lease to its end. */
async function finish({ submission, compilation, undo }: Ending, run: Run): Promise<Outcome> {
  const { content, lease, reused } = submission;
  const { deps, signal, advance } = run;
  // The removal waits as long as the rate limit asks, even though the job is cancelled.
  const unstoppable = { ...run, signal: new AbortController().signal };
  const remove = undo && (() => afterRateLimits(undo, unstoppable).catch(() => {}));
  if (!lease) {
    compilation.stop();
    if (signal.aborted && remove) {
      await remove();
      return { kind: "cancelled" };
    }
    if (content.marker_status === "ready") return { kind: "ready", content, reused };
    return { kind: "handed_over", content, reason: t.upload.serverCompiles };
  }

  run.onLease?.(lease);
  const report = (progress: CompileProgress) => deps.api.reportProgress(content.id, lease, progress);
  const heartbeat = startHeartbeat(report, (lost) => compilation.stop(lost));
  const showProgress = compilation.onProgress;
  compilation.onProgress = (progress) => {
    showProgress(progress);
    heartbeat.beat(progress);
  };
  if (compilation.latest) heartbeat.beat(compilation.latest);

  try {
    const photo = await compilation.result;
    signal.throwIfAborted();
    advance({ delivering: true });
    const deliver = () => deps.api.deliverMarker(content.id, lease, photo);
    const delivered = await retried(() => afterRateLimits(deliver, run), deps.pause);
    if (undo) signal.throwIfAborted();
    return { kind: "ready", content: delivered, reused: false };
  } catch (error) {
    if (hasCode(error, "lease_lost")) {
      return { kind: "handed_over", content, reason: t.upload.otherCompiler };
    }
    const isFinal = error instanceof CompileError || signal.aborted;
    if (isFinal && remove) await remove();
    else await deps.api.releaseLease(content.id, lease).catch(() => {});
    if (error instanceof CompileCrash) {
      return { kind: "handed_over", content, reason: t.upload.cannotCompile(error.message) };
    }
    if (!isFinal && isTransient(error)) {
      return { kind: "handed_over", content, reason: t.upload.cannotDeliver };
    }
    return failureOf(error, signal);
  } finally {
    heartbeat.stop();
    run.onLease?.(null);
  }
}

async function retried<T>(work: () => Promise<T>, pause: (retry: number) => Promise<void>): Promise<T> {
  for (let retry = 1; ; retry++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unreachable) || retry > DELIVERY_RETRIES) throw error;
      await pause(retry);
    }
  }
}

/** Repeats a call for as long as a rate limit refuses it. */
async function afterRateLimits<T>(work: () => Promise<T>, { deps, advance, signal }: Run): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const retryAt = error instanceof ApiError ? retryTimeOf(error) : null;
      if (retryAt === null) throw error;
      advance({ pausedUntil: retryAt });
      await deps.until(retryAt, signal);
      advance({ pausedUntil: null });
    }
  }
}

/** Returns the outcome of a failed job. Rethrows an unexpected error, which is a bug. */
function failureOf(error: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { kind: "cancelled" };
  if (error instanceof CompileError) return { kind: "refused", message: error.message };
  if (isTransient(error) || hasCode(error, "quota_exceeded")) {
    return { kind: "retryable", message: messageOf(error) };
  }
  if (error instanceof ApiError) return { kind: "refused", message: messageOf(error) };
  throw error;
}

/** Returns whether the same call may succeed later. */
function isTransient(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return error.status >= 500 || error.status === 429 || error.code === "upload_interrupted";
}
