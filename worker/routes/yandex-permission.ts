import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems, STORAGE_REFUSALS } from "../http/openapi.ts";
import { linkOriginOf } from "../http/origin.ts";
import { logFailure } from "../log.ts";
import { connectionBody } from "../storage/representation.ts";
import { connection, connectionName } from "../storage/schemas.ts";
import { yandexDiskSettings } from "../storage/settings.ts";
import { finishAuthorization, startAuthorization } from "../storage/yandex-permission.ts";
import { companyRoute } from "./guarded.ts";
import { idOf } from "./storage-connections.ts";

const CALLBACK = "/api/storage-connections/yandex/callback";

const authorize = companyRoute("storage:manage", {
  method: "get",
  path: "/authorize",
  operationId: "authorizeYandexDisk",
  summary: "Get the URL at which a person grants access to their Yandex Disk",
  description:
    "Open the URL in the person's browser. Yandex then redirects it back to this API, which creates the connection (or " +
    "renews the tokens of `connection_id`) and redirects to the studio. The URL expires after 30 minutes.",
  request: {
    query: z.object({
      name: connectionName.default("Yandex Disk"),
      root: yandexDiskSettings.shape.root,
      connection_id: z.string().max(64).optional(),
    }),
  },
  responses: {
    200: answers(z.object({ url: z.url() }).openapi("YandexAuthorization"), "The URL"),
    ...problems(
      "not_found",
      "invalid_input",
      "public_url_missing",
      "authorization_unavailable",
      "secrets_unavailable",
    ),
  },
});

const callback = companyRoute("storage:manage", {
  method: "get",
  path: "/callback",
  operationId: "finishYandexDiskAuthorization",
  summary: "Finish the authorization: Yandex redirects the browser here",
  description: "Redirects to the studio's storage page, with `connection` or `error` in the query.",
  request: {
    query: z.object({
      code: z.string().max(500).optional(),
      state: z.string().max(4000).optional(),
      error: z.string().max(200).optional(),
    }),
  },
  responses: { 303: { description: "Redirect to the studio" }, ...problems("invalid_input") },
});

const exchange = companyRoute("storage:manage", {
  method: "post",
  path: "/exchange",
  operationId: "exchangeYandexDiskCode",
  summary: "Finish the authorization with a code that the person copied",
  middleware: [readJson] as const,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({
              code: z.string().min(1).max(500),
              state: z
                .string()
                .min(1)
                .max(4000)
                .openapi({ description: "The `state` in the query of the authorization URL." }),
            })
            .openapi("YandexCode"),
        },
      },
    },
  },
  responses: {
    200: answers(connection, "The connection"),
    ...problems(
      "not_found",
      "storage_in_use",
      "authorization_failed",
      "authorization_unavailable",
      ...JSON_REFUSALS,
      ...STORAGE_REFUSALS,
    ),
  },
});

export const yandexPermissionRoutes = new OpenAPIHono<AppEnv>()
  .openapi(authorize, async (c) => {
    const { name, root, connection_id: id } = c.req.valid("query");
    const { connections } = c.var;
    const connectionId = id === undefined ? null : await idOf(connections, id);
    const requested = { name, root, connectionId };
    const url = await startAuthorization(c.env, connections, requested, linkOriginOf(c) + CALLBACK);
    return c.json({ url }, 200);
  })
  .openapi(callback, async (c) => {
    const { code, state = "", error } = c.req.valid("query");
    try {
      if (!code) throw new Refusal("authorization_failed", authorizationError(error));
      const { id } = await finishAuthorization(c.env, c.var.connections, code, state);
      return redirectToStudio(c, { connection: id });
    } catch (refused) {
      if (!(refused instanceof Refusal))
        logFailure("The Yandex authorization could not be finished", refused);
      return redirectToStudio(c, {
        error: refused instanceof Refusal ? refused.message : "Yandex did not respond. Try again.",
      });
    }
  })
  .openapi(exchange, async (c) => {
    const { code, state } = c.req.valid("json");
    const { connections } = c.var;
    const row = await finishAuthorization(c.env, connections, code, state);
    const held = await connections.heldFiles();
    const context = { company: connections.company, held, now: c.env.now() };
    return c.json(await connectionBody(c.env.storages, row, context), 200);
  });

function authorizationError(error: string | undefined): string {
  return error === "access_denied"
    ? "Access to Yandex Disk was denied. Allow it at Yandex, and try again."
    : "Yandex did not grant access. Try again.";
}

function redirectToStudio(c: Context, query: Record<string, string>): Response {
  return c.redirect(`/storage?${new URLSearchParams(query)}`, 303);
}
