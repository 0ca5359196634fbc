import { OpenAPIHono } from "@hono/zod-openapi";
import { forbidden, may } from "../accounts/identity.ts";
import type { AppEnv } from "../bindings.ts";
import { repeatBulk, runBulk, summarizeBulk } from "../content/bulk.ts";
import { jsonOf, parsed } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, problems } from "../http/openapi.ts";
import { unsupportedMediaType } from "../http/request-body.ts";
import { bulkRequest, bulkResult, MAX_BULK } from "../schemas.ts";
import { openProject } from "./content.ts";
import { companyRoute } from "./guarded.ts";

const change = companyRoute(
  "content:manage",
  {
    method: "post",
    path: "/bulk",
    operationId: "changeManyArContents",
    summary: `Change, recompile or delete up to ${MAX_BULK} photos`,
    description:
      "Runs one action on each photo: `pause`, `resume`, `move` to another project, `set_expiry`, `recompile` on the " +
      "server, or `delete`. Each photo has its own result, in the order of the request. An error in one photo does not " +
      "affect the others, except that compilations above the quota are all refused. `recompile` also requires the " +
      "permission `content:submit`.",
    requestBody: {
      required: true,
      content: { "application/json": { schema: { $ref: "#/components/schemas/BulkRequest" } } },
    },
    responses: {
      200: answers(bulkResult, "One result per photo; any of them can be an error"),
      ...problems("project_archived", ...JSON_REFUSALS),
    },
  },
  "batch",
);

const routes = new OpenAPIHono<AppEnv>();
routes.openAPIRegistry.register("BulkRequest", bulkRequest);

export const bulkRoutes = routes.openapi(change, async (c) => {
  const { store, projects, access, audit, creation, body } = c.var;
  const run = async () => {
    if (body.mediaType !== "application/json") throw unsupportedMediaType(body, "application/json");
    const request = parsed(bulkRequest, await jsonOf(body), "json");
    if (request.action === "recompile" && !may(access, "content:submit"))
      throw forbidden(access, "content:submit");
    if (request.action === "move") await openProject(projects, request.project_id);
    return runBulk(c.env, { store, audit, creation }, request);
  };
  const items =
    creation.summary === undefined ? await run() : await repeatBulk(creation.id, creation.summary);
  c.set("summary", summarizeBulk(items));
  const done = items.filter(({ error }) => error === null).length;
  return c.json({ items, done, refused: items.length - done }, 200);
});
