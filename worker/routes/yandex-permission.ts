import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { originOf, readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems, STORAGE_REFUSALS } from "../http/openapi.ts";
import { logFailure } from "../log.ts";
import { connectionBody } from "../storage/representation.ts";
import { connection, connectionName } from "../storage/schemas.ts";
import { yandexDiskSettings } from "../storage/settings.ts";
import { permissionUrl, takePermission } from "../storage/yandex-permission.ts";
import { companyRoute } from "./guarded.ts";
import { idOf } from "./storage-connections.ts";

const CALLBACK = "/api/storage-connections/yandex/callback";

const authorize = companyRoute("storage:manage", {
  method: "get",
  path: "/authorize",
  operationId: "authorizeYandexDisk",
  summary: "Where a person allows the access to their Yandex Disk",
  description:
    "The answer's address is for the person's browser. From there it comes back to this API, which makes the " +
    "connection (or gives the one of `connection_id` new tokens) and leads on to the studio. The address is good " +
    "for 30 minutes.",
  request: {
    query: z.object({
      name: connectionName.default("Yandex Disk"),
      root: yandexDiskSettings.shape.root,
      connection_id: z.string().max(64).optional(),
    }),
  },
  responses: {
    200: answers(z.object({ url: z.url() }).openapi("YandexAuthorization"), "The address"),
    ...problems("not_found", "invalid_input", "authorization_unavailable", "secrets_unavailable"),
  },
});

const callback = companyRoute("storage:manage", {
  method: "get",
  path: "/callback",
  operationId: "finishYandexDiskAuthorization",
  summary: "Where Yandex sends the person's browser back to",
  description: "Leads on to the studio's page of storages, with `connection` or `error` in its address.",
  request: {
    query: z.object({
      code: z.string().max(500).optional(),
      state: z.string().max(4000).optional(),
      error: z.string().max(200).optional(),
    }),
  },
  responses: { 303: { description: "To the studio" }, ...problems("invalid_input") },
});

const exchange = companyRoute("storage:manage", {
  method: "post",
  path: "/exchange",
  operationId: "exchangeYandexDiskCode",
  summary: "The same for a code that the person copied",
  middleware: [readJson] as const,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({
              code: z.string().min(1).max(500),
              state: z.string().min(1).max(4000).openapi({ description: "Of the authorization's address." }),
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
    const wish = { name, root, connectionId };
    return c.json({ url: await permissionUrl(c.env, connections, wish, originOf(c) + CALLBACK) }, 200);
  })
  .openapi(callback, async (c) => {
    const { code, state = "", error } = c.req.valid("query");
    try {
      if (!code) throw new Refusal("authorization_failed", yandexRefusal(error));
      const { id } = await takePermission(c.env, c.var.connections, code, state);
      return toStudio(c, { connection: id });
    } catch (refused) {
      if (!(refused instanceof Refusal)) logFailure("A permission of Yandex could not be taken", refused);
      return toStudio(c, {
        error: refused instanceof Refusal ? refused.message : "Yandex did not answer; try again.",
      });
    }
  })
  .openapi(exchange, async (c) => {
    const { code, state } = c.req.valid("json");
    const { connections } = c.var;
    const row = await takePermission(c.env, connections, code, state);
    const held = await connections.heldFiles();
    return c.json(await connectionBody(c.env.storages, row, connections.company, held, c.env.now()), 200);
  });

function yandexRefusal(error: string | undefined): string {
  return error === "access_denied"
    ? "The access to Yandex Disk was not allowed."
    : "Yandex gave no permission; try again.";
}

function toStudio(c: Context, query: Record<string, string>): Response {
  return c.redirect(`/storage?${new URLSearchParams(query)}`, 303);
}
