import { OpenAPIHono } from "@hono/zod-openapi";
import { renameCompany } from "../accounts/companies.ts";
import { invitationsOf } from "../accounts/invitations.ts";
import { membersOf } from "../accounts/members.ts";
import { company, companyChange, invitationList, memberList } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import { quotasOf, readDays } from "../content/quotas.ts";
import { usageBody } from "../content/representation.ts";
import { readDeleted } from "../content/retention.ts";
import { readCounts } from "../db/usage-counts.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { companyUsage } from "../schemas.ts";
import { switchStorage } from "../storage/connections.ts";
import { currentStorage, PLATFORM } from "../storage/schemas.ts";
import { companyRoute } from "./guarded.ts";
import { idOf } from "./storage-connections.ts";

const SHOWN_DAYS = 30;

const read = companyRoute("content:read", {
  method: "get",
  path: "/",
  operationId: "getCompany",
  summary: "Get the company of the session or API key",
  responses: { 200: answers(company, "The company") },
});

const change = companyRoute("company:manage", {
  method: "patch",
  path: "/",
  operationId: "changeCompany",
  summary: "Rename the company",
  middleware: [readJson] as const,
  request: { body: jsonBody(companyChange) },
  responses: { 200: answers(company, "The changed company"), ...problems(...JSON_REFUSALS) },
});

const listMembers = companyRoute("members:read", {
  method: "get",
  path: "/members",
  operationId: "listMembers",
  summary: "List members in the order in which they joined",
  responses: { 200: answers(memberList, "The members") },
});

const listInvitations = companyRoute("members:manage", {
  method: "get",
  path: "/invitations",
  operationId: "listInvitations",
  summary: "List pending invitations, oldest first",
  responses: { 200: answers(invitationList, "The invitations") },
});

const usage = companyRoute("content:read", {
  method: "get",
  path: "/usage",
  operationId: "getCompanyUsage",
  summary: "Get the company's usage and quotas",
  description: "Files count from the start of their upload until they are deleted or replaced.",
  responses: { 200: answers(companyUsage, "The usage and quotas") },
});

const storage = companyRoute("storage:read", {
  method: "get",
  path: "/storage",
  operationId: "getCompanyStorage",
  summary: "Get the storage connection for new files",
  responses: { 200: answers(currentStorage, "The connection") },
});

const put = companyRoute("storage:manage", {
  method: "put",
  path: "/storage",
  operationId: "switchCompanyStorage",
  summary: "Change the storage connection for new files",
  description:
    "The connection is tested first. Existing files stay in their storage and are served from there. A storage " +
    "migration moves them.",
  middleware: [readJson] as const,
  request: { body: jsonBody(currentStorage) },
  responses: {
    200: answers(currentStorage, "The new connection"),
    ...problems(
      "not_found",
      "storage_test_failed",
      "storage_conflict",
      "secrets_unavailable",
      ...JSON_REFUSALS,
    ),
  },
});

export const companyRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, (c) => {
    const { id, name } = c.var.access.company;
    return c.json({ id, name }, 200);
  })
  .openapi(change, async (c) => {
    const { id } = c.var.access.company;
    const { name } = c.req.valid("json");
    await renameCompany(c.env.db, { id, name }, c.var.audit, c.env.now());
    return c.json({ id, name }, 200);
  })
  .openapi(listMembers, async (c) => {
    const rows = await membersOf(c.env.db, c.var.access.company.id);
    const items = rows.map(({ id, userId, name, email, role, createdAt }) => ({
      id,
      person_id: userId,
      name,
      email,
      role,
      joined_at: createdAt.toISOString(),
    }));
    return c.json({ items }, 200);
  })
  .openapi(listInvitations, async (c) => {
    const rows = await invitationsOf(c.env.db, c.var.access.company.id, c.env.now());
    const items = rows.map(({ id, email, role, expiresAt, createdAt }) => ({
      id,
      email,
      role,
      expires_at: expiresAt.toISOString(),
      created_at: createdAt.toISOString(),
    }));
    return c.json({ items }, 200);
  })
  .openapi(usage, async (c) => {
    const { company } = c.var.access;
    const now = c.env.now();
    const quotas = quotasOf(company, c.env.settings.quotas);
    const days = SHOWN_DAYS;
    const [compilationDays, counts, [deleted]] = await c.env.db.batch([
      readDays(c.env.db, company.id, days, now),
      readCounts(c.env.db, company.id),
      readDeleted(c.env.db, company.id),
    ]);
    return c.json(usageBody(company, { quotas, counts, deleted, compilationDays, days, now }), 200);
  })
  .openapi(storage, (c) =>
    c.json({ connection_id: c.var.store.company.storageConnectionId ?? PLATFORM }, 200),
  )
  .openapi(put, async (c) => {
    const { connection_id: id } = c.req.valid("json");
    await switchStorage(c.env, c.var.connections, await idOf(c.var.connections, id));
    return c.json({ connection_id: id }, 200);
  });
