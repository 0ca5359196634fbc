import { OpenAPIHono, z } from "@hono/zod-openapi";
import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { AuditDetail } from "../audit/log.ts";
import type { AppEnv } from "../bindings.ts";
import { CONTENT_FILTERS, EXPIRING_DAYS } from "../content/filters.ts";
import { IncomingPhoto, otherSize } from "../content/incoming-photo.ts";
import { notFound } from "../content/not-found.ts";
import type { ProjectStore } from "../content/project-store.ts";
import { drawQrCode } from "../content/qr-code.ts";
import { fetchImage } from "../content/remote-image.ts";
import { contentBody, leaseBody, taskBody, viewerUrl } from "../content/representation.ts";
import { decodePosition, encodePosition, MAX_CURSOR_LENGTH, SORTS } from "../content/sorts.ts";
import { type ContentStore, type ContentWithTask, purge } from "../content/store.ts";
import { type Photo, submitPhoto } from "../content/submission.ts";
import type { Content, ProjectRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import {
  assertMatch,
  changedSinceRead,
  etagOf,
  IF_MATCH,
  IF_NONE_MATCH,
  isNotModified,
} from "../http/etag.ts";
import { decimal, isVisible, oneLine, searchText } from "../http/fields.ts";
import { jsonOf, parsed, readJson } from "../http/json-body.ts";
import { describeForm, readForm } from "../http/multipart.ts";
import {
  answers,
  contentId,
  JSON_REFUSALS,
  jsonBody,
  KEEP_FILES,
  problems,
  STORAGE_REFUSALS,
  tagged,
  waiting,
} from "../http/openapi.ts";
import { linkOriginOf, publicOriginOf } from "../http/origin.ts";
import { unsupportedMediaType } from "../http/request-body.ts";
import { logFailure } from "../log.ts";
import { waitForMarker } from "../marker/wait.ts";
import {
  arContent,
  contentChange,
  contentPage,
  markerStatus,
  type OrderFields,
  photoTexts,
  remotePhoto,
  submission,
  taskList,
} from "../schemas.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { type CompanyEnv, companyRoute } from "./guarded.ts";

const DAY_MS = 24 * 3_600_000;

/** Smaller photos are kept in memory, which saves time. */
const MAX_KEPT_IMAGE_BYTES = 1_000_000;

const photoForm = {
  files: { image: { description: "JPEG, PNG or WebP, at most 20 MB.", isRequired: true } },
  texts: photoTexts.extend({
    image_bytes: decimal(z.number().int())
      .optional()
      .describe(
        "The size of the image. Send it before the image: a photo of more than 1 MB is then stored as it arrives, and " +
          "does not wait for the memory of other uploads.",
      ),
  }),
  maxFileBytes: MAX_IMAGE_BYTES,
  tooLarge: "image_too_many_bytes",
} as const;

/** A filter in the query. */
const flag = (description: string) => z.enum(["true"]).optional().openapi({ description });

const list = companyRoute("content:read", {
  method: "get",
  path: "/",
  operationId: "listArContent",
  summary: "List photos",
  description:
    "A search with `q` and a list with filters look at 1,000 photos per page, so a page may have fewer photos than " +
    "`limit`, or none, before the last one. The last page has no `next_cursor`.",
  request: {
    query: z.object({
      project_id: z.string().max(64).optional(),
      status: markerStatus.optional(),
      sort: z.enum(SORTS).optional().openapi({
        description:
          "Default: `newest` first. `title`: alphabetically. `score`: the lowest first. `expiry`: the next to expire first.",
      }),
      without_video: flag("Only photos without a video."),
      weak: flag("Only photos whose tracking score has at most two stars."),
      paused: flag("Only paused photos."),
      expiring: flag(`Only photos that viewers stop showing within ${EXPIRING_DAYS} days.`),
      q: searchText
        .optional()
        .openapi({ description: "Text in the title, description, order number or customer." }),
      cursor: z
        .string()
        .max(MAX_CURSOR_LENGTH)
        .optional()
        .openapi({ description: "The `next_cursor` of the previous page with the same sort." }),
      limit: decimal(z.number().int().min(1).max(100)).default(30),
    }),
  },
  responses: { 200: answers(contentPage, "One page"), ...problems("invalid_input") },
});

const create = companyRoute("content:submit", {
  method: "post",
  path: "/",
  operationId: "createArContent",
  summary: "Add a photo and compile its marker",
  description:
    "Send the photo in a form, or its URL as JSON. With `compile=server`, the default, the Node compiler compiles the " +
    "marker. With `compile=browser`, the caller compiles it: the response contains a lease, and delivering the marker requires " +
    "the lease's token. A photo that was already compiled with the same options gets the existing marker immediately.",
  request: { query: waiting },
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/RemotePhoto" } },
      ...describeForm(photoForm),
    },
  },
  responses: {
    201: {
      ...answers(submission, "Stored; `Location` is the URL of the photo"),
      headers: z.object({ Location: z.string(), ETag: z.string() }),
    },
    ...problems(
      "malformed_upload",
      "malformed_json",
      "body_too_large",
      "upload_interrupted",
      "too_many_uploads",
      "unsupported_media_type",
      "image_not_fetched",
      "invalid_input",
      "project_archived",
      "order_number_taken",
      "public_url_missing",
      "quota_exceeded",
      "image_too_many_bytes",
      "not_an_image",
      "unsupported_format",
      "empty_file",
      "image_damaged",
      "image_too_many_pixels",
      "image_too_many_scans",
      "image_too_small",
      ...STORAGE_REFUSALS,
    ),
  },
});

