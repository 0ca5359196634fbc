import { expect, test } from "vitest";
import type { Webhook, WebhookDelivery } from "../../../../client/client.ts";
import { healthWords, nameOf, offWords, outcomeWords } from "../../../../web/studio/webhooks/words.ts";

const NOW = Date.UTC(2026, 10, 23, 12);
const ago = (seconds: number) => new Date(NOW - 1000 * seconds).toISOString();

const webhook: Webhook = {
  id: "1",
  url: "https://shop.example.com/hook?token=secret",
  events: ["marker.ready"],
  description: "",
  enabled: true,
  disabled_reason: null,
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

test("a webhook is called by its description, or by its host", () => {
  expect(nameOf(webhook)).toBe("shop.example.com");
  expect(nameOf({ ...webhook, description: "Print shop" })).toBe("Print shop");
});

test("how it goes", () => {
  expect(healthWords(webhook, NOW)).toBe("Nothing was delivered yet.");
  expect(healthWords({ ...webhook, last_delivered_at: ago(600) }, NOW)).toBe(
    "Last delivered 10 minutes ago.",
  );
  const failing = { ...webhook, failures: 3, failing_since: ago(600) };
  expect(healthWords(failing, NOW)).toMatch(
    /^The last 3 attempts failed, since .+\. Nothing was delivered yet\.$/,
  );
});

test("why it is off", () => {
  expect(offWords(webhook)).toBeNull();
  const off = { ...webhook, enabled: false };
  expect(offWords(off)).toContain("nothing is kept");
  expect(offWords({ ...off, disabled_reason: "gone" })).toContain("410");
  expect(offWords({ ...off, disabled_reason: "failing" })).toContain("five days");
});

test.each<[Partial<WebhookDelivery>, string]>([
  [{}, "On its way."],
  [{ state: "delivered", attempts: 1, status: 204 }, "Answered 204, 1 attempt."],
  [
    { attempts: 2, status: 500, error: "It answered 500.", next_attempt_at: ago(-300) },
    "It answered 500. 2 attempts so far; the next comes in 5 minutes.",
  ],
  [{ attempts: 2, error: "It answered 500." }, "It answered 500. 2 attempts so far; the next is due."],
  [
    { state: "failed", attempts: 8, error: "It answered 500.", next_attempt_at: null },
    "It answered 500. Given up after 8 attempts.",
  ],
  [
    { state: "failed", error: "The webhook was switched off.", next_attempt_at: null },
    "The webhook was switched off.",
  ],
])("a delivery %j: %s", (change, words) => {
  expect(outcomeWords({ ...delivery, ...change }, NOW)).toBe(words);
});
