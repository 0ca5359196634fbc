import { z } from "@hono/zod-openapi";
import { orNull } from "../http/fields.ts";
import { ACTIONS, type Action } from "./actions.ts";

export const auditAction = z.enum(Object.keys(ACTIONS) as [Action, ...Action[]]).openapi("AuditAction");

const auditEntry = z
  .object({
    id: z.string(),
    created_at: z.iso.datetime(),
    /** Who: a person, a program by its API key, or Vivimark by itself. */
    actor: z.object({ kind: z.enum(["person", "key", "platform"]), id: z.string(), name: z.string() }),
    /** From where on the network; empty when that is not known. */
    address: z.string(),
    action: auditAction,
    /** The action in words. */
    what: z.string(),
    object: z.object({ id: z.string(), name: z.string() }),
    /** What was changed, as the API names it. */
    detail: orNull(z.record(z.string(), z.unknown())),
  })
  .openapi("AuditEntry");

export type AuditEntry = z.infer<typeof auditEntry>;

export const auditPage = z
  .object({ items: z.array(auditEntry), next_cursor: z.string().nullable() })
  .openapi("AuditPage");

export type AuditPage = z.infer<typeof auditPage>;