const read = companyRoute("content:read", {
  method: "get",
  path: "/{id}",
  operationId: "getArContent",
  summary: "Get a photo",
  request: { params: contentId, query: waiting },
  parameters: [IF_NONE_MATCH],
  responses: {
    200: tagged(arContent, "The photo"),
    304: { description: "Not modified" },
    ...problems("not_found", "invalid_input"),
  },
});

const change = companyRoute("content:manage", {
  method: "patch",
  path: "/{id}",
  operationId: "changeArContent",
  summary: "Change the title, description, order, project or visibility",
  description:
    "Control characters and text direction overrides are removed. A title has one line; a description " +
    "can have several.",
  middleware: [readJson] as const,
  request: {
    params: contentId,
    body: jsonBody(contentChange),
  },
  parameters: [IF_MATCH],
  responses: {
    200: tagged(arContent, "The changed photo"),
    ...problems(
      "not_found",
      "precondition_failed",
      "project_archived",
      "order_number_taken",
      ...JSON_REFUSALS,
    ),
  },
});

const remove = companyRoute("content:manage", {
  method: "delete",
  path: "/{id}",
  operationId: "deleteArContent",
  summary: "Delete a photo and all its files",
  description: "The photo and its URLs are gone at once, and its files no longer count against the quotas.",
  request: { params: contentId, query: KEEP_FILES },
  parameters: [IF_MATCH],
  responses: {
    204: { description: "Deleted" },
    ...problems("not_found", "precondition_failed", "invalid_input"),
  },
});

const history = companyRoute("content:read", {
  method: "get",
  path: "/{id}/tasks",
  operationId: "listCompileTasks",
  summary: "List a photo's compilations, newest first",
  request: { params: contentId },
  responses: { 200: answers(taskList, "The compilations"), ...problems("not_found") },
});

const qrCode = companyRoute("content:read", {
  method: "get",
  path: "/{id}/qr.svg",
  operationId: "getQrCode",
  summary: "Get the QR code of the viewer's URL",
  request: { params: contentId },
  responses: {
    200: { description: "SVG", content: { "image/svg+xml": { schema: z.string() } } },
    ...problems("not_found", "public_url_missing"),
  },
});

const routes = new OpenAPIHono<AppEnv>();
// The document refers to the schema by name, because the body may also be a form.
routes.openAPIRegistry.register("RemotePhoto", remotePhoto);

