import type {
  Webhook,
  WebhookChange,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookDeliveryPage,
  WebhookList,
  WebhookWithSecret,
} from "../../../client/client.ts";
import { vivimark } from "../api/client.ts";

/** Calls of the API about webhooks and their deliveries. */

/** The fields of the webhook form. */
export type WebhookForm = Required<Pick<WebhookChange, "url" | "events" | "description">>;

export function listWebhooks(signal?: AbortSignal): Promise<WebhookList> {
  return vivimark.call("GET /api/webhooks", { signal });
}

/** Creates a webhook. Only this answer contains the secret. */
export function createWebhook(body: WebhookForm): Promise<WebhookWithSecret> {
  return vivimark.call("POST /api/webhooks", { body });
}

export function updateWebhook(id: string, body: WebhookChange): Promise<Webhook> {
  return vivimark.call("PATCH /api/webhooks/{id}", { path: { id }, body });
}

export function deleteWebhook(id: string): Promise<void> {
  return vivimark.call("DELETE /api/webhooks/{id}", { path: { id } });
}

/** Replaces the secret. Only this answer contains the new one. */
export function rotateSecret(id: string): Promise<WebhookWithSecret> {
  return vivimark.call("POST /api/webhooks/{id}/rotate-secret", { path: { id } });
}

export function testWebhook(id: string): Promise<WebhookDelivery> {
  return vivimark.call("POST /api/webhooks/{id}/test", { path: { id } });
}

export function listDeliveries(
  id: string,
  query: { state?: WebhookDelivery["state"]; cursor?: string },
  signal?: AbortSignal,
): Promise<WebhookDeliveryPage> {
  return vivimark.call("GET /api/webhooks/{id}/deliveries", { path: { id }, query, signal });
}

export function getDelivery(
  id: string,
  delivery_id: string,
  signal?: AbortSignal,
): Promise<WebhookDeliveryDetail> {
  const path = { id, delivery_id };
  return vivimark.call("GET /api/webhooks/{id}/deliveries/{delivery_id}", { path, signal });
}

export function resendDelivery(id: string, delivery_id: string): Promise<WebhookDelivery> {
  const path = { id, delivery_id };
  return vivimark.call("POST /api/webhooks/{id}/deliveries/{delivery_id}/send-again", { path });
}
