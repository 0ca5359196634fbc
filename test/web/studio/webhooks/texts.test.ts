import { expect, test } from "vitest";
import type { Webhook, WebhookDelivery } from "../../../../client/client.ts";
import {
  disabledText,
  healthText,
  heldBackText,
  nameOf,
  outcomeText,
  statusOf,
  unverifiedText,
} from "../../../../web/studio/webhooks/texts.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const ago = (seconds: number) => new Date(NOW - 1000 * seconds).toISOString();

const webhook: Webhook = {
  id: "1",
  url: "https://shop.example.com/hook?token=secret",
  events: ["marker.ready"],
  description: "",
  enabled: true,
  disabled_reason: null,
  verified_at: ago(900),
  failures: 0,
  failing_since: null,
  last_delivered_at: null,
  previous_secret_expires_at: null,
  created_at: ago(1000),
  updated_at: ago(1000),
};

const delivery: WebhookDelivery = {
  id: "2",
  event_id: "3",
  event_type: "marker.ready",
  content_id: "4",
  state: "pending",
  attempts: 0,
  next_attempt_at: ago(0),
  status: null,
  error: null,
  created_at: ago(1),
  finished_at: null,
};

test("a webhook is named by its description, or by its host", () => {
  expect(nameOf(webhook)).toBe("shop.example.com");
  expect(nameOf({ ...webhook, description: "Print shop" })).toBe("Print shop");
});

test("the health of a webhook", () => {
  expect(healthText(webhook, NOW)).toBe("No deliveries yet.");
  expect(healthText({ ...webhook, last_delivered_at: ago(600) }, NOW)).toBe("Last delivered 10 minutes ago.");
  const failing = { ...webhook, failures: 3, failing_since: ago(600) };
  expect(healthText(failing, NOW)).toMatch(/^All 3 attempts since .+ failed\. No deliveries yet\.$/);
});

test("why a webhook is disabled", () => {
  expect(disabledText(webhook)).toBeNull();
  const off = { ...webhook, enabled: false };
  expect(disabledText(off)).toContain("missed events are not sent");
  expect(disabledText({ ...off, disabled_reason: "gone" })).toContain("410");
  expect(disabledText({ ...off, disabled_reason: "failing" })).toContain("five days");
});

test("the status of a webhook, and what an unverified one needs", () => {
  expect(statusOf(webhook).label).toBe("Enabled");
  expect(statusOf({ ...webhook, failures: 1 }).label).toBe("Failing");
  const unverified = { ...webhook, failures: 1, verified_at: null };
  expect(statusOf(unverified).label).toBe("Unverified");
  expect(statusOf({ ...unverified, enabled: false }).label).toBe("Disabled");
  expect(unverifiedText(webhook)).toBeNull();
  expect(unverifiedText(unverified)).toContain("Send a test event");
  expect(unverifiedText({ ...unverified, enabled: false })).toBeNull();
});

test("until when deliveries are held back", () => {
  const list = { items: [], requests_a_minute: 600, held_back_until: null };
  expect(heldBackText(list)).toBeNull();
  expect(heldBackText({ ...list, held_back_until: ago(-60) })).toMatch(
    /^More than 600 requests were due in one minute\. The others are sent from .+\.$/,
  );
});

test.each<[Partial<WebhookDelivery>, string]>([
  [{}, "Sending."],
  [{ next_attempt_at: null }, "Waiting until the webhook is verified."],
  [
    { attempts: 2, error: "It responded with 500.", next_attempt_at: null },
    "It responded with 500. 2 attempts so far. Waiting until the webhook is verified.",
  ],
  [{ state: "delivered", attempts: 1, status: 204 }, "Delivered with status 204 after 1 attempt."],
  [
    { attempts: 2, status: 500, error: "It responded with 500.", next_attempt_at: ago(-300) },
    "It responded with 500. 2 attempts so far. Next attempt in 5 minutes.",
  ],
  [
    { attempts: 2, error: "It responded with 500." },
    "It responded with 500. 2 attempts so far. The next attempt is due.",
  ],
  [
    { state: "failed", attempts: 8, error: "It responded with 500.", next_attempt_at: null },
    "It responded with 500. Gave up after 8 attempts.",
  ],
  [
    { state: "failed", error: "The webhook was disabled.", next_attempt_at: null },
    "The webhook was disabled.",
  ],
])("a delivery %j: %s", (change, words) => {
  expect(outcomeText({ ...delivery, ...change }, NOW)).toBe(words);
});
