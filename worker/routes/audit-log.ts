import { OpenAPIHono, z } from "@hono/zod-openapi";
import { ACTIONS, type Action, SUBJECTS } from "../audit/actions.ts";
import { toCsv } from "../audit/csv.ts";
import { exportAudit, readAudit } from "../audit/log.ts";
import { type AuditEntry, auditAction, auditPage } from "../audit/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import type { AuditRow } from "../db/tables.ts";
import { decodeCursor, encodeCursor } from "../http/cursor.ts";
import { decimal } from "../http/fields.ts";
import { answers, problems } from "../http/openapi.ts";
import { companyRoute } from "./guarded.ts";

/** Older entries can be exported with `to`. */
const MAX_EXPORTED = 10_000;

const filter = z.object({
  action: auditAction.optional(),
  subject: z.enum(SUBJECTS).optional().openapi({ description: "The part of an action before the dot." }),
  actor_id: z.string().max(64).optional(),
  object_id: z.string().max(64).optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional().openapi({ description: "Only entries before this time." }),
});

const list = companyRoute("audit:read", {
  method: "get",
  path: "/",
  operationId: "listAuditLog",
  summary: "List the audit log, newest first",
  description: "Entries are deleted after 400 days.",
  request: {
    query: filter.extend({
      cursor: z
        .string()
        .max(200)
        .optional()
        .openapi({ description: "The `next_cursor` of the previous page." }),
      limit: decimal(z.number().int().min(1).max(200)).default(50),
    }),
  },
  responses: { 200: answers(auditPage, "One page"), ...problems("invalid_input") },
});

const csv = companyRoute("audit:read", {
  method: "get",
  path: "/export.csv",
  operationId: "exportAuditLog",
  summary: "Export the audit log as CSV",
  description: `At most the newest ${MAX_EXPORTED.toLocaleString("en")} matching entries. Cells that a spreadsheet would read as a formula start with an apostrophe.`,
  request: { query: filter },
  responses: {
    200: { description: "CSV (RFC 4180), UTF-8", content: { "text/csv": { schema: z.string() } } },
    ...problems("invalid_input"),
  },
});

export const auditLogRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => {
    const { cursor, limit, ...wanted } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const query = { ...queryOf(wanted), after, limit };
    const { rows, next } = await readAudit(c.env.db, c.var.access.company, query);
    return c.json({ items: rows.map(entryBody), next_cursor: next && encodeCursor(next) }, 200);
  })
  .openapi(csv, async (c) => {
    const query = { ...queryOf(c.req.valid("query")), limit: MAX_EXPORTED };
    const pages = exportAudit(c.env.db, c.var.access.company, query);
    // The first page is read before the response starts, so that a failing database is answered with a problem.
    const first = await pages.next();
    return c.body(csvStream(first.value ?? [], pages), 200, {
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="audit-log.csv"',
    });
  });

/** Streams the table. A page is read from the database when the client has taken the one before. */
function csvStream(first: AuditRow[], rest: AsyncGenerator<AuditRow[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: string[][] | null = [HEADINGS, ...first.map(line)];
  return new ReadableStream(
    {
      async pull(controller) {
        const lines = next ?? (await rest.next()).value?.map(line);
        next = null;
        if (lines) controller.enqueue(encoder.encode(toCsv(lines)));
        else controller.close();
      },
      async cancel() {
        await rest.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function queryOf({
  action,
  subject,
  actor_id: actorId,
  object_id: objectId,
  from,
  to,
}: z.infer<typeof filter>) {
  const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text));
  return { action, subject, actorId, objectId, from: time(from), to: time(to) };
}

function entryBody(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    created_at: new Date(row.createdAt).toISOString(),
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    address: row.address,
    action: row.action,
    what: ACTIONS[row.action],
    object: { id: row.objectId, name: row.objectName },
    detail: row.detail && { ...row.detail },
  };
}

const HEADINGS = [
  ...["created_at", "actor_kind", "actor_id", "actor_name", "address"],
  ...["action", "object_id", "object_name", "detail"],
];

function line(row: AuditRow): string[] {
  return [
    new Date(row.createdAt).toISOString(),
    ...[row.actorKind, row.actorId, row.actorName, row.address],
    ...[row.action satisfies Action, row.objectId, row.objectName],
    row.detail ? JSON.stringify(row.detail) : "",
  ];
}
