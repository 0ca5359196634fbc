import { OpenAPIHono, z } from "@hono/zod-openapi";
import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { AppEnv } from "../bindings.ts";
import type { ProjectStore } from "../content/project-store.ts";
import { drawQrCode } from "../content/qr-code.ts";
import { fetchImage } from "../content/remote-image.ts";
import { contentBody, leaseBody, taskBody, viewerUrl } from "../content/representation.ts";
import { type ContentStore, type ContentWithTask, purge } from "../content/store.ts";
import { type Photo, submitPhoto } from "../content/submission.ts";
import type { Content, ProjectRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { decodeCursor, encodeCursor } from "../http/cursor.ts";
import { assertMatch, changedMeanwhile, etagOf, IF_MATCH, IF_NONE_MATCH, isKnown } from "../http/etag.ts";
import { decimal, descriptionText, isVisible, oneLine, searchText, titleText } from "../http/fields.ts";
import { jsonOf, originOf, parsed, readJson } from "../http/json-body.ts";
import { readForm } from "../http/multipart.ts";
import {
  answers,
  contentId,
  JSON_REFUSALS,
  problems,
  STORAGE_REFUSALS,
  tagged,
  waiting,
} from "../http/openapi.ts";
import { type RequestBody, unsupportedMediaType } from "../http/request-body.ts";
import { logFailure } from "../log.ts";
import { waitForMarker } from "../marker/wait.ts";
import {
  arContent,
  compileWhere,
  contentChange,
  contentPage,
  markerStatus,
  maxFeatures,
  remotePhoto,
  submission,
  taskList,
} from "../schemas.ts";
import { announceEvents } from "../webhooks/deliveries.ts";
import { companyRoute } from "./guarded.ts";

const DAY_MS = 24 * 3_600_000;

/** The text fields of an upload, which come as strings. */
export const uploadTexts = z.object({
  title: titleText.optional(),
  description: descriptionText.optional(),
  project_id: z.string().max(64).optional(),
  compile: compileWhere.optional(),
  max_features: decimal(maxFeatures).optional(),
  expires_at: z.iso.datetime().optional(),
});

const list = companyRoute("content:read", {
  method: "get",
  path: "/",
  operationId: "listArContent",
  summary: "List AR content, newest first",
  request: {
    query: z.object({
      project_id: z.string().max(64).optional(),
      status: markerStatus.optional(),
      q: searchText.optional().openapi({ description: "Part of the title or description." }),
      cursor: z.string().max(200).optional().openapi({ description: "`next_cursor` of the page before." }),
      limit: decimal(z.number().int().min(1).max(100)).default(30),
    }),
  },
  responses: { 200: answers(contentPage, "One page"), ...problems("invalid_input") },
});

const create = companyRoute("content:submit", {
  method: "post",
  path: "/",
  operationId: "createArContent",
  summary: "Upload a photo and have its marker compiled",
  description:
    "With `compile=server`, the default, the Node compiler makes the marker. With `compile=browser` the " +
    "caller does: the answer brings a lease, whose token goes with the delivery. A photo that was compiled " +
    "before with the same options gets that marker at once. The photo comes with the form, or JSON says where it is.",
  request: { query: waiting },
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/RemotePhoto" } },
      "multipart/form-data": {
        schema: {
          type: "object",
          required: ["image"],
          properties: {
            image: { type: "string", format: "binary", description: "JPEG, PNG or WebP, at most 20 MB." },
            title: { type: "string", maxLength: 200, description: "Default: the name of the file." },
            description: { type: "string", maxLength: 2000 },
            project_id: { type: "string", description: "Default: the oldest that is not archived." },
            compile: { type: "string", enum: ["server", "browser"], default: "server" },
            max_features: {
              type: "integer",
              minimum: 20,
              maximum: 5000,
              description: "Keep only this many strongest points per keyframe. Default: the project's.",
            },
            expires_at: {
              type: "string",
              format: "date-time",
              description: "When viewers see it no longer. Default: by the project's days.",
            },
          },
        },
      },
    },
  },
  responses: {
    201: {
      ...answers(submission, "Stored; `Location` is the content's address"),
      headers: z.object({ Location: z.string(), ETag: z.string() }),
    },
    ...problems(
      "malformed_upload",
      "malformed_json",
      "body_too_large",
      "upload_interrupted",
      "unsupported_media_type",
      "image_not_fetched",
      "invalid_input",
      "project_archived",
      "quota_exceeded",
      "image_too_many_bytes",
      "not_an_image",
      "unsupported_format",
      "empty_file",
      "image_damaged",
      "image_too_many_pixels",
      "image_too_small",
      ...STORAGE_REFUSALS,
    ),
  },
});

