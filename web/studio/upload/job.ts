import { CompileError, type CompileOptions, type CompileProgress } from "../../../compiler/types.ts";
import type { ArContent, Submission } from "../../../worker/schemas.ts";
import type { CompiledPhoto } from "../../compile/protocol.ts";
import { CompileCrash } from "../../compile/run.ts";
import type { Slots } from "../../compile/slots.ts";
import type * as api from "../api/client.ts";
import { ApiError, messageOf, Unreachable } from "../api/client.ts";
import { startHeartbeat } from "./heartbeat.ts";

/** What a running job has reached. Sending and compiling go on at the same time. */
export interface JobProgress {
  /** Fraction of the original that has left, 0 to 1; null when there is nothing to send. */
  readonly sent: number | null;
  /** Null while it waits for a free compile worker. */
  readonly compile: CompileProgress | null;
  readonly delivering: boolean;
  /** Too much was asked of the API: when this goes on by itself, milliseconds of the epoch. Else null. */
  readonly heldUntil: number | null;
}

/** What a job begins with. */
export function firstProgress(sent: 0 | null): JobProgress {
  return { sent, compile: null, delivering: false, heldUntil: null };
}

/**
 * How a job ended. `handed_over`: this browser could not finish, the server's compiler does; nothing is
 * lost. `refused`: the photo (or its marker) cannot be used, retrying will not help. `put_off`: never
 * stored; may be tried again.
 */
export type Outcome =
  | { readonly kind: "ready"; readonly content: ArContent; readonly reused: boolean }
  | { readonly kind: "handed_over"; readonly content: ArContent; readonly reason: string }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "put_off"; readonly message: string }
  | { readonly kind: "cancelled" };

/** The world of a job: the API, the compile worker, and the two queues in front of them. */
export interface Desk {
  readonly api: Pick<
    typeof api,
    "reportProgress" | "releaseLease" | "deliverMarker" | "deleteContent" | "download"
  > & {
    readonly submitPhoto: (
      photo: File,
      title: string,
      onSent: (fraction: number) => void,
      signal: AbortSignal,
    ) => Promise<Submission>;
  };
  /** How many points new photos keep by default, as far as this tab knows; null: all. */
  readonly maxFeatures: number | null;
  readonly compile: (
    photo: Blob,
    options: CompileOptions,
    onProgress: (progress: CompileProgress) => void,
    signal: AbortSignal,
  ) => Promise<CompiledPhoto>;
  readonly sending: Slots;
  readonly compiling: Slots;
  /** Waits before a delivery's nth repetition. */
  readonly pause: (repetition: number) => Promise<void>;
  /** Waits until a time, milliseconds of the epoch. */
  readonly until: (time: number, signal: AbortSignal) => Promise<void>;
}

interface Watch {
  onProgress(progress: JobProgress): void;
  /** The original is stored: from here on the photo survives this tab. */
  onStored?(content: ArContent): void;
}

/** A delivery that got no answer is repeated this often before the server's compiler is left to do it. */
const DELIVERY_REPETITIONS = 3;

/**
 * One new photo: the original is sent while it compiles; then the marker is delivered under the lease that
 * the submission brought. A refused or cancelled photo leaves nothing stored. Never rejects for an expected
 * reason: every ending is an Outcome.
 */
export async function uploadPhoto(
  photo: File,
  title: string,
  desk: Desk,
  watch: Watch,
  signal: AbortSignal,
): Promise<Outcome> {
  let progress = firstProgress(0);
  const advance = (step: Partial<JobProgress>) => watch.onProgress((progress = { ...progress, ...step }));

  const stopSending = new AbortController();
  const begin = (maxFeatures: number | null) => {
    const stop = new AbortController();
    const options = { maxFeatures: maxFeatures ?? undefined };
    const compiled = startCompiling(photo, options, desk, AbortSignal.any([signal, stop.signal]));
    compiled.onProgress = (compile) => advance({ compile });
    return { stop, compiled };
  };
  let compiling = begin(desk.maxFeatures);
  compiling.compiled.result.catch((error) => {
    if (error instanceof CompileError) stopSending.abort(error);
  });

  let submission: Submission;
  try {
    const sendSignal = AbortSignal.any([signal, stopSending.signal]);
    const submit = () => desk.api.submitPhoto(photo, title, (sent) => advance({ sent }), sendSignal);
    // Whoever waits keeps its place: the others would be refused too.
    submission = await desk.sending.run(() => patient(submit, desk, advance, sendSignal), sendSignal);
  } catch (error) {
    compiling.stop.abort(error);
    return ending(error, signal);
  }
  watch.onStored?.(submission.content);
  const { max_features: maxFeatures } = submission.content;
  if (submission.lease && maxFeatures !== desk.maxFeatures) {
    // Somebody has changed the project meanwhile: what was begun is another marker than the one asked for.
    compiling.stop.abort();
    compiling = begin(maxFeatures);
  }
  const removed = () => desk.api.deleteContent(submission.content.id);
  return finish(submission, compiling.compiled, compiling.stop, desk, advance, removed, signal);
}

/**
 * Compiles a photo that is stored already, in this browser. `take` gets the lease for it. When it is
 * refused, cancelled or crashes here, the lease goes back and the server's compiler has the last word.
 */
