import { z } from "@hono/zod-openapi";
import { oneLine } from "../http/fields.ts";
import { markerStatus } from "../schemas.ts";
import { CONTENT_EVENTS, TEST_EVENT } from "./event-names.ts";

/** The wire of webhooks: what the API takes and gives, and what an endpoint is sent, in snake_case. */

const contentEvent = z.enum(CONTENT_EVENTS).openapi("WebhookEventType");
const url = z.string().max(2048).openapi({
  description: "https, on a public server; redirects are not followed.",
  example: "https://shop.example.com/vivimark",
});
const events = z
  .array(contentEvent)
  .min(1)
  .max(CONTENT_EVENTS.length)
  .openapi({ description: "What it is told of." });
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
export type WebhookChange = z.infer<typeof webhookChange>;

export const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(contentEvent),
    description: z.string(),
    enabled: z.boolean(),
    /** Why Vivimark switched it off; null: a person did, or it is on. */
    disabled_reason: z.enum(["failing", "gone"]).nullable().openapi({
      description:
        "Why Vivimark switched it off: `failing` for days, or it answered 410, `gone`. Null: a person did, or it is on.",
    }),
    failures: z
      .number()
      .int()
      .openapi({ description: "Attempts that failed since the last that succeeded." }),
    failing_since: z.iso.datetime().nullable(),
    last_delivered_at: z.iso.datetime().nullable(),
    previous_secret_expires_at: z.iso.datetime().nullable().openapi({
      description: "Until then the secret from before the last change signs too; null: it does no longer.",
    }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi("Webhook");
export type Webhook = z.infer<typeof webhook>;

export const webhookList = z.object({ items: z.array(webhook) }).openapi("WebhookList");

/** The only answers that show a secret. */
export const webhookWithSecret = webhook
  .extend({
    secret: z.string().openapi({
      description: "Verifies signatures. It is shown this once.",
      example: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD0r4mQ7Jzy1k=",
    }),
  })
  .openapi("WebhookWithSecret");
export type WebhookWithSecret = z.infer<typeof webhookWithSecret>;

export const deliveryState = z.enum(["pending", "delivered", "failed"]).openapi("WebhookDeliveryState");

export const delivery = z
  .object({
    id: z.string(),
    /** The `webhook-id` that its requests carry: the same at every attempt. */
    event_id: z.string(),
    event_type: z.enum([...CONTENT_EVENTS, TEST_EVENT]),
    /** Null: the event is about none. */
    content_id: z.string().nullable(),
    state: deliveryState,
    /** Since it was last begun. */
    attempts: z.number().int(),
    next_attempt_at: z.iso.datetime().nullable(),
    status: z.number().int().nullable().openapi({ description: "What the last attempt was answered." }),
    error: z.string().nullable().openapi({ description: "Why it is not delivered." }),
    /** When it happened. */
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
    status: z.number().int().nullable().openapi({ description: "Null: there was no answer." }),
    response: z
      .string()
      .openapi({ description: "The first 1,024 bytes of the answer, without control characters." }),
    error: z.string().nullable(),
  })
  .openapi("WebhookAttempt");

/** A delivery with all that is known of it. */
export const deliveryDetail = delivery
  .extend({
    payload: z
      .record(z.string(), z.unknown())
      .openapi({ description: "The body of its requests, as an object." }),
    /** Oldest first, those from before it was sent again included. */
    log: z.array(attempt).openapi({ description: "The newest 100 attempts." }),
  })
  .openapi("WebhookDeliveryDetail");
export type DeliveryDetail = z.infer<typeof deliveryDetail>;

/** Content as an event tells of it: as it was when that happened. */
const eventContent = z
  .object({
    content_id: z.string(),
    unique_id: z.uuid(),
    company_id: z.string(),
    project_id: z.string(),
    title: z.string(),
    image_url: z.string(),
    thumbnail_url: z.string().nullable(),
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
    description: "Addresses are relative to the API unless it was told its own: resolve them against it.",
  });

export const eventPayload = z
  .object({
    type: contentEvent,
    timestamp: z.iso.datetime().openapi({ description: "When it happened; not when it is told." }),
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
