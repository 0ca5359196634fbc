import type { Webhook, WebhookDelivery, WebhookList } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ago, dateTime } from "../ui/format.ts";

/** Texts about webhooks and their deliveries. */

/** Returns the events, in the order in which they usually happen. */
export function eventTypes(): Webhook["events"] {
  return Object.keys(t.webhooks.events) as Webhook["events"];
}

export function eventText(type: WebhookDelivery["event_type"]): string {
  return type === "webhook.test" ? t.webhooks.testEvent : t.webhooks.events[type];
}

/** Returns the name of a webhook: its description, or the host of its URL. */
export function nameOf({ description, url }: Pick<Webhook, "description" | "url">): string {
  return description || (URL.parse(url)?.host ?? url);
}

/** Returns why a webhook is disabled, and what to do; null if it is enabled. */
export function disabledText({ enabled, disabled_reason }: Webhook): string | null {
  if (enabled) return null;
  return disabled_reason ? t.webhooks.disabledBecause[disabled_reason] : t.webhooks.disabled;
}

/** Returns the status of a webhook, and the class of its badge. */
export function statusOf({ enabled, verified_at, failures }: Webhook): { label: string; badge: string } {
  const { status } = t.webhooks;
  if (!enabled) return { label: status.disabled, badge: "failed" };
  if (verified_at === null) return { label: status.unverified, badge: "pending" };
  return failures > 0
    ? { label: status.failing, badge: "pending" }
    : { label: status.enabled, badge: "ready" };
}

/** Returns why the events of an enabled webhook wait, and what to do; null if it is verified. */
export function unverifiedText({ enabled, verified_at }: Webhook): string | null {
  if (!enabled || verified_at !== null) return null;
  return t.webhooks.unverified;
}

/** Returns until when deliveries are held back, and why; null if none is. */
export function heldBackText({
  held_back_until: until,
  requests_a_minute: limit,
}: WebhookList): string | null {
  return until === null ? null : t.webhooks.heldBack(limit, dateTime(until));
}

/** Returns how the recent deliveries went. */
export function healthText(
  { failures, failing_since: since, last_delivered_at: last }: Webhook,
  now: number,
): string {
  const delivered = last ? t.webhooks.lastDelivered(ago(last, now)) : t.webhooks.noneDelivered;
  if (failures === 0 || !since) return delivered;
  return `${t.webhooks.failing(failures, dateTime(since))} ${delivered}`;
}

/** Returns the outcome of a delivery, or what happens next. */
export function outcomeText(delivery: WebhookDelivery, now: number): string {
  const { state, attempts, status, error, next_attempt_at: next } = delivery;
  const texts = t.webhooks.deliveries;
  if (state === "delivered") return texts.delivered(String(status), attempts);
  if (state === "failed")
    return attempts === 0 ? (error ?? texts.notDelivered) : `${error} ${texts.gaveUp(attempts)}`;
  if (attempts === 0) return next ? texts.sending : texts.unverified;
  const plan = next ? nextText(next, now) : texts.unverified;
  return `${error ?? texts.noResponse} ${texts.soFar(attempts)} ${plan}`;
}

function nextText(at: string, now: number): string {
  const { due, next } = t.webhooks.deliveries;
  return Date.parse(at) <= now ? due : next(ago(at, now));
}
