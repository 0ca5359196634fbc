import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { taskBody } from "../content/representation.ts";
import { Refusal } from "../errors.ts";
import { answers, problems } from "../http/openapi.ts";
import { compileTask } from "../schemas.ts";
import { companyRoute } from "./guarded.ts";

const read = companyRoute("content:read", {
  method: "get",
  path: "/{task_id}",
  operationId: "getCompileTask",
  summary: "Get a compilation",
  request: { params: z.object({ task_id: z.string() }) },
  responses: { 200: answers(compileTask, "The compilation"), ...problems("not_found") },
});

export const taskRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const { task_id: taskId } = c.req.valid("param");
  const task = await c.var.store.task(taskId);
  if (!task) throw new Refusal("not_found", `No compilation has the id "${taskId.slice(0, 100)}".`);
  return c.json(taskBody(task), 200);
});
