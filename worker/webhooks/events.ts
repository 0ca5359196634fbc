import { eq, type SQL, sql } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";
import { insertSelect } from "../db/insert-select.ts";
import {
  arContent,
  compileTasks,
  type Database,
  webhookDeliveries,
  webhookEndpoints,
  webhookEvents,
} from "../db/tables.ts";
import type { ContentEvent } from "./event-names.ts";

/**
 * Returns the statements that record an event and its deliveries. They belong into the batch of the change, right
 * after the statement that makes it: an event is recorded if and only if its change commits. Without a webhook that
 * subscribes to it, no event is recorded. The deliveries of an unverified webhook wait until it is verified.
 *
 * The payload is the content as the batch finds it. Later changes do not affect it.
 */
export function recordEvent(
  db: Database,
  {
    contentId,
    condition = sql`changes() > 0`,
    ...event
  }: {
    readonly type: ContentEvent;
    readonly contentId: string;
    readonly now: number;
    /** By default, that the statement before changed a row. */
    readonly condition?: SQL;
  },
) {
  return recordEvents(db, { ...event, contentIds: [contentId], condition });
}

/** Does the same for several contents: those that meet the condition. */
export function recordEvents(
  db: Database,
  event: {
    readonly type: ContentEvent;
    readonly contentIds: readonly string[];
    readonly now: number;
    readonly condition: SQL | undefined;
  },
) {
  const { type, contentIds, now, condition } = event;
  const events = JSON.stringify(contentIds.map((content) => ({ content, id: crypto.randomUUID() })));
  const subscribes = sql`${eq(webhookEndpoints.companyId, arContent.companyId)} AND ${isSubscribed(type)}`;
  return [
    insertSelect(
      db,
      webhookEvents,
      {
        id: sql`value ->> 'id'`,
        companyId: arContent.companyId,
        type,
        contentId: arContent.id,
        data: snapshot,
        createdAt: now,
      },
      sql`FROM json_each(${events}) CROSS JOIN ${arContent} ON ${arContent.id} = value ->> 'content' LEFT JOIN ${compileTasks}
            ON ${eq(compileTasks.contentId, arContent.id)} AND ${eq(compileTasks.generation, arContent.generation)}
          WHERE ${condition} AND EXISTS (SELECT 1 FROM ${webhookEndpoints} WHERE ${subscribes})`,
    ),
    insertSelect(
      db,
      webhookDeliveries,
      {
        id: sql`lower(hex(randomblob(16)))`,
        companyId: webhookEndpoints.companyId,
        endpointId: webhookEndpoints.id,
        eventId: webhookEvents.id,
        state: "pending",
        attempts: 0,
        nextAttemptAt: sql`CASE WHEN ${webhookEndpoints.verifiedAt} IS NOT NULL THEN ${now} END`,
        createdAt: now,
      },
      sql`FROM json_each(${events}) CROSS JOIN ${webhookEvents} ON ${webhookEvents.id} = value ->> 'id'
          JOIN ${webhookEndpoints} ON ${eq(webhookEndpoints.companyId, webhookEvents.companyId)} AND ${isSubscribed(type)}`,
    ),
  ] as const;
}

/** The condition that an endpoint is enabled and subscribes to an event type. */
function isSubscribed(type: ContentEvent): SQL {
  return sql`${webhookEndpoints.isEnabled} AND EXISTS (SELECT 1 FROM json_each(${webhookEndpoints.events}) WHERE value = ${type})`;
}

const iso = (column: AnySQLiteColumn) => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/** The payload's content with the API's names, as `eventContent` in schemas.ts describes it. */
const snapshot = sql`json_object(
  'content_id', ${arContent.id},
  'unique_id', ${arContent.uniqueId},
  'company_id', ${arContent.companyId},
  'project_id', ${arContent.projectId},
  'title', ${arContent.title},
  'order_number', ${arContent.orderNumber},
  'customer_name', ${arContent.customerName},
  'customer_email', ${arContent.customerEmail},
  'customer_phone', ${arContent.customerPhone},
  'image_url', ${arContent.imageUrl},
  'thumbnail_url', ${arContent.thumbnailUrl},
  'picture_url', ${arContent.pictureUrl},
  'marker_status', ${arContent.markerStatus},
  'marker_url', ${arContent.markerUrl},
  'video_url', ${arContent.videoUrl},
  'video_type', ${arContent.videoType},
  'task_id', ${compileTasks.id},
  'error_code', ${compileTasks.errorCode},
  'error_message', ${compileTasks.errorMessage},
  'created_at', ${iso(arContent.createdAt)},
  'updated_at', ${iso(arContent.updatedAt)}
)`;
