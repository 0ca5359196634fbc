import { CompileError } from "../../compiler/types.ts";
import type { Bindings, CompileMessage, Verdict } from "../bindings.ts";
import { isSamePlace, placeOf } from "../content/files.ts";
import { ContentStore, openStore } from "../content/store.ts";
import type { Company, Content } from "../db/tables.ts";
import { type Failure, Refusal, STORAGE_CODES } from "../errors.ts";
import { logEvent, logFailure } from "../log.ts";
import type { ProgressBody } from "../schemas.ts";
import { StorageError } from "../storage/provider.ts";
import { announceEvents } from "../webhooks/deliveries.ts";
import type { CompileJob, CompileOutcome } from "./compile-service.ts";
import { deliver } from "./delivery.ts";
import * as life from "./life.ts";

/** What the consumer works with. `compile` is the Node compiler's client. */
export interface Consumer
  extends Pick<Bindings, "db" | "storages" | "queue" | "webhookQueue" | "settings" | "now"> {
  readonly compile: (
    job: CompileJob,
    onProgress: (progress: ProgressBody) => Promise<boolean>,
  ) => Promise<CompileOutcome>;
}

const ACK: Verdict = { kind: "ack" };

/** A busy compiler that does not say when to come again. */
const BUSY_SECONDS = 5;

/**
 * A message fired: does for its compilation what the table of the design says. Delivery is at least once,
 * so every branch is safe to take twice.
 */
export async function consume(consumer: Consumer, message: CompileMessage): Promise<Verdict> {
  const { db, settings } = consumer;
  const { content_id: contentId, generation } = message;
  const now = consumer.now();
  const leaseSeconds = settings.nodeLeaseSeconds;
  const claim = await life.claim(db, contentId, { generation, leaseSeconds, now });
  switch (claim.kind) {
    case "settled":
      return ACK;
    case "exhausted":
      await exhaust(consumer, message);
      return ACK;
    case "wait":
      // Not a retry: waiting for somebody else must not use up the deliveries of this message.
      await postpone(consumer, message, claim.until - now);
      return ACK;
    case "claimed":
      return work(consumer, message, claim);
  }
}

/** The queue gave a message up: the compilation fails, unless somebody is at work on it or it is settled. */
export async function deadLetter(consumer: Exhausting, message: CompileMessage): Promise<Verdict> {
  await exhaust(consumer, message);
  return ACK;
}

type Exhausting = Pick<Consumer, "db" | "webhookQueue" | "now">;

async function exhaust(consumer: Exhausting, { content_id: id, generation }: CompileMessage): Promise<void> {
  const failed = await life.failExhausted(consumer.db, id, generation, consumer.now());
  if (!failed) return;
  logFailure("A compilation was given up", null, { company_id: failed.companyId });
  await announceEvents(consumer, [id]);
}

type Claimed = life.Claim & { readonly kind: "claimed" };

/** One attempt of the Node compiler, and what follows from its ending. */
async function work(consumer: Consumer, message: CompileMessage, { task, lease }: Claimed): Promise<Verdict> {
  const { db, settings } = consumer;
  const { contentId } = task;
  const leaseHash = lease.hash;
  const store = await openStore(db, task.companyId);
  const found = await store.get(contentId);
  if (!found) return ACK;

  const ending = await attempt(consumer, store.company, found.content, leaseHash);
  const now = consumer.now();
  logEvent("compilation", {
    company_id: task.companyId,
    attempt: task.attempts,
    outcome: ending.kind,
    ...("failure" in ending ? { code: ending.failure.code } : {}),
  });
  switch (ending.kind) {
    case "delivered":
      return ACK;
    case "unwanted":
      // The lease ran out or the task was superseded: what is due now is decided afresh.
      return { kind: "retry", delaySeconds: 0 };
    case "fatal":
      if (await life.fail(db, { contentId, leaseHash }, ending.failure, now)) {
        await announceEvents(consumer, [contentId]);
      }
      return ACK;
    case "retryable": {
      // A compiler that is full has not tried: it is asked again when it says, and no attempt is spent.
      const busy = ending.failure.code === "compiler_busy";
      const backoff = busy ? BUSY_SECONDS : life.backoffSeconds(task.attempts, settings.retryBaseSeconds);
      const wanted = busy
        ? (ending.retryAfterSeconds ?? backoff)
        : Math.max(backoff, ending.retryAfterSeconds ?? 0);
      const delaySeconds = Math.ceil(Math.min(wanted, life.MAX_BACKOFF_SECONDS));
      const dueAt = now + delaySeconds * 1000;
      const { failure } = ending;
      await life.retryLater(db, task, { leaseHash, failure, dueAt, isAttempt: !busy, now });
      if (!busy) return { kind: "retry", delaySeconds };
      await consumer.queue.send(message, delaySeconds);
      return ACK;
    }
  }
}

