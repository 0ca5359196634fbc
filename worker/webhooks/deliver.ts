import { Webhook } from "standardwebhooks";
import type { Bindings, Verdict, WebhookMessage } from "../bindings.ts";
import type { WebhookEventRow } from "../db/tables.ts";
import { manyLines } from "../http/fields.ts";
import { logEvent, logFailure } from "../log.ts";
import { StorageError } from "../storage/provider.ts";
import {
  type Attempt,
  type ClaimedDelivery,
  claim,
  enqueueNext,
  failDelivery,
  holdBack,
  recordAttempt,
} from "./deliveries.ts";
import { payloadOf } from "./payload.ts";
import { signingSecrets } from "./secret.ts";

/** How long to wait for the response's headers. */
const RESPONSE_SECONDS = 15;
/** How long to wait for the part of the response's body that is recorded. */
const BODY_SECONDS = 5;
/** The part of the response's body that is recorded. */
const BODY_BYTES = 1024;

const ACK: Verdict = { kind: "ack" };

type Sender = Pick<Bindings, "db" | "storages" | "internet" | "webhookQueue" | "settings" | "now" | "later">;

/**
 * Handles a queue message: sends its delivery if it is due, not being sent, and its company has not sent as much as it
 * may. A message that comes twice sends once. Resolves before the request ends, so that a slow server does not delay
 * the messages behind it: the lease in the database keeps the delivery.
 */
export async function deliverWebhook(sender: Sender, { delivery_id: id }: WebhookMessage): Promise<Verdict> {
  const { db, settings, now, later } = sender;
  const rate = { sendsAMinute: settings.webhooksAMinute, now: now() };
  const claimed = await claim(db, id, rate);
  if (claimed) {
    const request = await prepare(sender, claimed);
    later(attempt(sender, claimed, request));
  } else {
    await failDelivery(db, id, { onlySpent: true }, now());
    await holdBack(sender, id, rate);
  }
  return ACK;
}

/** Makes an attempt and queues what follows: this delivery's next attempt, and the company's next delivery. */
async function attempt(sender: Sender, claimed: ClaimedDelivery, request: SignedRequest): Promise<void> {
  const { db, webhookQueue, now } = sender;
  const { endpoint, event, delivery } = claimed;
  try {
    const outcome = await send(sender, claimed, request);
    logEvent("webhook", {
      company_id: endpoint.companyId,
      endpoint_id: endpoint.id,
      type: event.type,
      attempt: delivery.attempts,
      status: outcome.status,
      delivered: outcome.error === null,
    });
    const record = { claimed, attempt: outcome, random: Math.random(), now: now() };
    const delaySeconds = await recordAttempt(db, record);
    if (delaySeconds !== null) await webhookQueue.sendAll([{ delivery_id: delivery.id }], delaySeconds);
    await enqueueNext(sender, endpoint.companyId, now());
  } catch (error) {
    logFailure("A webhook delivery is left to the sweep", error, { delivery_id: delivery.id });
  }
}

/** Handles a message from the dead-letter queue. */
export async function deadLetterDelivery(
  { db, now }: Pick<Sender, "db" | "now">,
  { delivery_id: id }: WebhookMessage,
): Promise<Verdict> {
  await failDelivery(db, id, { onlySpent: false }, now());
  return ACK;
}

interface SignedRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the request of a delivery. Throws if the secret cannot be opened, and the queue retries the message. */
async function prepare(sender: Sender, { endpoint, event }: ClaimedDelivery): Promise<SignedRequest> {
  const { storages, settings, now } = sender;
  const body = JSON.stringify(payloadOf(event, settings.publicUrl));
  const secrets = await signingSecrets(storages, endpoint, now());
  return { body, headers: signedHeaders({ secrets, event, body, now: now() }) };
}

/** Sends one request. @returns its outcome */
async function send(
  { internet, now }: Sender,
  { endpoint }: ClaimedDelivery,
  { body, headers }: SignedRequest,
): Promise<Attempt> {
  const startedAt = now();
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
