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
 * The statements that write down that something happened to content, and to whom it is to be told. They
 * belong into the batch of the change, behind the statement that makes it: when that changed no row, nothing
 * has happened. So there is neither a change that is not told nor a tale of none. Nobody listens: no row.
 *
 * The payload is what the batch finds: later changes of the content do not change it.
 */
export function happened(
  db: Database,
  type: ContentEvent,
  contentId: string,
  now: number,
  condition: SQL = sql`changes() > 0`,
) {
  const eventId = crypto.randomUUID();
  const listens = sql`${eq(webhookEndpoints.companyId, arContent.companyId)} AND ${listensTo(type)}`;
  return [
    insertSelect(
      db,
      webhookEvents,
      {
        id: eventId,
        companyId: arContent.companyId,
        type,
        contentId: arContent.id,
        data: snapshot,
        createdAt: now,
      },
      sql`FROM ${arContent} LEFT JOIN ${compileTasks}
            ON ${eq(compileTasks.contentId, arContent.id)} AND ${eq(compileTasks.generation, arContent.generation)}
          WHERE ${eq(arContent.id, contentId)} AND ${condition}
            AND EXISTS (SELECT 1 FROM ${webhookEndpoints} WHERE ${listens})`,
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
        nextAttemptAt: now,
        createdAt: now,
      },
      sql`FROM ${webhookEvents} JOIN ${webhookEndpoints}
            ON ${eq(webhookEndpoints.companyId, webhookEvents.companyId)} AND ${listensTo(type)}
          WHERE ${eq(webhookEvents.id, eventId)}`,
    ),
  ] as const;
}

function listensTo(type: ContentEvent): SQL {
  return sql`${webhookEndpoints.isEnabled} AND EXISTS (SELECT 1 FROM json_each(${webhookEndpoints.events}) WHERE value = ${type})`;
}

const iso = (column: AnySQLiteColumn) => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`;

/** Content as the API names it, as far as a payload has it: `eventContent` in schemas.ts. */
const snapshot = sql`json_object(
  'content_id', ${arContent.id},
  'unique_id', ${arContent.uniqueId},
  'company_id', ${arContent.companyId},
  'project_id', ${arContent.projectId},
  'title', ${arContent.title},
  'image_url', ${arContent.imageUrl},
  'thumbnail_url', ${arContent.thumbnailUrl},
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