type Ending = Exclude<CompileOutcome, { kind: "compiled" }> | { readonly kind: "delivered" };

/** Has the original compiled, and delivers the marker. */
async function attempt(
  consumer: Consumer,
  company: Company,
  content: Content,
  leaseHash: string,
): Promise<Ending> {
  const { db, settings } = consumer;
  const report = async (progress: ProgressBody) => {
    const extension = { seconds: settings.nodeLeaseSeconds, progress, now: consumer.now() };
    return (await life.extendLease(db, { contentId: content.id, leaseHash }, extension)) !== undefined;
  };
  try {
    const image = await openImage(consumer, company, content);
    if (!image) {
      const message = "The original is no longer in the storage; upload the photo again.";
      return { kind: "fatal", failure: { code: "image_missing", message } };
    }
    const job = { image: image.body, imageBytes: image.size, maxFeatures: content.maxFeatures };
    const outcome = await consumer.compile(job, report);
    if (outcome.kind !== "compiled") return outcome;
    const { delivery } = outcome;
    const held = await deliver(consumer, { company, content, leaseHash, delivery, now: consumer.now() });
    return { kind: held ? "delivered" : "unwanted" };
  } catch (error) {
    return refused(error) ?? unavailable(error);
  }
}

/** The original, wherever it is by now; null when it is gone. */
async function openImage({ db, storages }: Consumer, company: Company, content: Content) {
  const open = async ({ imageStorageId, imagePath }: Content) =>
    (await storages.open(imageStorageId)).download(imagePath);
  const image = await open(content);
  if (image) return image;
  const current = (await new ContentStore(db, company, null).get(content.id))?.content;
  const moved = current && !isSamePlace(placeOf(current, "image"), placeOf(content, "image"));
  return moved ? open(current) : null;
}

/** What a delivery of our own compiler was refused for. */
function refused(error: unknown): Ending | null {
  if (!(error instanceof CompileError || error instanceof Refusal)) return null;
  const { code, message } = error;
  if (code === "too_few_features") return { kind: "fatal", failure: { code, message } };
  // Any other bytes it should not have sent: damaged on the way, or of another version.
  return { kind: "retryable", failure: { code: "compiler_error", message }, retryAfterSeconds: null };
}

function unavailable(error: unknown): Ending {
  logFailure("The storage or the database failed during a compilation", error);
  const failure: Failure =
    error instanceof StorageError
      ? { code: STORAGE_CODES[error.code], message: error.message }
      : { code: "storage_unavailable", message: "The storage or the database did not answer." };
  return { kind: "retryable", failure, retryAfterSeconds: null };
}

/** Sends the message again for later, as a new one. */
async function postpone(consumer: Consumer, message: CompileMessage, milliseconds: number): Promise<void> {
  const delaySeconds = Math.max(0, Math.ceil(milliseconds / 1000));
  await consumer.queue.send(message, delaySeconds);
  const dueAt = consumer.now() + delaySeconds * 1000;
  await life.expectMessage(consumer.db, message.content_id, message.generation, dueAt);
}
