import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { answers, problems } from "../http/openapi.ts";
import { linkOriginOf } from "../http/origin.ts";
import { watchConditions } from "../platform/alerts.ts";
import { check } from "../platform/health.ts";
import { health } from "../schemas.ts";

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getHealth",
  summary: "Check each dependency",
  description:
    "Public. Reports whether each dependency responds, and how fast. `public_url` is whether links can be made. The log " +
    "has the reason for a failure.",
  security: [],
  responses: {
    200: answers(health, "All dependencies respond"),
    503: answers(health, "At least one dependency does not respond"),
    ...problems("too_many_requests"),
  },
});

export const healthRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const public_url = async () => void linkOriginOf(c);
  const dependencies = await check({ ...c.env.dependencies, public_url }, c.env.now);
  watchConditions(c.env);
  const ok = Object.values(dependencies).every(({ ok }) => ok);
  const body = { status: ok ? ("ok" as const) : ("degraded" as const), dependencies };
  c.header("Cache-Control", "no-store");
  return ok ? c.json(body, 200) : c.json(body, 503);
});
