import type { DeadLetter, Platform, RetriedDeadLetters } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ago, duration } from "../ui/format.ts";

/** The words of the page about the platform. */

export function dependencyName(name: string): string {
  const names: Readonly<Record<string, string>> = t.platform.dependencies;
  return names[name] ?? name;
}

export function queueName(name: string): string {
  const names: Readonly<Record<string, string>> = t.platform.queues;
  return names[name] ?? name;
}

/** Returns the sentences of an alert. */
export function alertText({ name, since }: Platform["alerts"]["firing"][number], now: number): string {
  return `${t.platform.alerts[name]} ${t.platform.firstNoticed(ago(since, now))}`;
}

/** Returns where alerts are sent. */
export function alertWays({ by_email: email, by_webhook: webhook }: Platform["alerts"]): string {
  const ways = t.platform.alertWays;
  if (email && webhook) return ways.emailAndWebhook;
  if (email) return ways.email;
  return webhook ? ways.webhook : ways.none;
}

export function queueText({ messages, oldest_at: oldest }: Platform["queues"][number], now: number): string {
  const texts = t.platform;
  if (messages === null) return texts.unknown;
  if (messages === 0) return texts.empty;
  return oldest ? texts.messagesSince(messages, ago(oldest, now)) : texts.messages(messages);
}

export function letterText({ queue, attempts, code }: DeadLetter): string {
  const texts = t.platform.deadLetters;
  return [texts.kinds[queue], texts.attempts(attempts), code && texts.lastError(code)]
    .filter(Boolean)
    .join(", ");
}

export function sweepText({ started_at: at, milliseconds }: NonNullable<Platform["sweep"]>, now: number) {
  const [first, ...rest] = ago(at, now);
  return t.platform.sweepTook(`${first.toUpperCase()}${rest.join("")}`, shortTime(milliseconds));
}

/** Formats the time of a check: "12 ms", "2.0 s". */
export function shortTime(milliseconds: number): string {
  return milliseconds < 1000 ? t.ui.milliseconds(Math.round(milliseconds)) : duration(milliseconds);
}

/** Returns what a retry did. */
export function retriedText({
  retried,
  discarded,
}: Pick<RetriedDeadLetters, "retried" | "discarded">): string {
  const texts = t.platform.deadLetters;
  const again = texts.retrying(retried);
  return discarded === 0 ? again : `${again} ${texts.discarded(discarded)}`;
}
