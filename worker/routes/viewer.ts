import { Hono } from "hono";
import type { AppEnv } from "../bindings.ts";
import { manifestBody } from "../content/manifest.ts";
import { isPublic } from "../content/public.ts";
import { Refusal } from "../errors.ts";
import { findLinked } from "./linked-content.ts";

/** Documented in worker/document/viewer.ts. */
export const viewerRoutes = new Hono<AppEnv>().get("/:unique_id", async (c) => {
  const uniqueId = c.req.param("unique_id");
  const content = await findLinked(c, uniqueId);
  if (!content || !isPublic(content, c.env.now()))
    throw new Refusal("not_found", `No published photo has the id "${uniqueId.slice(0, 100)}".`);
  c.header("Cache-Control", "no-cache");
  return c.json(manifestBody(content));
});