const read = companyRoute("content:read", {
  method: "get",
  path: "/{id}",
  operationId: "getArContent",
  summary: "One piece of AR content",
  request: { params: contentId, query: waiting },
  parameters: [IF_NONE_MATCH],
  responses: {
    200: tagged(arContent, "The content"),
    304: { description: "The client has it already" },
    ...problems("not_found", "invalid_input"),
  },
});

const change = companyRoute("content:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeArContent",
  summary: "Change title, description, project, or whether and for how long the viewer shows it",
  description:
    "Texts are kept well-formed and without control characters or overrides of the text's direction; a title " +
    "is one line, a description may have several.",
  middleware: [readJson] as const,
  request: {
    params: contentId,
    body: { required: true, content: { "application/json": { schema: contentChange } } },
  },
  parameters: [IF_MATCH],
  responses: {
    200: tagged(arContent, "The changed content"),
    ...problems("not_found", "precondition_failed", "project_archived", ...JSON_REFUSALS),
  },
});

const remove = companyRoute("content:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "deleteArContent",
  summary: "Delete content with all its files",
  request: { params: contentId },
  parameters: [IF_MATCH],
  responses: { 204: { description: "Deleted" }, ...problems("not_found", "precondition_failed") },
});

const history = companyRoute("content:read", {
  method: "get",
  path: "/{id}/tasks",
  operationId: "listCompileTasks",
  summary: "Every compilation of this content, newest first",
  request: { params: contentId },
  responses: { 200: answers(taskList, "The tasks"), ...problems("not_found") },
});

const qrCode = companyRoute("content:read", {
  method: "get",
  path: "/{id}/qr.svg",
  operationId: "getQrCode",
  summary: "QR code of the viewer's address",
  request: { params: contentId },
  responses: {
    200: { description: "SVG", content: { "image/svg+xml": { schema: z.string() } } },
    ...problems("not_found"),
  },
});

const routes = new OpenAPIHono<AppEnv>();
// Known to the document by its name alone: the body may be a form instead.
routes.openAPIRegistry.register("RemotePhoto", remotePhoto);

export const contentRoutes = routes
  .openapi(list, async (c) => {
    const { project_id: projectId, status, q: text, cursor, limit } = c.req.valid("query");
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const { rows, next, total } = await c.var.store.list({ projectId, status, text, after, limit });
    const origin = originOf(c);
    const items = rows.map(({ content, task }) => contentBody(content, task, origin));
    return c.json({ items, next_cursor: next && encodeCursor(next), total }, 200);
  })
  .openapi(create, async (c) => {
    const photo = await readPhoto(c.env, c.var.body, c.var.projects);
    const { store, creation } = c.var;
    const { lease, reused, ...submitted } = await submitPhoto(
      { ...c.env, origin: originOf(c) },
      store,
      { photo, creation },
      c.env.now(),
    );
    // Who holds the lease is who compiles: nobody else will while they wait.
    const seconds = lease ? 0 : c.req.valid("query").wait;
    const { content, task } = (await waitForMarker(c.env, store, submitted, seconds)) ?? submitted;
    const body = {
      content: contentBody(content, task, originOf(c)),
      task_id: task.id,
      lease: lease && leaseBody(lease),
      reused,
    };
    const headers = { Location: `/api/ar-content/${content.id}`, ETag: await etagOf(body.content) };
    return c.json(body, 201, headers);
  })
  .openapi(read, async (c) => {
    const { id } = c.req.valid("param");
    const found = await find(c.var.store, id);
    const current = await waitForMarker(c.env, c.var.store, found, c.req.valid("query").wait);
    if (!current) throw notFound(id);
    const { content, task } = current;
    const body = contentBody(content, task, originOf(c));
    const etag = await etagOf(body);
    if (isKnown(c, etag)) return c.body(null, 304, { ETag: etag });
    return c.json(body, 200, { ETag: etag });
  })
  .openapi(change, async (c) => {
    const { id } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const { title, description, is_active: isActive, project_id: projectId, expires_at } = wanted;
    if (projectId !== undefined) await openProject(c.var.projects, projectId);
    const expiresAt = typeof expires_at === "string" ? Date.parse(expires_at) : expires_at;
    const { store } = c.var;
    const expected = await expectedBy(c, await find(store, id));
    const changes = { title, description, isActive, projectId, expiresAt };
    const options = { auditDetail: wanted, expected, now: c.env.now() };
    if (!(await store.update(id, changes, options))) throw await notThere(store, id);
    const { content, task } = await find(store, id);
    const body = contentBody(content, task, originOf(c));
    return c.json(body, 200, { ETag: await etagOf(body) });
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    const { company } = c.var.store;
    const expected = await expectedBy(c, await find(c.var.store, id));
    const removed = await c.var.store.remove(id, c.env.now(), expected);
    if (!removed) throw await notThere(c.var.store, id);
    await announceEvents(c.env, [id]);
    try {
      await purge(c.env.db, c.env.storages, company, removed);
    } catch (error) {
      logFailure("Files are left to the sweep", error, { content_id: id });
    }
    return c.body(null, 204);
  })
  .openapi(history, async (c) => {
    const { id } = c.req.valid("param");
    const tasks = await c.var.store.tasks(id);
    // Content has a task from its first moment on.
    if (tasks.length === 0) throw notFound(id);
    return c.json({ items: tasks.map(taskBody) }, 200);
  })
  .openapi(qrCode, async (c) => {
    const { content } = await find(c.var.store, c.req.valid("param").id);
    return c.body(drawQrCode(viewerUrl(content.uniqueId, originOf(c))), 200, {
      "Content-Type": "image/svg+xml",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    });
  });

