import { z } from "@hono/zod-openapi";
import { oneLine } from "../http/fields.ts";
import { markerStatus } from "../schemas.ts";
import { CONTENT_EVENTS, TEST_EVENT } from "./event-names.ts";

/** The schemas of the webhook API and of the requests that endpoints receive, in snake_case. */

const contentEvent = z.enum(CONTENT_EVENTS).openapi("WebhookEventType");
const url = z.string().max(2048).openapi({
  description: "An https URL on a public server. Redirects are not followed.",
  example: "https://shop.example.com/vivimark",
});
const events = z
  .array(contentEvent)
  .min(1)
  .max(CONTENT_EVENTS.length)
  .openapi({ description: "The event types to send." });
const description = z.string().overwrite(oneLine).max(200);

export const newWebhook = z
  .strictObject({
    url,
    events,
    description: description.default(""),
    enabled: z.boolean().default(true),
  })
  .openapi("NewWebhook");

export const webhookChange = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    description: description.optional(),
    enabled: z.boolean().optional(),
  })
  .openapi("WebhookChange");

export const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(contentEvent),
    description: z.string(),
    enabled: z.boolean(),
    disabled_reason: z.enum(["failing", "gone"]).nullable().openapi({
      description:
        "Why Vivimark disabled it: `failing` for days, or `gone` (it responded with 410). Null when it is enabled, or a person disabled it.",
    }),
    verified_at: z.iso.datetime().nullable().openapi({
      description:
        "When its current URL first accepted a test event. Null: unverified, and its events wait until a test event is delivered.",
    }),
    failures: z.number().int().openapi({ description: "Failed attempts since the last success." }),
    failing_since: z.iso.datetime().nullable(),
    last_delivered_at: z.iso.datetime().nullable(),
    previous_secret_expires_at: z.iso.datetime().nullable().openapi({
      description: "Until then, requests are signed with the previous secret too. Null afterwards.",
    }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi("Webhook");
export type Webhook = z.infer<typeof webhook>;

export const webhookList = z
  .object({
    items: z.array(webhook),
    requests_a_minute: z.number().int().openapi({
      description: "The most requests per minute to all webhooks of the company together; 0: unlimited.",
    }),
    held_back_until: z.iso.datetime().nullable().openapi({
      description: "Deliveries above the limit wait until then. Null: none is held back.",
    }),
  })
  .openapi("WebhookList");

/** A webhook with its secret, which only a few responses show. */
export const webhookWithSecret = webhook
  .extend({
    secret: z.string().openapi({
      description: "Verifies signatures. Store it: it is shown only once.",
      example: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD0r4mQ7Jzy1k=",
    }),
  })
  .openapi("WebhookWithSecret");
export type WebhookWithSecret = z.infer<typeof webhookWithSecret>;

export const deliveryState = z.enum(["pending", "delivered", "failed"]).openapi("WebhookDeliveryState");

export const delivery = z
  .object({
    id: z.string(),
    event_id: z
      .string()
      .openapi({ description: "The `webhook-id` of its requests, the same for every attempt." }),
    event_type: z.enum([...CONTENT_EVENTS, TEST_EVENT]),
    /** Null for a test event. */
    content_id: z.string().nullable(),
    state: deliveryState,
    attempts: z
      .number()
      .int()
      .openapi({ description: "Attempts since the delivery was created or last resent." }),
    next_attempt_at: z.iso.datetime().nullable().openapi({
      description: "Null when it is finished, or waits until its webhook is verified.",
    }),
    status: z
      .number()
      .int()
      .nullable()
      .openapi({ description: "The HTTP status of the last attempt; null without a response." }),
    error: z.string().nullable().openapi({ description: "Why the last attempt failed." }),
    /** When the event happened. */
    created_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
  })
  .openapi("WebhookDelivery");
export type Delivery = z.infer<typeof delivery>;

export const deliveryPage = z
  .object({ items: z.array(delivery), next_cursor: z.string().nullable() })
  .openapi("WebhookDeliveryPage");
export type DeliveryPage = z.infer<typeof deliveryPage>;

const attempt = z
  .object({
    at: z.iso.datetime(),
    milliseconds: z.number().int(),
    status: z.number().int().nullable().openapi({ description: "Null without a response." }),
    response: z
      .string()
      .openapi({ description: "The first 1,024 bytes of the response, without control characters." }),
    error: z.string().nullable(),
  })
  .openapi("WebhookAttempt");

/** A delivery with its payload and attempts. */
export const deliveryDetail = delivery
  .extend({
    payload: z.record(z.string(), z.unknown()).openapi({ description: "The body of its requests." }),
    log: z.array(attempt).openapi({
      description: "The newest 100 attempts, oldest first. Resending a delivery keeps them.",
    }),
  })
  .openapi("WebhookDeliveryDetail");
export type DeliveryDetail = z.infer<typeof deliveryDetail>;

/** The content of an event, as it was when the event happened. */
const eventContent = z
  .object({
    content_id: z.string(),
    unique_id: z.uuid(),
    company_id: z.string(),
    project_id: z.string(),
    title: z.string(),
    order_number: z.string().nullable(),
    customer_name: z.string().nullable(),
    customer_email: z.string().nullable(),
    customer_phone: z.string().nullable(),
    image_url: z.string(),
    thumbnail_url: z.string().nullable(),
    picture_url: z.string().nullable(),
    marker_status: markerStatus,
    marker_url: z.string().nullable(),
    video_url: z.string().nullable(),
    video_type: z.string().nullable(),
    viewer_url: z.string(),
    /** The compilation that explains `marker_status`. */
    task_id: z.string().nullable(),
    error_code: z.string().nullable(),
    error_message: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi("WebhookContent", {
    description:
      "URLs are relative to the API, except `viewer_url` where PUBLIC_URL is set. Resolve them against the API's URL.",
  });

export const eventPayload = z
  .object({
    type: contentEvent,
    timestamp: z.iso.datetime().openapi({ description: "The time of the event, not of the attempt." }),
    data: eventContent,
  })
  .openapi("WebhookEvent");
export type EventPayload = z.infer<typeof eventPayload>;

export const testPayload = z
  .object({
    type: z.literal(TEST_EVENT),
    timestamp: z.iso.datetime(),
    data: z.object({ endpoint_id: z.string(), message: z.string() }),
  })
  .openapi("WebhookTest");
