import { viewerUrl } from "../content/representation.ts";
import type { WebhookEventRow } from "../db/tables.ts";

export interface Payload {
  readonly type: WebhookEventRow["type"];
  /** The time of the event, not of the attempt. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Returns the body of an event's requests, which is the same at every attempt.
 *
 * @param origin the platform's public origin; "" leaves the viewer's link relative, as media URLs always are
 */
export function payloadOf({ type, createdAt, data }: WebhookEventRow, origin: string): Payload {
  const { unique_id: uniqueId } = data;
  const links = typeof uniqueId === "string" ? { viewer_url: viewerUrl(uniqueId, origin) } : {};
  return { type, timestamp: new Date(createdAt).toISOString(), data: { ...data, ...links } };
}
