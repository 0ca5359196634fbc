import type {
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  Webhook,
  WebhookChange,
  WebhookWithSecret,
} from "../../../worker/webhooks/schemas.ts";
import { accepted, answer, client } from "../api/client.ts";

const { webhooks } = client;
const webhook = webhooks[":id"];
const delivery = webhook.deliveries[":delivery_id"];

/** What people choose of a webhook. */
export type WebhookForm = Required<Pick<WebhookChange, "url" | "events" | "description">>;

export async function listWebhooks(signal?: AbortSignal): Promise<readonly Webhook[]> {
  return (await answer(webhooks.$get({}, { init: { signal } }))).items;
}

/** The answer alone shows the secret. */
export function createWebhook(form: WebhookForm): Promise<WebhookWithSecret> {
  return answer(webhooks.$post({ json: form }));
}

export function changeWebhook(id: string, change: WebhookChange): Promise<Webhook> {
  return answer(webhook.$patch({ param: { id }, json: change }));
}

export async function deleteWebhook(id: string): Promise<void> {
  await accepted(webhook.$delete({ param: { id } }));
}

/** The answer alone shows the new secret. */
export function rotateSecret(id: string): Promise<WebhookWithSecret> {
  return answer(webhook["rotate-secret"].$post({ param: { id } }));
}

export function testWebhook(id: string): Promise<Delivery> {
  return answer(webhook.test.$post({ param: { id } }));
}

export function listDeliveries(
  id: string,
  query: { state?: Delivery["state"]; cursor?: string },
  signal?: AbortSignal,
): Promise<DeliveryPage> {
  return answer(webhook.deliveries.$get({ param: { id }, query }, { init: { signal } }));
}

export function getDelivery(id: string, deliveryId: string, signal?: AbortSignal): Promise<DeliveryDetail> {
  return answer(delivery.$get({ param: { id, delivery_id: deliveryId } }, { init: { signal } }));
}

export function sendAgain(id: string, deliveryId: string): Promise<Delivery> {
  return answer(delivery["send-again"].$post({ param: { id, delivery_id: deliveryId } }));
}
