import type { Bindings, CompileMessage, StorageMessage, Verdict, WebhookMessage } from "./bindings.ts";
import { logFailure, withLogContext } from "./log.ts";
import { type Consumer, consume, deadLetter } from "./marker/consumer.ts";
import { Patience, withPatience } from "./storage/patience.ts";
import { takeTurn } from "./storage-migration/turn.ts";
import { deadLetterDelivery, deliverWebhook } from "./webhooks/deliver.ts";

/** A message as the platform's queues deliver it. */
interface QueuedMessage {
  readonly body: CompileMessage | StorageMessage | WebhookMessage;
  ack(): void;
  retry(options: { readonly delaySeconds: number }): void;
}

/**
 * Hands every message of a batch to its consumer, all at once: messages are independent, and one compilation
 * takes minutes. A message whose consumer throws is retried.
 *
 * @param isDead whether the batch comes from a dead-letter queue
 */
export async function dispatch(
  services: Bindings & Consumer,
  messages: readonly QueuedMessage[],
  isDead: boolean,
): Promise<void> {
  await Promise.all(
    messages.map((message) =>
      withLogContext({ message: message.body }, async () => {
        try {
          const verdict = await withPatience(new Patience(), () => verdictOn(services, message.body, isDead));
          if (verdict.kind === "ack") message.ack();
          else message.retry({ delaySeconds: verdict.delaySeconds });
        } catch (error) {
          logFailure("A message could not be handled", error);
          message.retry({ delaySeconds: Math.ceil(services.settings.retryBaseSeconds) });
        }
      }),
    ),
  );
}

async function verdictOn(
  services: Bindings & Consumer,
  message: QueuedMessage["body"],
  isDead: boolean,
): Promise<Verdict> {
  if ("migration_id" in message) {
    await takeTurn(services);
    return { kind: "ack" };
  }
  if ("delivery_id" in message) return (isDead ? deadLetterDelivery : deliverWebhook)(services, message);
  const verdict = await (isDead ? deadLetter : consume)(services, message);
  services.publicCache.forget(message.content_id, services.now());
  return verdict;
}
