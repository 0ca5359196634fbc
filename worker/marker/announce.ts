import type { Bindings } from "../bindings.ts";
import type { Content } from "../db/tables.ts";
import { logFailure } from "../log.ts";

/** Messages that a queue takes in one call. */
const MAX_MESSAGES = 100;

/**
 * Sends the message that makes the Node compiler look at a generation of a content. A failure is only logged: the
 * sweep finds the row and sends the message again.
 */
export async function announce(
  queue: Bindings["queue"],
  { id, generation }: Pick<Content, "id" | "generation">,
  delaySeconds: number,
): Promise<void> {
  try {
    await queue.send({ content_id: id, generation }, delaySeconds);
  } catch (error) {
    logFailure("A message is left to the sweep", error, { content_id: id, generation });
  }
}

/** Does the same for several contents, without a delay. */
export async function announceAll(
  queue: Bindings["queue"],
  contents: readonly Pick<Content, "id" | "generation">[],
): Promise<void> {
  for (let from = 0; from < contents.length; from += MAX_MESSAGES) {
    const messages = contents
      .slice(from, from + MAX_MESSAGES)
      .map(({ id, generation }) => ({ message: { content_id: id, generation }, delaySeconds: 0 }));
    try {
      await queue.sendAll(messages);
    } catch (error) {
      logFailure("Messages are left to the sweep", error, { messages: messages.length });
    }
  }
}
