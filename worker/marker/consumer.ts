import { CompileError } from "../../compiler/types.ts";
import type { Bindings, CompileMessage, Verdict } from "../bindings.ts";
import { openOriginal } from "../content/original.ts";
import { openStore } from "../content/store.ts";
import type { Company, Content } from "../db/tables.ts";
import { type Failure, Refusal, STORAGE_CODES } from "../errors.ts";
import { addLogContext, logEvent, logFailure } from "../log.ts";
import type { ProgressBody } from "../schemas.ts";
import { StorageError } from "../storage/provider.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { announce } from "./announce.ts";
import type { CompileJob, CompileOutcome } from "./compile-service.ts";
import { deliver } from "./delivery.ts";
import * as life from "./life.ts";

/** The dependencies of the queue's consumer. `compile` calls the Node compiler. */
export interface Consumer
  extends Pick<Bindings, "db" | "storages" | "queue" | "webhookQueue" | "settings" | "askForPlace" | "now"> {
  readonly compile: (
    job: CompileJob,
    onProgress: (progress: ProgressBody) => Promise<boolean>,
  ) => Promise<CompileOutcome>;
  readonly pressure: Pressure;
}

/** What an isolate knows of the Node compiler. */
export interface Pressure {
  /**
   * Until then it is busy, and one message is on its way that tries again. The others are acknowledged unread: their
   * compilations wait in the database. 0 once all places are in use again.
   */
  busyUntil: number;
}

const ACK: Verdict = { kind: "ack" };

/** The wait for a busy compiler that sends no Retry-After. */
const BUSY_SECONDS = 5;

/** The largest part of that wait that is added at random, so that isolates do not ask in step. */
const BUSY_JITTER = 0.5;

/** A message may come this early, since queues deliver on whole seconds. */
const EARLY_MILLISECONDS = 1000;

/**
 * Handles a message of the compile queue: if its compilation is due and the Node compiler has a free place, the place
 * goes to the company whose turn it is. A message may be delivered more than once, so every branch is safe to repeat.
 */
export async function consume(consumer: Consumer, message: CompileMessage): Promise<Verdict> {
  const { db, queue, settings } = consumer;
  const { content_id: contentId, generation } = message;
  const now = consumer.now();
  const { pressure } = consumer;
  if (now < pressure.busyUntil - EARLY_MILLISECONDS) return ACK;
  const { nodeLeaseSeconds: leaseSeconds, compilePlaces: places } = settings;
  const claim = await life.claim(db, contentId, { generation, leaseSeconds, places, now });
  switch (claim.kind) {
    case "settled":
      return ACK;
    case "exhausted":
      await failExhausted(consumer, message);
      return ACK;
    case "wait":
      // A new message instead of a retry: waiting for another executor must not use up this one's deliveries.
      await postpone(consumer, message, claim.until - now);
      return ACK;
    case "full":
      // It waits in the database. The attempt that ends next announces the next compilation.
      return ACK;
    case "claimed": {
      const isOwn = claim.task.contentId === contentId;
      // Another place may be free for it.
      if (!isOwn) await announce(queue, { id: contentId, generation }, 0);
      const again = await runAttempt(consumer, claim);
      // A compiler that was busy has no place for the next one either.
      if (!again?.isBusy) await announceNext(consumer);
      if (!again) return ACK;
      if (isOwn && again.counts) return { kind: "retry", delaySeconds: again.delaySeconds };
      const { contentId: content_id, generation: newest } = claim.task;
      await queue.send({ content_id, generation: newest }, again.delaySeconds);
      return ACK;
    }
  }
}

/** Sends the message of the compilation that a free place belongs to. @returns whether there is one */
async function announceNext({ db, queue, settings, now }: Consumer): Promise<boolean> {
  const next = await life.findNext(db, settings.compilePlaces, now());
  if (next) await announce(queue, { id: next.content_id, generation: next.generation }, 0);
  return next !== undefined;
}

/**
 * Handles a message of the dead-letter queue: fails its compilation, unless it is settled or an executor
 * holds it.
 */
export async function deadLetter(consumer: DeadLetterConsumer, message: CompileMessage): Promise<Verdict> {
  await failExhausted(consumer, message);
  return ACK;
}

type DeadLetterConsumer = Pick<Consumer, "db" | "webhookQueue" | "now">;

async function failExhausted(
  consumer: DeadLetterConsumer,
  { content_id: id, generation }: CompileMessage,
): Promise<void> {
  const failed = await life.failExhausted(consumer.db, id, generation, consumer.now());
  if (!failed) return;
  logFailure("A compilation failed: its retries are exhausted", null, { company_id: failed.companyId });
  await enqueueDeliveries(consumer, [id]);
}

type Claimed = life.Claim & { readonly kind: "claimed" };

/** The next look at a compilation. */
interface Again {
  readonly delaySeconds: number;
  /** Whether the queue counts it as a retry. Otherwise it is a new message. */
  readonly counts: boolean;
  readonly isBusy: boolean;
}

