import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { type CountedProject, MAX_PROJECTS, type ProjectStore } from "../content/project-store.ts";
import { timestamp } from "../content/representation.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { newProject, type Project, project, projectChange, projectList } from "../schemas.ts";
import { companyRoute } from "./guarded.ts";

const projectId = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });

const list = companyRoute("content:read", {
  method: "get",
  path: "/",
  operationId: "listProjects",
  summary: "List projects, oldest first",
  responses: { 200: answers(projectList, "The projects") },
});

const create = companyRoute("projects:manage", {
  method: "post",
  path: "/",
  operationId: "createProject",
  summary: "Create a project",
  middleware: [readJson] as const,
  request: { body: jsonBody(newProject) },
  responses: { 201: answers(project, "The new project"), ...problems("too_many_projects", ...JSON_REFUSALS) },
});

const read = companyRoute("content:read", {
  method: "get",
  path: "/{id}",
  operationId: "getProject",
  summary: "Get a project",
  request: { params: projectId },
  responses: { 200: answers(project, "The project"), ...problems("not_found") },
});

const change = companyRoute("projects:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeProject",
  summary: "Rename or archive a project, or change its defaults",
  description:
    "New defaults apply to later submissions. An archived project accepts no new photos, and its photos are listed only " +
    "with its `project_id`; viewers still show them. The last open project cannot be archived.",
  middleware: [readJson] as const,
  request: {
    params: projectId,
    body: jsonBody(projectChange),
  },
  responses: {
    200: answers(project, "The changed project"),
    ...problems("not_found", "last_project", ...JSON_REFUSALS),
  },
});

export const projectRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => c.json({ items: (await c.var.projects.list()).map(projectBody) }, 200))
  .openapi(create, async (c) => {
    const { name, max_features: maxFeatures, expires_after_days: expiresAfterDays } = c.req.valid("json");
    const made = await c.var.projects.insert(
      { name, maxFeatures, expiresAfterDays },
      c.env.now(),
      c.var.creation,
    );
    if (!made) {
      const most = MAX_PROJECTS.toLocaleString("en");
      throw new Refusal("too_many_projects", `The company has ${most} projects, the maximum.`);
    }
    return c.json(projectBody(made), 201, { Location: `/api/projects/${made.id}` });
  })
  .openapi(read, async (c) => c.json(projectBody(await find(c.var.projects, c.req.valid("param").id)), 200))
  .openapi(change, async (c) => {
    const { id } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const { name, max_features: maxFeatures, expires_after_days: expiresAfterDays } = wanted;
    const change = { name, maxFeatures, expiresAfterDays, isArchived: wanted.archived };
    const isChanged = await c.var.projects.change(id, change, wanted, c.env.now());
    const found = await find(c.var.projects, id);
    if (!isChanged) {
      throw new Refusal(
        "last_project",
        `"${found.name}" is the only open project. Create another one before you archive it.`,
      );
    }
    return c.json(projectBody(found), 200);
  });

async function find(projects: ProjectStore, id: string): Promise<CountedProject> {
  const found = await projects.get(id);
  if (!found) throw new Refusal("not_found", `No project has the id "${id.slice(0, 100)}".`);
  return found;
}

function projectBody(row: CountedProject): Project {
  return {
    id: row.id,
    name: row.name,
    company_id: row.companyId,
    max_features: row.maxFeatures,
    expires_after_days: row.expiresAfterDays,
    contents: row.contents,
    archived_at: timestamp(row.archivedAt),
    created_at: new Date(row.createdAt).toISOString(),
    updated_at: new Date(row.updatedAt).toISOString(),
  };
}
