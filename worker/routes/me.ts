import { OpenAPIHono } from "@hono/zod-openapi";
import { companiesOf, foundCompany } from "../accounts/people.ts";
import { PERMISSIONS, type Permission, roleMay } from "../accounts/permissions.ts";
import { me, membership, newCompany } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import { answers, JSON_REFUSALS, problems } from "../openapi.ts";
import { personRoute } from "./guarded.ts";
import { readJson } from "./http.ts";

const read = personRoute({
  method: "get",
  path: "/",
  operationId: "getMe",
  summary: "Who is signed in, and in which company",
  responses: { 200: answers(me, "The person") },
});

const found = personRoute({
  method: "post",
  path: "/companies",
  operationId: "createCompany",
  summary: "Make a company of one's own",
  description: "The session is about it when it is made active: `POST /api/auth/organization/set-active`.",
  middleware: [readJson] as const,
  request: { body: { required: true, content: { "application/json": { schema: newCompany } } } },
  responses: { 201: answers(membership, "The company"), ...problems(...JSON_REFUSALS) },
});

export const meRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const { id, name, email, sessionId, activeCompanyId } = c.var.person;
    const companies = await companiesOf(c.env.db, id);
    const active = companies.find((company) => company.id === activeCompanyId);
    const permissions = (Object.keys(PERMISSIONS) as Permission[]).filter(
      (permission) => active && roleMay(active.role, permission),
    );
    const company = active ? { ...active, permissions } : null;
    return c.json({ id, name, email, session_id: sessionId, company, companies }, 200);
  })
  .openapi(found, async (c) => {
    const { name } = c.req.valid("json");
    const id = await foundCompany(c.env.db, c.var.person.id, name, c.env.now());
    return c.json({ id, name, role: "owner" as const }, 201);
  });
