import { describe, expect, test } from "vitest";
import {
  alertText,
  alertWays,
  letterText,
  queueText,
  retriedText,
  shortTime,
  sweepText,
} from "../../../web/studio/platform/texts.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

describe("the page about the platform", () => {
  test("tells how many messages wait, and since when", () => {
    const queue = { name: "compile", oldest_at: null };
    expect(queueText({ ...queue, messages: null }, NOW)).toBe("Unknown");
    expect(queueText({ ...queue, messages: 0 }, NOW)).toBe("Empty");
    expect(queueText({ ...queue, messages: 1 }, NOW)).toBe("1 message");
    const oldest_at = new Date(NOW - 300_000).toISOString();
    expect(queueText({ ...queue, messages: 2620, oldest_at }, NOW)).toBe(
      "2,620 messages, the oldest from 5 minutes ago",
    );
  });

  test("tells what was given up, and what a retry did", () => {
    const letter = { id: "1", arrived_at: new Date(NOW).toISOString() };
    expect(letterText({ ...letter, queue: "compile", attempts: 6, code: "compiler_unreachable" })).toBe(
      "Compilation, 6 attempts, last error compiler_unreachable",
    );
    expect(letterText({ ...letter, queue: "webhooks", attempts: 1, code: null })).toBe(
      "Webhook delivery, 1 attempt",
    );
    expect(retriedText({ retried: 1, discarded: 0 })).toBe("Retrying 1 dead letter.");
    expect(retriedText({ retried: 1200, discarded: 2 })).toBe(
      "Retrying 1,200 dead letters. 2 had nothing left to retry and were removed.",
    );
  });

  test("tells times", () => {
    expect([12.4, 2004].map(shortTime)).toEqual(["12 ms", "2.0 s"]);
    const sweep = { succeeded_at: "", failed_steps: [], milliseconds: 420 };
    expect(sweepText({ ...sweep, started_at: new Date(NOW).toISOString() }, NOW)).toBe(
      "Just now, took 420 ms",
    );
    const since = new Date(NOW - 7_200_000).toISOString();
    expect(alertText({ name: "sweep", since, sent_at: null }, NOW)).toBe(
      "The sweep stands still. First noticed 2 hours ago.",
    );
  });

  test("says where alerts go, and how to get them", () => {
    const ways = (by_email: boolean, by_webhook: boolean) => alertWays({ by_email, by_webhook, firing: [] });
    expect(ways(true, true)).toBe("By email to the platform's owners, and to ALERT_URL");
    expect(ways(false, false)).toContain("Set MAIL_URL or ALERT_URL");
  });
});
