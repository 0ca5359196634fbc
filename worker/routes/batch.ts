import { OpenAPIHono, z } from "@hono/zod-openapi";
import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { AppEnv, Bindings } from "../bindings.ts";
import { type BatchEntry, MAX_BATCH, repeatBatch, submitBatch, summarizeBatch } from "../content/batch.ts";
import type { ProjectStore } from "../content/project-store.ts";
import { fetchImage } from "../content/remote-image.ts";
import { unzipped } from "../content/zip.ts";
import type { ProjectRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { jsonOf, parsed } from "../http/json-body.ts";
import { readFormFiles } from "../http/multipart.ts";
import { answers, problems } from "../http/openapi.ts";
import { linkOriginOf } from "../http/origin.ts";
import { type RequestBody, unsupportedMediaType } from "../http/request-body.ts";
import type { HeldBytes } from "../http/upload-memory.ts";
import { batchResult, photoTexts, remotePhoto } from "../schemas.ts";
import { fileNameOf, openProject, photoOf } from "./content.ts";
import { companyRoute } from "./guarded.ts";

/** Enough for 500 items with descriptions. */
const MAX_LIST_BYTES = 2_000_000;

/** Time limit of all downloads of one request, so that 500 slow servers cannot hold it open. */
const DOWNLOAD_SECONDS = 600;

/** The most that Cloudflare accepts as one body. Photos hardly compress, so an archive unpacks to little more. */
const MAX_UNPACKED_BYTES = 500_000_000;
/** Macs add a hidden file to each photo, and there are folders. */
const MAX_ENTRIES = 4 * MAX_BATCH;

/** The fields that apply to all photos of a batch. */
const common = photoTexts.omit({ title: true, order_number: true, compile: true });

const remotePhotos = z
  .strictObject({
    items: z
      .array(remotePhoto.omit({ compile: true }))
      .min(1)
      .max(MAX_BATCH),
  })
  .openapi("RemotePhotos");

const create = companyRoute(
  "content:submit",
  {
    method: "post",
    path: "/batch",
    operationId: "createArContentBatch",
    summary: `Submit up to ${MAX_BATCH} photos in one request`,
    description:
      "Send a ZIP archive, a form with several `image` files, or JSON with the URLs of the photos. Each photo has its own " +
      "result, in the order of the request. An error in one photo does not affect the others. The Node compiler compiles " +
      "the markers. The query applies to all photos, unless a JSON item overrides it. Photos in an archive or a form take their title from the file name.",
    request: { query: common },
    requestBody: {
      required: true,
      content: {
        "application/zip": {
          schema: {
            type: "string",
            format: "binary",
            description:
              "At most 20 MB for each file and 500 MB for all, unpacked, and at most 2,000 entries, including folders and hidden files.",
          },
        },
        "multipart/form-data": {
          schema: {
            type: "object",
            required: ["image"],
            properties: {
              image: { type: "array", maxItems: MAX_BATCH, items: { type: "string", format: "binary" } },
            },
          },
        },
        "application/json": { schema: { $ref: "#/components/schemas/RemotePhotos" } },
      },
    },
    responses: {
      200: answers(batchResult, "One result per photo; any of them can be an error"),
      ...problems(
        "malformed_upload",
        "malformed_json",
        "body_too_large",
        "upload_interrupted",
        "too_many_uploads",
        "unsupported_media_type",
        "invalid_input",
        "project_archived",
        "public_url_missing",
        "image_too_many_bytes",
        "batch_too_large",
      ),
    },
  },
  "batch",
);

const routes = new OpenAPIHono<AppEnv>();
routes.openAPIRegistry.register("RemotePhotos", remotePhotos);

export const batchRoutes = routes.openapi(create, async (c) => {
  const { store, projects, creation } = c.var;
  const origin = linkOriginOf(c);
  const fields = c.req.valid("query");
  const items =
    creation.summary === undefined
      ? await submitBatch({ ...c.env, origin }, store, {
          entries: await entriesOf(c.env, c.var.body, projects, fields),
          creation,
          held: c.var.body.held,
        })
      : await repeatBatch(creation.id, creation.summary);
  c.set("summary", summarizeBatch(items));
  const submitted = items.filter(({ error }) => error === null).length;
  return c.json({ items, submitted, refused: items.length - submitted }, 200);
});

type Common = z.infer<typeof common>;

async function entriesOf(
  env: Pick<Bindings, "internet" | "now" | "sleep">,
  body: RequestBody,
  projects: ProjectStore,
  fields: Common,
): Promise<AsyncIterable<BatchEntry>> {
  switch (body.mediaType) {
    case "application/json": {
      const { items } = parsed(remotePhotos, await jsonOf(body, MAX_LIST_BYTES), "json");
      return downloaded({ ...env, held: body.held }, items, projects, fields);
    }
    case "multipart/form-data": {
      const limits = {
        // One more than allowed: its result says that it was left out.
        maxFiles: MAX_BATCH + 1,
        maxFileBytes: MAX_IMAGE_BYTES,
        tooLarge: "image_too_many_bytes",
      } as const;
      const project = await openProject(projects, fields.project_id);
      return photosOf(readFormFiles(body, "image", limits), fields, project, env.now);
    }
    case "application/zip":
    case "application/x-zip-compressed": {
      if (!body.stream) throw new Refusal("malformed_upload", "The body is empty; expected a ZIP archive.");
      const project = await openProject(projects, fields.project_id);
      const files = unzipped(body.chunks(), {
        maxFileBytes: MAX_IMAGE_BYTES,
        maxTotalBytes: MAX_UNPACKED_BYTES,
        maxEntries: MAX_ENTRIES,
        held: body.held,
        pause: () => env.sleep(0),
      });
      return photosOf(files, fields, project, env.now);
    }
    default:
      throw unsupportedMediaType(
        body,
        "application/zip, multipart/form-data with a boundary, or application/json",
      );
  }
}

async function* photosOf(
  files: AsyncIterable<{ name: string; bytes: Uint8Array<ArrayBuffer> } | { name: string; error: unknown }>,
  fields: Common,
  project: ProjectRow,
  now: () => number,
): AsyncGenerator<BatchEntry> {
  for await (const file of files) {
    if ("error" in file) yield file;
    else
      yield {
        name: file.name,
        photo: photoOf({ name: file.name, file: file.bytes }, fields, project, now()),
      };
  }
}

async function* downloaded(
  { internet, now, held }: Pick<Bindings, "internet" | "now"> & { held: HeldBytes },
  items: z.infer<typeof remotePhotos>["items"],
  projects: ProjectStore,
  common: Common,
): AsyncGenerator<BatchEntry> {
  const opened = new Map<string | undefined, Promise<ProjectRow>>();
  const deadline = now() + DOWNLOAD_SECONDS * 1000;
  for (const { image_url: address, ...own } of items) {
    const fields = { ...common, ...own };
    const id = fields.project_id;
    let entry: BatchEntry;
    try {
      if (now() > deadline) throw downloadTimeout();
      const project = opened.get(id) ?? openProject(projects, id);
      opened.set(id, project);
      const open = await project;
      const file = { name: fileNameOf(address), file: await fetchImage(internet, address, held) };
      entry = { name: address, photo: photoOf(file, fields, open, now()) };
    } catch (error) {
      entry = { name: address, error };
    }
    yield entry;
  }
}

function downloadTimeout(): Refusal {
  return new Refusal(
    "image_not_fetched",
    `Not downloaded: earlier photos used up the time limit of ${DOWNLOAD_SECONDS / 60} minutes. Send it in another batch.`,
  );
}
