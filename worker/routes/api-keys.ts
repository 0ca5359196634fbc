import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { ApiKeyStore, MAX_KEYS } from "../accounts/api-keys.ts";
import { type apiKey, apiKeyList, createdApiKey, newApiKey } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import type { ApiKeyRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { type CompanyEnv, companyRoute } from "./guarded.ts";

const list = companyRoute("keys:manage", {
  method: "get",
  path: "/",
  operationId: "listApiKeys",
  summary: "List the company's API keys, newest first",
  request: {
    query: z.object({
      prefix: z
        .string()
        .max(100)
        .optional()
        .openapi({ description: "The first characters of a key, or the whole key." }),
    }),
  },
  responses: { 200: answers(apiKeyList, "The API keys"), ...problems("invalid_input") },
});

const create = companyRoute("keys:manage", {
  method: "post",
  path: "/",
  operationId: "createApiKey",
  summary: "Create an API key; only this response contains it",
  middleware: [readJson] as const,
  request: { body: jsonBody(newApiKey) },
  responses: {
    201: answers(createdApiKey, "The new API key"),
    ...problems("too_many_keys", "secret_shown_once", ...JSON_REFUSALS),
  },
});

const revoke = companyRoute("keys:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "revokeApiKey",
  summary: "Revoke an API key; it stops working at once",
  request: { params: z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) }) },
  responses: { 204: { description: "Revoked" }, ...problems("not_found") },
});

export const apiKeyRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => {
    const { prefix = "" } = c.req.valid("query");
    const rows = await storeOf(c).list();
    const matching = rows.filter((row) => row.prefix.startsWith(prefix) || prefix.startsWith(row.prefix));
    return c.json({ items: matching.map(keyBody) }, 200);
  })
  .openapi(create, async (c) => {
    const { access } = c.var;
    const { name, scopes, expires_at: expires } = c.req.valid("json");
    const now = c.env.now();
    const expiresAt = expires === null ? null : Date.parse(expires);
    if (expiresAt !== null && expiresAt <= now) {
      throw new Refusal(
        "invalid_input",
        `Field "expires_at" is ${expires}, which has passed; expected a time in the future.`,
      );
    }
    // Only people have this permission.
    const creator = access.by === "person" ? access.person.id : "";
    const keys = storeOf(c);
    const { id, isRepeated } = c.var.creation;
    // The response with that key was lost before anybody saw it.
    if (isRepeated) await keys.revoke(id);
    const settings = { id, name, scopes: [...new Set(scopes)], expiresAt };
    const created = await keys.create(settings, creator, now);
    if (!created) {
      const detail = `The company has ${MAX_KEYS} API keys, the maximum. Revoke keys that are not used.`;
      throw new Refusal("too_many_keys", detail);
    }
    const instead = "Revoke it, and create another with a new Idempotency-Key.";
    c.set("shownOnce", `This request created the API key ${id}. ${instead}`);
    return c.json({ ...keyBody(created.row), key: created.key }, 201);
  })
  .openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    if (!(await storeOf(c).revoke(id))) {
      throw new Refusal("not_found", `No API key has the id "${id.slice(0, 100)}".`);
    }
    return c.body(null, 204);
  });

function storeOf({ env, var: { access, audit } }: Context<CompanyEnv>): ApiKeyStore {
  return new ApiKeyStore(env.db, access.company, audit);
}

function keyBody({ id, name, prefix, scopes, expiresAt, lastUsedAt, createdAt }: ApiKeyRow) {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    id,
    name,
    prefix,
    scopes: [...scopes],
    expires_at: time(expiresAt),
    last_used_at: time(lastUsedAt),
    created_at: new Date(createdAt).toISOString(),
  } satisfies z.infer<typeof apiKey>;
}
