import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { answers, problems } from "../http/openapi.ts";
import { linkOriginOf } from "../http/origin.ts";
import { logFailure } from "../log.ts";
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
  const checked = await Promise.all(
    Object.entries({ ...c.env.dependencies, public_url }).map(async ([name, check]) => {
      const started = c.env.now();
      try {
        await check();
        return [name, { ok: true, milliseconds: c.env.now() - started }] as const;
      } catch (error) {
        logFailure("A dependency does not respond", error, { dependency: name });
        // Other errors are for the operator only.
        const detail = error instanceof Refusal ? { detail: error.message } : {};
        return [name, { ok: false, milliseconds: c.env.now() - started, ...detail }] as const;
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
