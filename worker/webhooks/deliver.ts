import { Webhook } from "standardwebhooks";
import type { Bindings, Verdict, WebhookMessage } from "../bindings.ts";
import type { WebhookEventRow } from "../db/tables.ts";
import { manyLines } from "../http/fields.ts";
import { logEvent } from "../log.ts";
import { StorageError } from "../storage/provider.ts";
import { type Attempt, type ClaimedDelivery, claim, failDelivery, recordAttempt } from "./deliveries.ts";
import { payloadOf } from "./payload.ts";
import { signingSecrets } from "./secret.ts";

/** How long to wait for the response's headers. */
const RESPONSE_SECONDS = 15;
/** How long to wait for the part of the response's body that is recorded. */
const BODY_SECONDS = 5;
/** The part of the response's body that is recorded. */
const BODY_BYTES = 1024;

const ACK: Verdict = { kind: "ack" };

type Sender = Pick<Bindings, "db" | "storages" | "internet" | "settings" | "now">;

/**
 * Handles a queue message: sends its delivery if it is due and not being sent. A message that comes twice sends once.
 */
export async function deliverWebhook(sender: Sender, { delivery_id: id }: WebhookMessage): Promise<Verdict> {
  const { db, now } = sender;
  const claimed = await claim(db, id, now());
  if (!claimed) {
    await failDelivery(db, id, { onlySpent: true }, now());
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
  const delaySeconds = await recordAttempt(db, { claimed, attempt, random: Math.random(), now: now() });
  return delaySeconds === null ? ACK : { kind: "retry", delaySeconds };
}

/** Handles a message from the dead-letter queue. */
export async function deadLetterDelivery(
  { db, now }: Sender,
  { delivery_id: id }: WebhookMessage,
): Promise<Verdict> {
  await failDelivery(db, id, { onlySpent: false }, now());
  return ACK;
}

/** Sends one request. @returns its outcome */
async function send(sender: Sender, { endpoint, event }: ClaimedDelivery): Promise<Attempt> {
  const { internet, settings, now } = sender;
  const body = JSON.stringify(payloadOf(event, settings.publicUrl));
  const startedAt = now();
  const secrets = await signingSecrets(sender.storages, endpoint, startedAt);
  const headers = signedHeaders({ secrets, event, body, now: startedAt });
  const ended = (result: Partial<Attempt> & Pick<Attempt, "error">): Attempt => ({
    startedAt,
    milliseconds: now() - startedAt,
    status: null,
    response: "",
    retryAfterSeconds: null,
    ...result,
  });
  try {
    const response = await internet.open({
      method: "POST",
      url: new URL(endpoint.url),
      headers,
      body,
      maxRedirects: 0,
      silenceSeconds: RESPONSE_SECONDS,
      idempotent: false,
    });
    const { status } = response;
    const text = await readBeginning(response.body);
    const error = status >= 200 && status < 300 ? null : statusError(status);
    const retryAfterSeconds = parseRetryAfter(response.headers, now());
    return ended({ status, response: text, error, retryAfterSeconds });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return ended({ error: error.message });
  }
}

/**
 * Returns the headers of a request, signed with each of the secrets.
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
function signedHeaders(request: {
  readonly secrets: readonly string[];
  readonly event: WebhookEventRow;
  readonly body: string;
  readonly now: number;
}): Record<string, string> {
  const { secrets, event, body, now } = request;
  const time = new Date(now);
  const signatures = secrets.map((secret) => new Webhook(secret).sign(event.id, time, body));
  return {
    "Content-Type": "application/json",
    "User-Agent": "Vivimark",
    "webhook-id": event.id,
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": signatures.join(" "),
  };
}

function statusError(status: number): string {
  if (status >= 300 && status < 400) {
    return `The server responded with status ${status}. Redirects are not followed: enter the final URL.`;
  }
  return `The server responded with status ${status}; expected a status from 200 to 299.`;
}

/** Returns the seconds of a Retry-After header, which is a number or a date (RFC 9110, section 10.2.3). */
function parseRetryAfter(headers: Headers, now: number): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  return Number.isFinite(seconds) ? seconds : null;
}

/** Returns the first `BODY_BYTES` of a body as text, or fewer after `BODY_SECONDS`. */
async function readBeginning(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), BODY_SECONDS * 1000);
  });
  const bytes = new Uint8Array(BODY_BYTES);
  let length = 0;
  try {
    while (length < BODY_BYTES) {
      const part = await Promise.race([reader.read(), late]);
      if (!part || part.done) break;
      const wanted = part.value.subarray(0, BODY_BYTES - length);
      bytes.set(wanted, length);
      length += wanted.length;
    }
  } catch {
    // The status counts. A body that breaks off does not change the outcome.
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
  // `stream` drops a character that is cut in two.
  return manyLines(new TextDecoder().decode(bytes.subarray(0, length), { stream: true }));
}