export async function compileStored(
  content: ArContent,
  maxFeatures: number | null,
  take: () => Promise<Pick<Submission, "content" | "lease" | "reused">>,
  desk: Desk,
  watch: Watch,
  signal: AbortSignal,
): Promise<Outcome> {
  let progress = firstProgress(null);
  const advance = (step: Partial<JobProgress>) => watch.onProgress((progress = { ...progress, ...step }));

  const stopCompiling = new AbortController();
  const compileSignal = AbortSignal.any([signal, stopCompiling.signal]);
  let submission: Awaited<ReturnType<typeof take>>;
  let compiled: Compiling;
  try {
    const photo = await desk.api.download(content.image_url, signal);
    submission = await patient(take, desk, advance, signal);
    compiled = startCompiling(photo, { maxFeatures: maxFeatures ?? undefined }, desk, compileSignal);
  } catch (error) {
    return ending(error, signal);
  }
  compiled.onProgress = (compile) => advance({ compile });
  watch.onStored?.(submission.content);
  return finish(submission, compiled, stopCompiling, desk, advance, null, signal);
}

interface Compiling {
  readonly result: Promise<CompiledPhoto>;
  /** The newest progress, for a listener that comes later. */
  latest: CompileProgress | null;
  onProgress: (progress: CompileProgress) => void;
}

function startCompiling(photo: Blob, options: CompileOptions, desk: Desk, signal: AbortSignal): Compiling {
  const report = (progress: CompileProgress) => {
    compiling.latest = progress;
    compiling.onProgress(progress);
  };
  const result = desk.compiling.run(() => desk.compile(photo, options, report, signal), signal);
  const compiling: Compiling = { result, latest: null, onProgress: () => {} };
  // Its failure is handled where it is awaited, which may be after the submission.
  result.catch(() => {});
  return compiling;
}

/** From the lease to the end. `undo` removes what a refused or cancelled job stored; null keeps it. */
async function finish(
  { content, lease, reused }: Pick<Submission, "content" | "lease" | "reused">,
  compiled: Compiling,
  stopCompiling: AbortController,
  desk: Desk,
  advance: (step: Partial<JobProgress>) => void,
  undo: (() => Promise<void>) | null,
  signal: AbortSignal,
): Promise<Outcome> {
  // Of what is removed nothing comes back, however long that takes.
  const remove = undo && (() => patient(undo, desk, advance, new AbortController().signal).catch(() => {}));
  if (!lease) {
    stopCompiling.abort();
    if (signal.aborted && remove) {
      await remove();
      return { kind: "cancelled" };
    }
    if (content.marker_status === "ready") return { kind: "ready", content, reused };
    return { kind: "handed_over", content, reason: "The server compiles this photo." };
  }

  const report = (progress: CompileProgress) => desk.api.reportProgress(content.id, lease, progress);
  const heartbeat = startHeartbeat(report, (lost) => stopCompiling.abort(lost));
  const showProgress = compiled.onProgress;
  compiled.onProgress = (progress) => {
    showProgress(progress);
    heartbeat.beat(progress);
  };
  if (compiled.latest) heartbeat.beat(compiled.latest);

  try {
    const photo = await compiled.result;
    signal.throwIfAborted();
    advance({ delivering: true });
    const deliver = () => desk.api.deliverMarker(content.id, lease, photo);
    const delivered = await repeated(() => patient(deliver, desk, advance, signal), desk.pause);
    if (undo) signal.throwIfAborted();
    return { kind: "ready", content: delivered, reused: false };
  } catch (error) {
    if (error instanceof ApiError && error.code === "lease_lost") {
      return { kind: "handed_over", content, reason: "Another compiler took this photo over meanwhile." };
    }
    const final = error instanceof CompileError || signal.aborted;
    if (final && remove) await remove();
    else await desk.api.releaseLease(content.id, lease).catch(() => {});
    if (error instanceof CompileCrash) {
      const reason = `This browser could not compile it (${error.message}). The server took over.`;
      return { kind: "handed_over", content, reason };
    }
    if (!final && isPassing(error)) {
      const reason = "The marker could not be delivered. The server compiles the photo instead.";
      return { kind: "handed_over", content, reason };
    }
    return ending(error, signal);
  } finally {
    heartbeat.stop();
  }
}

async function repeated<T>(work: () => Promise<T>, pause: (repetition: number) => Promise<void>): Promise<T> {
  for (let repetition = 1; ; repetition++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unreachable) || repetition > DELIVERY_REPETITIONS) throw error;
      await pause(repetition);
    }
  }
}

/** Does it, again and again for as long as it is refused because too much was asked at once. */
async function patient<T>(
  work: () => Promise<T>,
  desk: Pick<Desk, "until">,
  advance: (step: Pick<JobProgress, "heldUntil">) => void,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAt === null) throw error;
      advance({ heldUntil: error.retryAt });
      await desk.until(error.retryAt, signal);
      advance({ heldUntil: null });
    }
  }
}

/** The outcome that an error stands for; anything unexpected is a bug and is thrown on. */
function ending(error: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { kind: "cancelled" };
  if (error instanceof CompileError) return { kind: "refused", message: error.message };
  const mayBeTriedAgain = isPassing(error) || (error instanceof ApiError && error.code === "quota_exceeded");
  if (mayBeTriedAgain) return { kind: "put_off", message: messageOf(error) };
  if (error instanceof ApiError) return { kind: "refused", message: error.message };
  throw error;
}

/** Whether the same may succeed a while later, by itself. */
function isPassing(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return error.status >= 500 || error.status === 429 || error.code === "upload_interrupted";
}
