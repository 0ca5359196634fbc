import type { Webhook, WebhookDelivery, WebhookList } from "../../../client/client.ts";
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

/** Returns the status of a webhook, and the class of its badge. */
export function statusOf({ enabled, verified_at, failures }: Webhook): { label: string; badge: string } {
  if (!enabled) return { label: "Disabled", badge: "failed" };
  if (verified_at === null) return { label: "Unverified", badge: "pending" };
  return failures > 0 ? { label: "Failing", badge: "pending" } : { label: "Enabled", badge: "ready" };
}

/** Returns why the events of an enabled webhook wait, and what to do; null if it is verified. */
export function unverifiedText({ enabled, verified_at }: Webhook): string | null {
  if (!enabled || verified_at !== null) return null;
  return "This webhook is unverified, and its events wait. Send a test event: a response with a status from 200 to 299 verifies the URL.";
}

/** Returns until when deliveries are held back, and why; null if none is. */
export function heldBackText({
  held_back_until: until,
  requests_a_minute: limit,
}: WebhookList): string | null {
  if (until === null) return null;
  return `More than ${limit} requests were due in one minute. The others are sent from ${dateTime(until)}.`;
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

const UNVERIFIED = "Waiting until the webhook is verified.";

/** Returns the outcome of a delivery, or what happens next. */
export function outcomeText(delivery: WebhookDelivery, now: number): string {
  const { state, attempts, status, error, next_attempt_at: next } = delivery;
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  if (state === "delivered") return `Delivered with status ${status} after ${tries}.`;
  if (state === "failed")
    return attempts === 0 ? (error ?? "Not delivered.") : `${error} Gave up after ${tries}.`;
  if (attempts === 0) return next ? "Sending." : UNVERIFIED;
  return `${error ?? "No response."} ${tries} so far. ${next ? nextText(next, now) : UNVERIFIED}`;
}

function nextText(at: string, now: number): string {
  return Date.parse(at) <= now ? "The next attempt is due." : `Next attempt ${ago(at, now)}.`;
}
