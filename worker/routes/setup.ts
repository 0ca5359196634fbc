import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { hashPassword } from "../accounts/passwords.ts";
import { isSetUpOpen, setUp } from "../accounts/people.ts";
import { setupRequest, setupState, signedIn } from "../accounts/schemas.ts";
import { assertStrong } from "../accounts/strength.ts";
import type { AppEnv } from "../bindings.ts";
import { FIRST_COMPANY_ID } from "../content/store.ts";
import { Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { matchesToken } from "../token.ts";
import { signIn } from "./auth.ts";

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getSetup",
  summary: "Check whether the platform still needs to be set up",
  security: [],
  responses: {
    200: answers(setupState, "`open` is true until the first owner exists"),
    ...problems("too_many_requests"),
  },
});

const create = createRoute({
  method: "post",
  path: "/",
  operationId: "setUp",
  summary: "Create the first owner with the token of the setup link",
  description:
    "Works once. Existing photos then belong to the owner's company. The response starts a session.",
  security: [],
  middleware: [readJson] as const,
  request: { body: jsonBody(setupRequest) },
  responses: {
    201: answers(signedIn, "Set up and signed in"),
    ...problems("too_many_requests", "wrong_link", "already_set_up", "secrets_unavailable", ...JSON_REFUSALS),
  },
});

export const setupRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    c.header("Cache-Control", "no-store");
    return c.json({ open: await isSetUpOpen(c.env.db) }, 200);
  })
  .openapi(create, async (c) => {
    const { token, name, email, password, company_name: companyName } = c.req.valid("json");
    const { setupToken } = c.env.accounts;
    if (!(await matchesToken(token, setupToken))) {
      throw new Refusal("wrong_link", "The setup link is invalid. Ask the operator for the correct one.");
    }
    await assertStrong(password, [name, email, companyName], "password");
    const owner = { name, email, emailVerified: false, passwordHash: await hashPassword(password) };
    const company = { id: FIRST_COMPANY_ID, name: companyName };
    if (!(await setUp(c.env.db, { owner, company, address: addressOf(c), now: c.env.now() }))) {
      throw new Refusal(
        "already_set_up",
        "This installation already has an owner. Ask the owner for an invitation.",
      );
    }
    for (const cookie of await signIn(c, email, password)) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ company_id: company.id }, 201);
  });
