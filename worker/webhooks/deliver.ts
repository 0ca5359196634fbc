import { Webhook } from "standardwebhooks";
import type { Bindings, Verdict, WebhookMessage } from "../bindings.ts";
import type { WebhookEndpointRow, WebhookEventRow } from "../db/tables.ts";
import { manyLines } from "../http/fields.ts";
import { logEvent } from "../log.ts";
import { StorageError } from "../storage/provider.ts";
import { type Attempt, type Claimed, claim, conclude, giveUp } from "./deliveries.ts";
import { payloadOf } from "./payload.ts";
import { secretsOf } from "./secret.ts";

/** Until the answer begins. */
const SILENCE_SECONDS = 15;
/** The beginning of the answer's body is waited for so long. */
const READING_SECONDS = 5;
/** So much of the answer goes on record. */
const RESPONSE_BYTES = 1024;

const ACK: Verdict = { kind: "ack" };

type Sender = Pick<Bindings, "db" | "storages" | "internet" | "settings" | "now">;

/** A message fired: sends its delivery, if it is due and nobody else does. Safe to take twice. */
export async function deliverWebhook(sender: Sender, { delivery_id: id }: WebhookMessage): Promise<Verdict> {
  const { db, now } = sender;
  const claimed = await claim(db, id, now());
  if (!claimed) {
    await giveUp(db, id, true, now());
    return ACK;
  }
  const attempt = await send(sender, claimed);
  const { endpoint, event, delivery } = claimed;
  logEvent("webhook", {
    company_id: endpoint.companyId,
    endpoint_id: endpoint.id,
    type: event.type,
    attempt: delivery.attempts,
    status: attempt.status,
    delivered: attempt.error === null,
  });
  const delaySeconds = await conclude(db, claimed, attempt, Math.random(), now());
  return delaySeconds === null ? ACK : { kind: "retry", delaySeconds };
}

/** The queue gave a message up. */
export async function deadLetterDelivery(
  { db, now }: Sender,
  { delivery_id: id }: WebhookMessage,
): Promise<Verdict> {
  await giveUp(db, id, false, now());
  return ACK;
}

/** One request, and what came of it. */
async function send(sender: Sender, { endpoint, event }: Claimed): Promise<Attempt> {
  const { internet, settings, now } = sender;
  const body = JSON.stringify(payloadOf(event, settings.publicUrl));
  const startedAt = now();
  const headers = await headersOf(sender, endpoint, event, body, startedAt);
  const ended = (result: Partial<Attempt> & Pick<Attempt, "error">): Attempt => ({
    ...{ startedAt, milliseconds: now() - startedAt, status: null, response: "", retryAfterSeconds: null },
    ...result,
  });
  try {
    const answer = await internet.open({
      method: "POST",
      url: new URL(endpoint.url),
      headers,
      body,
      maxRedirects: 0,
      silenceSeconds: SILENCE_SECONDS,
      idempotent: false,
    });
    const { status } = answer;
    const response = await beginningOf(answer.body);
    const error = status >= 200 && status < 300 ? null : failureOfStatus(status);
    return ended({ status, response, error, retryAfterSeconds: retryAfter(answer.headers, now()) });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return ended({ error: error.message });
  }
}

/** Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
async function headersOf(
  { storages }: Sender,
  endpoint: WebhookEndpointRow,
  event: WebhookEventRow,
  body: string,
  now: number,
): Promise<Record<string, string>> {
  const time = new Date(now);
  const secrets = await secretsOf(storages, endpoint, now);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(event.id, time, body));
  return {
    "Content-Type": "application/json",
    "User-Agent": "Vivimark",
    "webhook-id": event.id,
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": signatures.join(" "),
  };
}

function failureOfStatus(status: number): string {
  if (status >= 300 && status < 400) return `It answered ${status}: redirects are not followed.`;
  return `It answered ${status}; expected 200 to 299.`;
}

/** Seconds, by a number or a date (RFC 9110, section 10.2.3). */
function retryAfter(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** How a body begins, as text; the rest is not waited for. */
async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), READING_SECONDS * 1000);
  });
  const bytes = new Uint8Array(RESPONSE_BYTES);
  let length = 0;
  try {
    while (length < RESPONSE_BYTES) {
      const part = await Promise.race([reader.read(), late]);
      if (!part || part.done) break;
      const wanted = part.value.subarray(0, RESPONSE_BYTES - length);
      bytes.set(wanted, length);
      length += wanted.length;
    }
  } catch {
    // The status has come: what broke off after it changes nothing.
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  // A character that the cut went through goes as a whole.
  return manyLines(new TextDecoder().decode(bytes.subarray(0, length), { stream: true }));
}
