import type { Webhook, WebhookDelivery } from "../../../client/client.ts";
import { ago, dateTime } from "../ui/format.ts";

/** Texts about webhooks and their deliveries. */

/** The events, in the order in which they usually happen. */
export const EVENT_LABELS: Readonly<Record<Webhook["events"][number], string>> = {
  "marker.ready": "Marker ready",
  "marker.failed": "Marker failed",
  "video.attached": "Video attached",
  "content.deleted": "Photo deleted",
};

export const EVENTS = Object.keys(EVENT_LABELS) as Webhook["events"];

export function eventText(type: WebhookDelivery["event_type"]): string {
  return type === "webhook.test" ? "Test event" : EVENT_LABELS[type];
}

export const STATE_LABELS: Readonly<Record<WebhookDelivery["state"], string>> = {
  pending: "Pending",
  delivered: "Delivered",
  failed: "Failed",
};

/** Returns the name of a webhook: its description, or the host of its URL. */
export function nameOf({ description, url }: Pick<Webhook, "description" | "url">): string {
  return description || (URL.parse(url)?.host ?? url);
}

/** Returns why a webhook is disabled, and what to do; null if it is enabled. */
export function disabledText({ enabled, disabled_reason }: Webhook): string | null {
  if (enabled) return null;
  if (disabled_reason === "gone") {
    return "Vivimark disabled this webhook: the server responded with status 410 (Gone). Change the URL, or enable it again.";
  }
  if (disabled_reason === "failing") {
    return "Vivimark disabled this webhook: all attempts failed for at least five days. Fix the server, then enable it again.";
  }
  return "This webhook is disabled. It receives no events, and missed events are not sent later.";
}

/** Returns how the recent deliveries went. */
export function healthText(
  { failures, failing_since: since, last_delivered_at: last }: Webhook,
  now: number,
): string {
  const delivered = last ? `Last delivered ${ago(last, now)}.` : "No deliveries yet.";
  if (failures === 0 || !since) return delivered;
  const failed =
    failures === 1
      ? `The last attempt failed on ${dateTime(since)}.`
      : `All ${failures} attempts since ${dateTime(since)} failed.`;
  return `${failed} ${delivered}`;
}

/** Returns the outcome of a delivery, or what happens next. */
export function outcomeText(delivery: WebhookDelivery, now: number): string {
  const { state, attempts, status, error, next_attempt_at: next } = delivery;
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  if (state === "delivered") return `Delivered with status ${status} after ${tries}.`;
  if (state === "failed")
    return attempts === 0 ? (error ?? "Not delivered.") : `${error} Gave up after ${tries}.`;
  if (attempts === 0) return "Sending.";
  return `${error ?? "No response."} ${tries} so far. ${next ? nextText(next, now) : "Sending."}`;
}

function nextText(at: string, now: number): string {
  return Date.parse(at) <= now ? "The next attempt is due." : `Next attempt ${ago(at, now)}.`;
}
