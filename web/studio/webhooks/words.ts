import type { Webhook, WebhookDelivery } from "../../../client/client.ts";
import { ago, dateTime } from "../ui/format.ts";

/** Webhooks and what became of them, in words. */

/** What can be told, in the order in which it usually happens. */
export const EVENT_WORDS: Readonly<Record<Webhook["events"][number], string>> = {
  "marker.ready": "A marker is ready",
  "marker.failed": "A marker failed",
  "video.attached": "A video was attached",
  "content.deleted": "A photo was deleted",
};

export const EVENTS = Object.keys(EVENT_WORDS) as Webhook["events"];

export function eventWords(type: WebhookDelivery["event_type"]): string {
  return type === "webhook.test" ? "A test" : EVENT_WORDS[type];
}

export const STATE_WORDS: Readonly<Record<WebhookDelivery["state"], string>> = {
  pending: "Waiting",
  delivered: "Delivered",
  failed: "Failed",
};

/** What people call a webhook: its description, or where it leads. */
export function nameOf({ description, url }: Pick<Webhook, "description" | "url">): string {
  return description || (URL.parse(url)?.host ?? url);
}

/** Why it is off, and what to do; null while it is on. */
export function offWords({ enabled, disabled_reason }: Webhook): string | null {
  if (enabled) return null;
  if (disabled_reason === "gone") {
    return "Vivimark switched it off: the server answered that this address is gone (410). Change the address, or switch it on again.";
  }
  if (disabled_reason === "failing") {
    return "Vivimark switched it off: for five days or more no request arrived. Mend the server, then switch it on again.";
  }
  return "It is switched off: nothing is told, and nothing is kept to be told later.";
}

/** How it went lately. */
export function healthWords(
  { failures, failing_since: since, last_delivered_at: last }: Webhook,
  now: number,
): string {
  const delivered = last ? `Last delivered ${ago(last, now)}.` : "Nothing was delivered yet.";
  if (failures === 0 || !since) return delivered;
  const attempts = failures === 1 ? "The last attempt" : `The last ${failures} attempts`;
  return `${attempts} failed, since ${dateTime(since)}. ${delivered}`;
}

/** What became of a delivery, and what is next. */
export function outcomeWords(delivery: WebhookDelivery, now: number): string {
  const { state, attempts, status, error, next_attempt_at: next } = delivery;
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  if (state === "delivered") return `Answered ${status}, ${tries}.`;
  if (state === "failed")
    return attempts === 0 ? (error ?? "Given up.") : `${error} Given up after ${tries}.`;
  if (attempts === 0) return "On its way.";
  return `${error ?? "No answer."} ${tries} so far; the next ${next ? nextWords(next, now) : "is under way"}.`;
}

function nextWords(at: string, now: number): string {
  return Date.parse(at) <= now ? "is due" : `comes ${ago(at, now)}`;
}
