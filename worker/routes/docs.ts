import { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";

/** Leads to the API reference, a page of the studio. */
export const docsRoutes = new OpenAPIHono<AppEnv>().get("/", (c) => c.redirect("/reference"));
