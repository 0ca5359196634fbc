import { z } from "@hono/zod-openapi";
import { orNull } from "../http/fields.ts";
import { ACTIONS, type Action } from "./actions.ts";

export const auditAction = z.enum(Object.keys(ACTIONS) as [Action, ...Action[]]).openapi("AuditAction");

const auditEntry = z
  .object({
    id: z.string(),
    created_at: z.iso.datetime(),
    /** A person, an API key, or the platform itself. */
    actor: z.object({ kind: z.enum(["person", "key", "platform"]), id: z.string(), name: z.string() }),
    /** The network address; empty when it is unknown. */
    address: z.string(),
    action: auditAction,
    /** The action in words. */
    what: z.string(),
    object: z.object({ id: z.string(), name: z.string() }),
    /** The changed fields, with the API's names. */
    detail: orNull(z.record(z.string(), z.unknown())),
  })
  .openapi("AuditEntry");

export type AuditEntry = z.infer<typeof auditEntry>;

export const auditPage = z
  .object({ items: z.array(auditEntry), next_cursor: z.string().nullable() })
  .openapi("AuditPage");

export type AuditPage = z.infer<typeof auditPage>;
