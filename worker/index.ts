import { app } from "./app.ts";
import type { CompileMessage, StorageMessage, WebhookMessage } from "./bindings.ts";
import { connect, type Env, publicCache } from "./connect.ts";
import { during, logFailure } from "./log.ts";
import { consume, deadLetter } from "./marker/consumer.ts";
import { takeTurn } from "./storage-migration/turn.ts";
import { sweep } from "./sweep.ts";
import { deadLetterDelivery, deliverWebhook } from "./webhooks/deliver.ts";

export default {
  fetch: (request, env, context) => app.fetch(request, connect(env), context),

  /** Messages of a batch are independent, and one compilation takes long: all at once. */
  async queue(batch, env) {
    const consumer = connect(env);
    const dead = batch.queue.endsWith("-dead");
    await Promise.all(
      batch.messages.map((message) =>
        during({ message: message.body }, async () => {
          try {
            if ("migration_id" in message.body) {
              await takeTurn(consumer, message.body.migration_id);
              return message.ack();
            }
            const verdict =
              "delivery_id" in message.body
                ? await (dead ? deadLetterDelivery : deliverWebhook)(consumer, message.body)
                : await (dead ? deadLetter : consume)(consumer, message.body);
            if (verdict.kind === "ack") message.ack();
            else message.retry({ delaySeconds: verdict.delaySeconds });
          } catch (error) {
            logFailure("A message could not be handled", error);
            message.retry({ delaySeconds: Math.ceil(consumer.settings.retryBaseSeconds) });
          }
        }),
      ),
    );
    publicCache.forget();
  },

  async scheduled(_controller, env) {
    await during({ job: "sweep" }, async () => {
      try {
        const services = connect(env);
        await sweep(services, services.now());
        publicCache.forget();
      } catch (error) {
        logFailure("The sweep broke off; the next one goes on", error);
        throw error;
      }
    });
  },
} satisfies ExportedHandler<Env, CompileMessage | StorageMessage | WebhookMessage>;
