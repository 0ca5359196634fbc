import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { manifestBody } from "../content/representation.ts";
import { findPublic, isPublic } from "../content/store.ts";
import { Refusal } from "../errors.ts";
import { answers, problems } from "../http/openapi.ts";
import { viewerManifest } from "../schemas.ts";

const manifest = createRoute({
  method: "get",
  path: "/{unique_id}",
  operationId: "getViewerManifest",
  summary: "Get the data that a viewer needs to play a photo",
  description: "Public and readable from any origin. Returns 404 if the photo is inactive or has expired.",
  security: [],
  request: { params: z.object({ unique_id: z.string() }) },
  responses: { 200: answers(viewerManifest, "The manifest"), ...problems("not_found", "too_many_requests") },
});

export const viewerRoutes = new OpenAPIHono<AppEnv>().openapi(manifest, async (c) => {
  const { unique_id: uniqueId } = c.req.valid("param");
  const now = c.env.now();
  const content = await c.env.publicCache.content(uniqueId, now, () => findPublic(c.env.db, uniqueId));
  if (!content || !isPublic(content, now))
    throw new Refusal("not_found", `No published photo has the id "${uniqueId.slice(0, 100)}".`);
  c.header("Cache-Control", "no-cache");
  return c.json(manifestBody(content), 200);
});
