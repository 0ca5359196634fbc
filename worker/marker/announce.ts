import type { Bindings } from "../bindings.ts";
import type { Content } from "../db/tables.ts";
import { logFailure } from "../log.ts";

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