/** The content and its newest task, or a refusal. */
export async function find(store: ContentStore, id: string) {
  const found = await store.get(id);
  if (!found) throw notFound(id);
  return found;
}

/** The content that a change is about only, if its request says so by If-Match; checked against what was found. */
export async function expectedBy(
  c: Parameters<typeof originOf>[0] & Parameters<typeof assertMatch>[0],
  { content, task }: ContentWithTask,
): Promise<Content | undefined> {
  return (await assertMatch(c, contentBody(content, task, originOf(c)))) ? content : undefined;
}

/** Why content that was there is not changed: it has gone meanwhile, or was changed by somebody else. */
export async function notThere(store: ContentStore, id: string): Promise<Refusal> {
  return (await store.get(id)) ? changedMeanwhile() : notFound(id);
}

export function notFound(id: string): Refusal {
  return new Refusal("not_found", `There is no AR content with the id "${id.slice(0, 100)}".`);
}

export type PhotoFields = z.infer<typeof uploadTexts>;

async function readPhoto(
  { internet, now }: AppEnv["Bindings"],
  body: RequestBody,
  projects: ProjectStore,
): Promise<Photo> {
  switch (body.mediaType) {
    case "application/json": {
      const { image_url: address, ...fields } = parsed(remotePhoto, await jsonOf(body), "json");
      const project = await openProject(projects, fields.project_id);
      return photoOf(await fetchImage(internet, address), nameOf(address), fields, project, now());
    }
    case "multipart/form-data": {
      const { image, fields } = await readUpload(body);
      const project = await openProject(projects, fields.project_id);
      return photoOf(image.bytes, image.name, fields, project, now());
    }
    default:
      throw unsupportedMediaType(body, "multipart/form-data with a boundary, or application/json");
  }
}

async function readUpload(body: RequestBody) {
  const { files, texts } = await readForm(body, {
    files: ["image"],
    texts: ["title", "description", "project_id", "compile", "max_features", "expires_at"],
    maxFileBytes: MAX_IMAGE_BYTES,
    tooLarge: "image_too_many_bytes",
  });
  if (!files.image) {
    throw new Refusal("invalid_input", `Field "image" is missing; expected a JPEG, PNG or WebP file.`);
  }
  // An empty field of a form means that it was left out.
  const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
  return { image: files.image, fields: parsed(uploadTexts, given, "form") };
}

export function photoOf(
  bytes: Uint8Array<ArrayBuffer>,
  fileName: string,
  fields: PhotoFields,
  project: ProjectRow,
  now: number,
): Photo {
  const expiresAt = fields.expires_at
    ? Date.parse(fields.expires_at)
    : project.expiresAfterDays && now + project.expiresAfterDays * DAY_MS;
  return {
    bytes,
    projectId: project.id,
    title: fields.title ?? titleOf(fileName),
    description: fields.description ?? "",
    executor: fields.compile === "browser" ? "browser" : "node",
    maxFeatures: fields.max_features ?? project.maxFeatures,
    expiresAt,
  };
}

/** The name of the file at an address. */
export function nameOf(address: string): string {
  const name = URL.parse(address)?.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A project that takes content: the one of this id, or the default one. */
export async function openProject(projects: ProjectStore, id: string | undefined): Promise<ProjectRow> {
  const found = await (id === undefined ? projects.first() : projects.get(id));
  if (!found) throw new Refusal("invalid_input", `Field "project_id": there is no project "${id ?? ""}".`);
  if (found.archivedAt !== null) {
    throw new Refusal("project_archived", `The project "${found.name}" is archived: it takes nothing new.`);
  }
  return found;
}

/** The name of a file without folder and extension. */
function titleOf(fileName: string): string {
  const base = fileName.split(/[/\\]/).at(-1) ?? "";
  const title = oneLine(base.replace(/\.[^.]*$/, "")).slice(0, 200);
  // A character that the cut went through goes as a whole.
  const whole = title.replace(/[\ud800-\udbff]$/, "").trim();
  return isVisible(whole) ? whole : "Untitled";
}
