import { CompileError } from "../compiler/types.ts";
import type { Bindings, CompileMessage } from "./bindings.ts";
import type { CompileJob, CompileOutcome } from "./compile-service.ts";
import { openStore } from "./content-store.ts";
import { type Delivery, deliver } from "./delivery.ts";
import { type Failure, Refusal } from "./errors.ts";
import * as life from "./marker-life.ts";
import type { Company, Content } from "./schema.ts";
import type { ProgressBody } from "./schemas.ts";

/** What the consumer works with. `compile` is the Node compiler's client. */
export interface Consumer extends Pick<Bindings, "db" | "storage" | "queue" | "settings" | "now"> {
  readonly compile: (
    job: CompileJob,
    onProgress: (progress: ProgressBody) => Promise<boolean>,
  ) => Promise<CompileOutcome>;
}

/** What becomes of a message. */
export type Verdict = { readonly kind: "ack" } | { readonly kind: "retry"; readonly delaySeconds: number };

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
  const claim = await life.claim(db, contentId, generation, settings.nodeLeaseSeconds, now);
  switch (claim.kind) {
    case "settled":
      return ACK;
    case "exhausted":
      await life.exhaust(db, contentId, generation, now);
      return ACK;
    case "wait":
      // Not a retry: waiting for somebody else must not use up the deliveries of this message.
      await postpone(consumer, message, claim.until - now);
      return ACK;
    case "claimed":
      return work(consumer, message, claim.task, claim.lease);
  }
}

/** The queue gave a message up: the compilation fails, unless somebody is at work on it or it is settled. */
export async function bury(
  consumer: Pick<Consumer, "db" | "now">,
  message: CompileMessage,
): Promise<Verdict> {
  await life.exhaust(consumer.db, message.content_id, message.generation, consumer.now());
  return ACK;
}

type Task = (life.Claim & { kind: "claimed" })["task"];

async function work(
  consumer: Consumer,
  message: CompileMessage,
  task: Task,
  lease: life.NewLease,
): Promise<Verdict> {
  const { db, settings } = consumer;
  const store = await openStore(db, task.companyId);
  const found = await store.get(task.contentId);
  if (!found) return ACK;

  const outcome = await compile(consumer, found.content, lease);
  if (outcome.kind === "compiled") {
    const ending = await finish(consumer, store.company, found.content, lease, outcome.delivery);
    if (ending.kind === "delivered") return ACK;
    return settle(ending);
  }
  return settle(outcome);

  async function settle(outcome: Exclude<CompileOutcome, { kind: "compiled" }>): Promise<Verdict> {
    const now = consumer.now();
    switch (outcome.kind) {
      case "unwanted":
        // The lease ran out or was superseded: what is due now is decided afresh.
        return { kind: "retry", delaySeconds: 0 };
      case "fatal":
        await life.fail(db, task.contentId, lease.hash, outcome.failure, now);
        return ACK;
      case "retryable": {
        const backoff = life.backoffSeconds(task.attempts, settings.retryBaseSeconds);
        // A compiler that is full has not tried: it is asked again when it says, and no attempt is spent.
        const busy = outcome.failure.code === "compiler_busy";
        const seconds = busy
          ? Math.min(outcome.retryAfterSeconds ?? BUSY_SECONDS, life.MAX_BACKOFF_SECONDS)
          : Math.max(backoff, Math.min(outcome.retryAfterSeconds ?? 0, life.MAX_BACKOFF_SECONDS));
        const delaySeconds = Math.ceil(seconds);
        const dueAt = now + delaySeconds * 1000;
        await life.retryLater(db, task, lease.hash, outcome.failure, dueAt, !busy, now);
        if (!busy) return { kind: "retry", delaySeconds };
        await postpone(consumer, message, delaySeconds * 1000);
        return ACK;
      }
    }
  }
}

async function compile(consumer: Consumer, content: Content, lease: life.NewLease): Promise<CompileOutcome> {
  const { db, storage, settings } = consumer;
  try {
    const image = await storage.download(content.imagePath);
    if (!image) {
      const message = "The original is no longer in the storage; upload the photo again.";
      return { kind: "fatal", failure: { code: "image_missing", message } };
    }
    return await consumer.compile(
      { image: image.body, imageBytes: image.size, maxFeatures: content.maxFeatures },
      async (progress) => {
        const seconds = settings.nodeLeaseSeconds;
        const now = consumer.now();
        return (await life.extendLease(db, content.id, lease.hash, seconds, progress, now)) !== undefined;
      },
    );
  } catch (error) {
    return unavailable(error);
  }
}

type Ending = Exclude<CompileOutcome, { kind: "compiled" }> | { readonly kind: "delivered" };

async function finish(
  consumer: Consumer,
  company: Company,
  content: Content,
  lease: life.NewLease,
  delivery: Delivery,
): Promise<Ending> {
  try {
    const held = await deliver(consumer, company, content, lease.hash, delivery, consumer.now());
    return held ? { kind: "delivered" } : { kind: "unwanted" };
  } catch (error) {
    if (error instanceof CompileError && error.code === "too_few_features") {
      return { kind: "fatal", failure: { code: error.code, message: error.message } };
    }
    if (error instanceof CompileError || error instanceof Refusal) {
      // Bytes that our own compiler should not have sent: damaged on the way, or of another version.
      const failure = { code: "compiler_error" as const, message: error.message };
      return { kind: "retryable", failure, retryAfterSeconds: null };
    }
    return unavailable(error);
  }
}

function unavailable(error: unknown): CompileOutcome & { kind: "retryable" } {
  console.error("The storage or the database failed during a compilation", error);
  const failure: Failure = {
    code: "storage_unavailable",
    message: "The storage or the database did not answer.",
  };
  return { kind: "retryable", failure, retryAfterSeconds: null };
}

/** Sends the message again for later, as a new one. */
async function postpone(consumer: Consumer, message: CompileMessage, milliseconds: number): Promise<void> {
  const delaySeconds = Math.max(0, Math.ceil(milliseconds / 1000));
  await consumer.queue.send(message, delaySeconds);
  const dueAt = consumer.now() + delaySeconds * 1000;
  await life.expectMessage(consumer.db, message.content_id, message.generation, dueAt);
}
