import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { answers, problems } from "../http/openapi.ts";
import { logFailure } from "../log.ts";
import { health } from "../schemas.ts";

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getHealth",
  summary: "Each dependency by name",
  description: "Anybody may ask: whether one answers, and how fast. Why one does not is in the log.",
  security: [],
  responses: {
    200: answers(health, "Everything answers"),
    503: answers(health, "Something does not"),
    ...problems("too_many_requests"),
  },
});

export const healthRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const checked = await Promise.all(
    Object.entries(c.env.dependencies).map(async ([name, check]) => {
      const started = c.env.now();
      try {
        await check();
        return [name, { ok: true, milliseconds: c.env.now() - started }] as const;
      } catch (error) {
        logFailure("A dependency does not answer", error, { dependency: name });
        return [name, { ok: false, milliseconds: c.env.now() - started }] as const;
      }
    }),
  );
  const ok = checked.every(([, { ok }]) => ok);
  const body = {
    status: ok ? ("ok" as const) : ("degraded" as const),
    dependencies: Object.fromEntries(checked),
  };
  c.header("Cache-Control", "no-store");
  return ok ? c.json(body, 200) : c.json(body, 503);
});
