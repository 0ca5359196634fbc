import { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { answers } from "../openapi.ts";
import { projectList } from "../schemas.ts";
import { companyRoute } from "./guarded.ts";

const list = companyRoute("content:read", {
  method: "get",
  path: "/",
  operationId: "listProjects",
  summary: "List projects, oldest first",
  responses: { 200: answers(projectList, "The projects") },
});

export const projectRoutes = new OpenAPIHono<AppEnv>().openapi(list, async (c) => {
  const projects = await c.var.store.projects();
  const items = projects.map(({ id, name, companyId }) => ({ id, name, company_id: companyId }));
  return c.json({ items }, 200);
});
