import { OpenAPIHono, z } from "@hono/zod-openapi";
import { companiesOf, createCompany, MAX_COMPANIES } from "../accounts/companies.ts";
import { deviceCookie } from "../accounts/device.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { changePassword, confirmPassword, renamePerson } from "../accounts/people.ts";
import { isOfPlatform, PERMISSIONS, type Permission, roleMay } from "../accounts/permissions.ts";
import {
  me,
  membership,
  newCompany,
  passwordChange,
  personChange,
  sessionList,
} from "../accounts/schemas.ts";
import { endSession, sessionsOf } from "../accounts/sessions.ts";
import { assertStrong } from "../accounts/strength.ts";
import type { AppEnv } from "../bindings.ts";
import { FIRST_COMPANY_ID } from "../content/store.ts";
import { Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { originOf, publicOriginOf } from "../http/origin.ts";
import { personRoute } from "./guarded.ts";

const sessionId = z.object({
  id: z
    .string()
    .openapi({ param: { name: "id", in: "path" }, example: "c0cf1b9e-5d0f-4a4e-9a39-8f0d6c1f2b7a" }),
});

const read = personRoute({
  method: "get",
  path: "/",
  operationId: "getMe",
  summary: "Get the signed-in person and their companies",
  responses: { 200: answers(me, "The person") },
});

const change = personRoute({
  method: "patch",
  path: "/",
  operationId: "changeMe",
  summary: "Change your name",
  middleware: [readJson] as const,
  request: { body: jsonBody(personChange) },
  responses: { 204: { description: "Changed" }, ...problems(...JSON_REFUSALS) },
});

const password = personRoute({
  method: "put",
  path: "/password",
  operationId: "changePassword",
  summary: "Change your password; all other sessions end",
  middleware: [readJson] as const,
  request: { body: jsonBody(passwordChange) },
  responses: { 204: { description: "Changed" }, ...problems("too_many_attempts", ...JSON_REFUSALS) },
});

const listSessions = personRoute({
  method: "get",
  path: "/sessions",
  operationId: "listSessions",
  summary: "List your sessions, most recently used first",
  responses: { 200: answers(sessionList, "The sessions") },
});

const revokeSession = personRoute({
  method: "delete",
  path: "/sessions/{id}",
  operationId: "revokeSession",
  summary: "End a session",
  request: { params: sessionId },
  responses: { 204: { description: "Ended" }, ...problems("not_found") },
});

const create = personRoute({
  method: "post",
  path: "/companies",
  operationId: "createCompany",
  summary: "Create a company",
  description: "You become its owner. To select it, use `POST /api/auth/organization/set-active`.",
  middleware: [readJson] as const,
  request: { body: jsonBody(newCompany) },
  responses: {
    201: answers(membership, "The new company"),
    ...problems("too_many_companies", ...JSON_REFUSALS),
  },
});

export const meRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const { id, name, email, sessionId, activeCompanyId } = c.var.person;
    const companies = await companiesOf(c.env.db, id);
    const active = companies.find((company) => company.id === activeCompanyId);
    const permissions = (Object.keys(PERMISSIONS) as Permission[]).filter(
      (permission) =>
        active &&
        roleMay(active.role, permission) &&
        (!isOfPlatform(permission) || active.id === FIRST_COMPANY_ID),
    );
    const company = active ? { ...active, permissions } : null;
    const public_url = publicOriginOf(c) || null;
    return c.json({ id, name, email, session_id: sessionId, company, companies, public_url }, 200);
  })
  .openapi(change, async (c) => {
    await renamePerson(c.env.db, c.var.person.id, c.req.valid("json").name, c.env.now());
    return c.body(null, 204);
  })
  .openapi(password, async (c) => {
    const { person } = c.var;
    const { current_password: password, new_password: newPassword } = c.req.valid("json");
    const request = { person, address: addressOf(c), now: c.env.now() };
    const companies = await companiesOf(c.env.db, person.id);
    const about = [person.name, person.email, ...companies.map(({ name }) => name)];
    const oldHash = await confirmPassword(c.env.db, { ...request, password });
    await assertStrong(newPassword, about, "new_password");
    const newHash = await hashPassword(newPassword);
    if (!(await changePassword(c.env.db, { ...request, oldHash, newHash }))) {
      throw new Refusal("invalid_input", "The password was changed elsewhere at the same time. Try again.");
    }
    c.header("Set-Cookie", await deviceCookie(c, originOf(c), person.email), { append: true });
    return c.body(null, 204);
  })
  .openapi(listSessions, async (c) => {
    const { person } = c.var;
    const rows = await sessionsOf(c.env.db, person.id, c.env.now());
    const items = rows.map(({ id, ipAddress, userAgent, createdAt, updatedAt, expiresAt }) => ({
      id,
      current: id === person.sessionId,
      address: ipAddress || null,
      user_agent: userAgent || null,
      created_at: createdAt.toISOString(),
      last_used_at: updatedAt.toISOString(),
      expires_at: expiresAt.toISOString(),
    }));
    return c.json({ items }, 200);
  })
  .openapi(revokeSession, async (c) => {
    const { id } = c.req.valid("param");
    if (await endSession(c.env.db, c.var.person.id, id)) return c.body(null, 204);
    throw new Refusal("not_found", `None of your sessions has the id "${id.slice(0, 100)}".`);
  })
  .openapi(create, async (c) => {
    const { name } = c.req.valid("json");
    const { person, creation } = c.var;
    const request = { address: addressOf(c), now: c.env.now(), creation };
    const id = await createCompany(c.env.db, { owner: person, name, ...request });
    if (id === undefined) {
      throw new Refusal(
        "too_many_companies",
        `You own or have created ${MAX_COMPANIES} companies, the maximum.`,
      );
    }
    return c.json({ id, name, role: "owner" as const }, 201);
  });
