import type { DeadLetter, Platform, RetriedDeadLetters } from "../../../client/client.ts";
import { ago, count, duration } from "../ui/format.ts";

/** The words of the page about the platform. */

export const DEPENDENCIES: Readonly<Record<string, string>> = {
  database: "Database",
  storage: "Platform storage",
  queue: "Queues",
  sweep: "Sweep",
  secrets: "Encryption keys",
  compiler: "Node compiler",
  public_url: "Public address",
};

export const QUEUES: Readonly<Record<string, string>> = {
  compile: "Compilations",
  storage: "Storage migrations",
  webhooks: "Webhooks",
};

const ALERTS: Readonly<Record<Platform["alerts"]["firing"][number]["name"], string>> = {
  sweep: "The sweep stands still.",
  compiler: "The Node compiler does not respond.",
  dead_letters: "There are dead letters.",
};

/** Returns the sentence of an alert. */
export function alertText({ name, since }: Platform["alerts"]["firing"][number], now: number): string {
  return `${ALERTS[name]} First noticed ${ago(since, now)}.`;
}

/** Returns where alerts are sent. */
export function alertWays({ by_email: email, by_webhook: webhook }: Platform["alerts"]): string {
  if (email && webhook) return "By email to the platform's owners, and to ALERT_URL";
  if (email) return "By email to the platform's owners";
  if (webhook) return "To ALERT_URL";
  return "To the log only. Set MAIL_URL or ALERT_URL to be notified.";
}

export function queueText({ messages, oldest_at: oldest }: Platform["queues"][number], now: number): string {
  if (messages === null) return "Unknown";
  if (messages === 0) return "Empty";
  const words = `${count(messages)} ${messages === 1 ? "message" : "messages"}`;
  return oldest ? `${words}, the oldest from ${ago(oldest, now)}` : words;
}

export function letterText({ queue, attempts, code }: DeadLetter): string {
  const what = queue === "compile" ? "Compilation" : "Webhook delivery";
  const tries = `${count(attempts)} ${attempts === 1 ? "attempt" : "attempts"}`;
  return `${what}, ${tries}${code ? `, last error ${code}` : ""}`;
}

export function sweepText({ started_at: at, milliseconds }: NonNullable<Platform["sweep"]>, now: number) {
  const [first, ...rest] = ago(at, now);
  return `${first.toUpperCase()}${rest.join("")}, took ${shortTime(milliseconds)}`;
}

/** Formats the time of a check: "12 ms", "2.0 s". */
export function shortTime(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : duration(milliseconds);
}

/** Returns what a retry did. */
export function retriedText({
  retried,
  discarded,
}: Pick<RetriedDeadLetters, "retried" | "discarded">): string {
  const again = `Retrying ${count(retried)} dead ${retried === 1 ? "letter" : "letters"}.`;
  return discarded === 0 ? again : `${again} ${count(discarded)} had nothing left to retry and were removed.`;
}