/** Makes one attempt with the Node compiler and records how it ended. @returns null when it is settled */
async function runAttempt(consumer: Consumer, { task, lease }: Claimed): Promise<Again | null> {
  const { db, settings } = consumer;
  const { contentId } = task;
  const leaseHash = lease.hash;
  const ids = { taskId: task.id, requestId: crypto.randomUUID() };
  addLogContext({ task_id: ids.taskId, request_id: ids.requestId });
  // Before anything is read for it.
  const refusal = await consumer.askForPlace();
  const outcome = refusal ?? (await compileWithPlace(consumer, task, { leaseHash, ...ids }));
  if (!outcome) return null;
  const ending = isLastTimeout(outcome, task.timeouts) ? tookTooLong(outcome.failure) : outcome;
  const now = consumer.now();
  logEvent("compilation", {
    company_id: task.companyId,
    attempt: task.attempts,
    outcome: ending.kind,
    ...("failure" in ending ? { code: ending.failure.code } : {}),
  });
  switch (ending.kind) {
    case "delivered":
      return null;
    case "unwanted":
      // The lease has expired or the task was superseded: the retry decides anew.
      return { delaySeconds: 0, counts: true, isBusy: false };
    case "fatal":
      if (await life.fail(db, { contentId, leaseHash }, ending.failure, now)) {
        await enqueueDeliveries(consumer, [contentId]);
      }
      return null;
    case "retryable": {
      const { failure } = ending;
      const isBusy = failure.code === "compiler_busy";
      // A compiler that is busy or missing did not try.
      const isAttempt = !isBusy && failure.code !== "compiler_missing";
      const wanted = isAttempt
        ? Math.max(
            life.backoffSeconds(task.attempts, settings.retryBaseSeconds),
            ending.retryAfterSeconds ?? 0,
          )
        : (ending.retryAfterSeconds ?? BUSY_SECONDS) * (1 + BUSY_JITTER * Math.random());
      const delaySeconds = Math.ceil(Math.min(wanted, life.MAX_BACKOFF_SECONDS));
      const dueAt = now + delaySeconds * 1000;
      await life.retryLater(db, task, { leaseHash, failure, dueAt, isAttempt, now });
      if (isBusy) consumer.pressure.busyUntil = dueAt;
      return { delaySeconds, counts: isAttempt, isBusy };
    }
  }
}

/** Compiles a photo at a place that the compiler has. @returns null when the photo is gone */
async function compileWithPlace(consumer: Consumer, task: Claimed["task"], attempt: AttemptIds) {
  const { db, pressure } = consumer;
  // After the compiler was busy, messages that were acknowledged unread are missing for the other places.
  if (pressure.busyUntil > 0 && !(await announceNext(consumer))) pressure.busyUntil = 0;
  const store = await openStore(db, task.companyId);
  const found = await store.get(task.contentId);
  return found ? compileAndDeliver(consumer, store.company, found.content, attempt) : null;
}

interface AttemptIds {
  readonly leaseHash: string;
  readonly taskId: string;
  readonly requestId: string;
}

/** Returns whether the photo took too long as often as it may. */
function isLastTimeout(outcome: Ending, before: number): outcome is Ending & { kind: "retryable" } {
  const isTimeout = outcome.kind === "retryable" && outcome.failure.code === "compile_timeout";
  return isTimeout && before + 1 >= life.MAX_TIMEOUTS;
}

function tookTooLong({ code, message }: Failure): Ending {
  const detail = `The compilation took too long ${life.MAX_TIMEOUTS} times and was not tried again. Last error: ${message}`;
  return { kind: "fatal", failure: { code, message: detail } };
}

type Ending = Exclude<CompileOutcome, { kind: "compiled" }> | { readonly kind: "delivered" };

/** Compiles the original and delivers the marker. */
async function compileAndDeliver(
  consumer: Consumer,
  company: Company,
  content: Content,
  { leaseHash, ...ids }: AttemptIds,
): Promise<Ending> {
  const { db, settings } = consumer;
  const report = async (progress: ProgressBody) => {
    const extension = { seconds: settings.nodeLeaseSeconds, progress, now: consumer.now() };
    return (await life.extendLease(db, { contentId: content.id, leaseHash }, extension)) !== undefined;
  };
  try {
    const image = await openOriginal(consumer, company, content);
    if (!image) {
      const message = "The original photo is missing from the storage. Upload it again.";
      return { kind: "fatal", failure: { code: "image_missing", message } };
    }
    const { body, size: imageBytes } = image;
    const job = { ...ids, image: body, imageBytes, maxFeatures: content.maxFeatures };
    const outcome = await consumer.compile(job, report);
    if (outcome.kind !== "compiled") return outcome;
    const { delivery } = outcome;
    const held = await deliver(consumer, { company, content, leaseHash, delivery, now: consumer.now() });
    return { kind: held ? "delivered" : "unwanted" };
  } catch (error) {
    return refused(error) ?? unavailable(error);
  }
}

/** Returns the outcome of a delivery that was refused; null for other errors. */
function refused(error: unknown): Ending | null {
  if (!(error instanceof CompileError || error instanceof Refusal)) return null;
  const { code, message } = error;
  if (code === "too_few_features") return { kind: "fatal", failure: { code, message } };
  // The Node compiler sends no such markers: this one was damaged on the way, or is of another version.
  return { kind: "retryable", failure: { code: "compiler_error", message }, retryAfterSeconds: null };
}

function unavailable(error: unknown): Ending {
  logFailure("The storage or the database failed during a compilation", error);
  const failure: Failure =
    error instanceof StorageError
      ? { code: STORAGE_CODES[error.code], message: error.message }
      : { code: "storage_unavailable", message: "The storage or the database did not respond." };
  return { kind: "retryable", failure, retryAfterSeconds: null };
}

/** Sends the message again, as a new one with a delay. */
async function postpone(consumer: Consumer, message: CompileMessage, milliseconds: number): Promise<void> {
  const delaySeconds = Math.max(0, Math.ceil(milliseconds / 1000));
  await consumer.queue.send(message, delaySeconds);
  const dueAt = consumer.now() + delaySeconds * 1000;
  await life.expectMessage(consumer.db, message.content_id, message.generation, dueAt);
}
