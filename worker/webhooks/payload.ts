import { viewerUrl } from "../content/representation.ts";
import type { WebhookEventRow } from "../db/tables.ts";

export interface Payload {
  readonly type: WebhookEventRow["type"];
  /** When it happened; not when it is told. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * What is told of an event: the same at every attempt.
 *
 * @param origin for links that leave the platform; empty: they have none, as media addresses never do
 */
export function payloadOf({ type, createdAt, data }: WebhookEventRow, origin: string): Payload {
  const { unique_id: uniqueId } = data;
  const links = typeof uniqueId === "string" ? { viewer_url: viewerUrl(uniqueId, origin) } : {};
  return { type, timestamp: new Date(createdAt).toISOString(), data: { ...data, ...links } };
}