export const contentRoutes = routes
  .openapi(list, async (c) => {
    const wanted = c.req.valid("query");
    const { project_id: projectId, status, sort = "newest", q: text, cursor, limit } = wanted;
    const after = cursor === undefined ? undefined : decodePosition(sort, cursor);
    const filters = CONTENT_FILTERS.filter((filter) => wanted[filter] === "true");
    const query = { projectId, status, sort, filters, text, after, limit };
    const { rows, next, total, isTotalExact } = await c.var.store.list(query, c.env.now());
    const origin = publicOriginOf(c);
    const items = rows.map(({ content, task }) => contentBody(content, task, origin));
    const page = {
      items,
      next_cursor: next && encodePosition(sort, next),
      total,
      is_total_exact: isTotalExact,
    };
    return c.json(page, 200);
  })
  .openapi(create, async (c) => {
    const origin = linkOriginOf(c);
    const { store, creation, body: upload } = c.var;
    const { lease, reused, ...submitted } = await withPhoto(c.env, c.var, (photo) =>
      submitPhoto({ ...c.env, origin }, store, { photo, creation }, c.env.now()),
    );
    upload.held.release();
    // The holder of a lease compiles the photo itself: waiting would be in vain.
    const seconds = lease ? 0 : c.req.valid("query").wait;
    const { content, task } = (await waitForMarker(c.env, store, submitted, seconds)) ?? submitted;
    const body = {
      content: contentBody(content, task, origin),
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
    const body = contentBody(content, task, publicOriginOf(c));
    const etag = await etagOf(body);
    if (isNotModified(c, etag)) return c.body(null, 304, { ETag: etag });
    return c.json(body, 200, { ETag: etag });
  })
  .openapi(change, async (c) => {
    const { id } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const { title, description, is_active: isActive, project_id: projectId, expires_at } = wanted;
    const { orderNumber, ...customer } = orderOf(wanted);
    if (projectId !== undefined) await openProject(c.var.projects, projectId);
    const expiresAt = typeof expires_at === "string" ? Date.parse(expires_at) : expires_at;
    const { store } = c.var;
    const found = await find(store, id);
    const expected = await checkIfMatch(c, found);
    const changes = { title, description, orderNumber, ...customer, isActive, projectId, expiresAt };
    const options = { auditDetail: withoutCustomer(wanted), expected, now: c.env.now() };
    if (!(await store.update(id, changes, options))) {
      const { content } = found;
      const order = {
        id,
        projectId: projectId ?? content.projectId,
        orderNumber: orderNumber === undefined ? content.orderNumber : orderNumber,
      };
      throw (await store.orderError(order)) ?? (await notChanged(store, id));
    }
    const { content, task } = await find(store, id);
    const body = contentBody(content, task, publicOriginOf(c));
    return c.json(body, 200, { ETag: await etagOf(body) });
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    const { company } = c.var.store;
    const expected = await checkIfMatch(c, await find(c.var.store, id));
    const keepFiles = c.req.valid("query").keep_files === "true";
    const now = c.env.now();
    const removed = await c.var.store.remove(id, { expected, keepFiles, now });
    if (!removed) throw await notChanged(c.var.store, id);
    await enqueueDeliveries(c.env, [id]);
    if ((removed.deletedAt ?? now) <= now) {
      c.env.later(
        purge(c.env.db, c.env.storages, company, removed).catch((error) =>
          logFailure("Files could not be deleted; the sweep will retry", error, { content_id: id }),
        ),
      );
    }
    return c.body(null, 204);
  })
  .openapi(history, async (c) => {
    const { id } = c.req.valid("param");
    const tasks = await c.var.store.tasks(id);
    // Content always has at least one task.
    if (tasks.length === 0) throw notFound(id);
    return c.json({ items: tasks.map(taskBody) }, 200);
  })
  .openapi(qrCode, async (c) => {
    const { content } = await find(c.var.store, c.req.valid("param").id);
    return c.body(drawQrCode(viewerUrl(content.uniqueId, linkOriginOf(c))), 200, {
      "Content-Type": "image/svg+xml",
      "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    });
  });

/** Returns the content and its newest task. Throws `not_found`. */
export async function find(store: ContentStore, id: string) {
  const found = await store.get(id);
  if (!found) throw notFound(id);
  return found;
}

/**
 * Checks If-Match against the content found. Returns the content that the change must still find in the
 * database; undefined without If-Match.
 */
export async function checkIfMatch(
  c: Parameters<typeof publicOriginOf>[0] & Parameters<typeof assertMatch>[0],
  { content, task }: ContentWithTask,
): Promise<Content | undefined> {
  return (await assertMatch(c, contentBody(content, task, publicOriginOf(c)))) ? content : undefined;
}

/** Returns why content was not changed: it was deleted, or changed by another request. */
export async function notChanged(store: ContentStore, id: string): Promise<Refusal> {
  return (await store.get(id)) ? changedSinceRead() : notFound(id);
}

export type PhotoFields = z.infer<typeof photoTexts>;

/** Reads a photo from a request. Hands it to `use`, and discards what is left of it afterwards. */
async function withPhoto<T>(
  { internet, storages, now, later }: AppEnv["Bindings"],
  { body, store: { company }, projects }: Pick<CompanyEnv["Variables"], "body" | "store" | "projects">,
  use: (photo: Photo) => Promise<T>,
): Promise<T> {
  switch (body.mediaType) {
    case "application/json": {
      const { image_url: address, ...fields } = parsed(remotePhoto, await jsonOf(body), "json");
      const project = await openProject(projects, fields.project_id);
      const file = { name: fileNameOf(address), file: await fetchImage(internet, address, body.held) };
      return use(photoOf(file, fields, project, now()));
    }
    case "multipart/form-data": {
      let incoming: { readonly name: string; readonly file: IncomingPhoto } | undefined;
      const done = Promise.withResolvers<void>();
      try {
        const { files, texts } = await readForm(body, photoForm, ({ name, texts }) => {
          const { image_bytes: size = "" } = texts;
          const bytes = /^\d{1,9}$/.test(size) ? Number(size) : 0;
          if (bytes <= MAX_KEPT_IMAGE_BYTES) return null;
          const file = new IncomingPhoto({ storages, company, kept: body.held }, bytes);
          incoming = { name, file };
          // The upload ends in order even if the client disconnects.
          later(done.promise);
          return file;
        });
        const image = incoming ?? (files.image && { name: files.image.name, file: files.image.bytes });
        if (!image) {
          throw new Refusal("invalid_input", `Field "image" is missing; expected a JPEG, PNG or WebP file.`);
        }
        // An empty form field counts as missing.
        const given = Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ""));
        const fields = parsed(photoForm.texts, given, "form");
        const { image_bytes: bytes = image.file.length } = fields;
        if (bytes !== image.file.length) throw otherSize(bytes, String(image.file.length));
        const project = await openProject(projects, fields.project_id);
        return await use(photoOf(image, fields, project, now()));
      } finally {
        await incoming?.file.abort(new Error("The request has ended."));
        done.resolve();
      }
    }
    default:
      throw unsupportedMediaType(body, "multipart/form-data with a boundary, or application/json");
  }
}

/** Completes the fields of a new photo by the defaults of its project and its file name. */
export function photoOf(
  { name, file }: { readonly name: string; readonly file: Photo["file"] },
  fields: PhotoFields,
  project: ProjectRow,
  now: number,
): Photo {
  const expiresAt = fields.expires_at
    ? Date.parse(fields.expires_at)
    : project.expiresAfterDays && now + project.expiresAfterDays * DAY_MS;
  return {
    file,
    projectId: project.id,
    title: fields.title ?? titleOf(name),
    description: fields.description ?? "",
    order: orderOf(fields),
    executor: fields.compile === "browser" ? "browser" : "node",
    maxFeatures: fields.max_features ?? project.maxFeatures,
    expiresAt,
  };
}

/** Returns the order as the database stores it: an empty text is stored as null, and a missing one is undefined. */
function orderOf(fields: OrderFields) {
  const { order_number, customer_name, customer_email, customer_phone } = fields;
  const stored = (text: string | null | undefined) => (text === "" ? null : text);
  return {
    orderNumber: stored(order_number),
    customerName: stored(customer_name),
    customerEmail: stored(customer_email),
    customerPhone: stored(customer_phone),
  };
}

/** Returns a change for the activity log, which outlives photos, without the customer's data. */
function withoutCustomer(change: z.infer<typeof contentChange>): AuditDetail {
  const recorded = Object.entries(change).map(([field, value]) => [
    field,
    field.startsWith("customer_") && value !== null ? "(not recorded)" : value,
  ]);
  return Object.fromEntries(recorded);
}

/** Returns the file name in a URL. */
export function fileNameOf(address: string): string {
  const name = URL.parse(address)?.pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Returns the project with this id, or the default project. Throws if it does not exist or is archived. */
export async function openProject(projects: ProjectStore, id: string | undefined): Promise<ProjectRow> {
  const found = await (id === undefined ? projects.first() : projects.get(id));
  if (!found) throw new Refusal("invalid_input", `Field "project_id": no project has the id "${id ?? ""}".`);
  if (found.archivedAt !== null) {
    throw new Refusal(
      "project_archived",
      `The project "${found.name}" is archived. Restore it, or choose another project.`,
    );
  }
  return found;
}

/** Returns the file name without its folder and extension; "Untitled" if nothing visible is left. */
function titleOf(fileName: string): string {
  const base = fileName.split(/[/\\]/).at(-1) ?? "";
  const title = oneLine(base.replace(/\.[^.]*$/, "")).slice(0, 200);
  // The cut may have split a surrogate pair.
  const whole = title.replace(/[\ud800-\udbff]$/, "").trim();
  return isVisible(whole) ? whole : "Untitled";
}
