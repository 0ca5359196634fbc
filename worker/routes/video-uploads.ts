import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { notFound } from "../content/not-found.ts";
import { contentBody } from "../content/representation.ts";
import type { VideoUploadRow } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems, STORAGE_REFUSALS } from "../http/openapi.ts";
import { publicOriginOf } from "../http/origin.ts";
import { arContent } from "../schemas.ts";
import type { UploadedPart } from "../storage/provider.ts";
import {
  beginUpload,
  completeUpload,
  countParts,
  discardUpload,
  MAX_LARGE_VIDEO_BYTES,
  PART_URL_SECONDS,
  partUrls,
  putPart,
  storedParts,
} from "../video/upload.ts";
import { VideoUploadStore } from "../video/upload-store.ts";
import { find } from "./content.ts";
import { companyRoute } from "./guarded.ts";

const uploadPath = z.object({
  id: z.string().openapi({ param: { name: "id", in: "path" } }),
  upload_id: z.string().openapi({ param: { name: "upload_id", in: "path" } }),
});

const part = z.object({ number: z.number().int(), bytes: z.number().int() });

const videoUpload = z
  .object({
    id: z.string(),
    content_id: z.string(),
    length: z.number().int(),
    content_type: z.enum(["video/mp4", "video/webm"]),
    /** Bytes of each part but the last, which may be smaller. */
    part_bytes: z.number().int(),
    /** Parts are numbered from 1 to this number. */
    part_count: z.number().int(),
    /** The parts received so far. */
    parts: z.array(part),
    /** `storage`: request the URLs of the parts and PUT them there. `worker`: PUT the parts to this API. */
    transport: z.enum(["storage", "worker"]),
    expires_at: z.iso.datetime(),
  })
  .openapi("VideoUpload");
export type VideoUpload = z.infer<typeof videoUpload>;

const newUpload = z
  .strictObject({
    length: z.number().int().min(1).max(MAX_LARGE_VIDEO_BYTES).openapi({ description: "In bytes." }),
    content_type: z.enum(["video/mp4", "video/webm"]),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "expected 64 lowercase hexadecimal digits")
      .optional()
      .openapi({ description: "If given, checked when the upload completes." }),
  })
  .openapi("NewVideoUpload");

const create = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/video-uploads",
  operationId: "createVideoUpload",
  summary: "Start uploading a large video in parts",
  description:
    "Up to 5 GB. Send the parts in any order and in parallel, then `complete` the upload. After an interruption, `GET` " +
    "lists the parts received. Viewers show the previous video until then. An upload that receives no part for a day is deleted.",
  middleware: [readJson] as const,
  request: {
    params: uploadPath.pick({ id: true }),
    body: jsonBody(newUpload),
  },
  responses: {
    201: {
      ...answers(videoUpload, "Started; `Location` is the URL of the upload"),
      headers: z.object({ Location: z.string() }),
    },
    ...problems("not_found", "quota_exceeded", ...JSON_REFUSALS, ...STORAGE_REFUSALS),
  },
});

const read = companyRoute("content:submit", {
  method: "get",
  path: "/{id}/video-uploads/{upload_id}",
  operationId: "getVideoUpload",
  summary: "Get a video upload and the parts received",
  request: { params: uploadPath },
  responses: { 200: answers(videoUpload, "The upload"), ...problems("not_found", ...STORAGE_REFUSALS) },
});

const sign = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/video-uploads/{upload_id}/part-urls",
  operationId: "createVideoPartUrls",
  summary: "Create signed URLs to PUT parts straight to the storage",
  description:
    "Available if `transport` is `storage`. PUT the bytes of the part without additional headers; the bucket's CORS rules " +
    "must allow the page's origin. The URLs expire after an hour.",
  middleware: [readJson] as const,
  request: {
    params: uploadPath,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({ numbers: z.array(z.number().int().min(1)).min(1).max(100) })
            .openapi("VideoPartNumbers"),
        },
      },
    },
  },
  responses: {
    200: answers(
      z
        .object({
          items: z.array(z.object({ number: z.number().int(), url: z.string() })),
          expires_at: z.iso.datetime(),
        })
        .openapi("VideoPartUrls"),
      "The signed URLs",
    ),
    ...problems("not_found", "not_signed", ...JSON_REFUSALS, ...STORAGE_REFUSALS),
  },
});

const put = companyRoute("content:submit", {
  method: "put",
  path: "/{id}/video-uploads/{upload_id}/parts/{number}",
  operationId: "putVideoPart",
  summary: "Send a part through this API",
  description:
    "Works with every storage, even if `transport` is `storage` and the client cannot reach it. Sending a part again " +
    "replaces it.",
  request: {
    params: uploadPath.extend({
      number: z.coerce
        .number()
        .int()
        .min(1)
        .max(10_000)
        .openapi({ param: { name: "number", in: "path" } }),
    }),
  },
  requestBody: {
    required: true,
    description: "The bytes of the part, with Content-Length.",
    content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
  },
  responses: {
    200: answers(part.openapi("VideoPart"), "Stored"),
    ...problems("not_found", "invalid_input", "length_required", "upload_interrupted", ...STORAGE_REFUSALS),
  },
});

const complete = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/video-uploads/{upload_id}/complete",
  operationId: "completeVideoUpload",
  summary: "Complete a video upload",
  description:
    "Joins the parts and attaches the video. Can be repeated safely while the upload exists. A file that is not an MP4 or WebM video that phones play, or is cut off, is removed.",
  request: { params: uploadPath },
  responses: {
    200: answers(arContent, "The photo with its video"),
    ...problems(
      "not_found",
      "upload_incomplete",
      "unsupported_video",
      "video_damaged",
      "checksum_mismatch",
      ...STORAGE_REFUSALS,
    ),
  },
});

const remove = companyRoute("content:submit", {
  method: "delete",
  path: "/{id}/video-uploads/{upload_id}",
  operationId: "deleteVideoUpload",
  summary: "Cancel a video upload and remove its parts",
  request: { params: uploadPath },
  responses: { 204: { description: "Canceled" }, ...problems("not_found", ...STORAGE_REFUSALS) },
});

export const videoUploadRoutes = new OpenAPIHono<AppEnv>()
  .openapi(create, async (c) => {
    const { id } = c.req.valid("param");
    const { length, content_type: contentType, sha256 = null } = c.req.valid("json");
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    const { content } = await find(c.var.store, id);
    const { store, creation } = c.var;
    const plan = { length, contentType, sha256 };
    const upload = await beginUpload(c.env, { store, uploads }, content, { plan, creation });
    if (!upload) throw notFound(id);
    const location = `/api/ar-content/${id}/video-uploads/${upload.id}`;
    return c.json(await uploadBody(c.env, upload, []), 201, { Location: location });
  })
  .openapi(read, async (c) => {
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    const { id, upload_id: uploadId } = c.req.valid("param");
    const found = await uploads.getWithParts(id, uploadId);
    if (!found) throw uploadNotFound(uploadId);
    const received = await storedParts(c.env, found.upload, found.received);
    return c.json(await uploadBody(c.env, found.upload, received), 200);
  })
  .openapi(sign, async (c) => {
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    const upload = await findUpload(uploads, c.req.valid("param"));
    const items = await partUrls(c.env, uploads, upload, c.req.valid("json").numbers);
    if (!items) {
      throw new Refusal(
        "not_signed",
        "This storage does not sign URLs. Send the parts to PUT …/parts/{number}.",
      );
    }
    const expiresAt = new Date(c.env.now() + PART_URL_SECONDS * 1000).toISOString();
    return c.json({ items, expires_at: expiresAt }, 200);
  })
  .openapi(put, async (c) => {
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    const { number } = c.req.valid("param");
    const upload = await findUpload(uploads, c.req.valid("param"));
    const { size } = await putPart(c.env, uploads, upload, { number, body: c.var.body });
    return c.json({ number, bytes: size }, 200);
  })
  .openapi(complete, async (c) => {
    const { id } = c.req.valid("param");
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    const upload = await findUpload(uploads, c.req.valid("param"));
    const { content, task } = await find(c.var.store, id);
    const attached = await completeUpload(c.env, { store: c.var.store, uploads }, content, upload);
    if (!attached) throw notFound(id);
    return c.json(contentBody(attached, task, publicOriginOf(c)), 200);
  })
  .openapi(remove, async (c) => {
    const uploads = new VideoUploadStore(c.env.db, c.var.store.company);
    await discardUpload(c.env, uploads, await findUpload(uploads, c.req.valid("param")), c.env.now());
    return c.body(null, 204);
  });

async function findUpload(uploads: VideoUploadStore, { id, upload_id }: z.infer<typeof uploadPath>) {
  const upload = await uploads.get(id, upload_id);
  if (upload) return upload;
  throw uploadNotFound(upload_id);
}

function uploadNotFound(id: string): Refusal {
  return new Refusal("not_found", `This photo has no video upload with the id "${id.slice(0, 100)}".`);
}

async function uploadBody(
  { storages }: AppEnv["Bindings"],
  upload: VideoUploadRow,
  parts: readonly UploadedPart[],
): Promise<VideoUpload> {
  const storage = await storages.open(upload.storageId);
  const signed = await storage.multipart?.presign(
    { key: upload.path, uploadId: upload.uploadId, number: 1 },
    PART_URL_SECONDS,
    upload.partBytes,
  );
  return {
    id: upload.id,
    content_id: upload.contentId,
    length: upload.bytes,
    content_type: upload.type,
    part_bytes: upload.partBytes,
    part_count: countParts(upload),
    parts: parts.map(({ number, size }) => ({ number, bytes: size })),
    transport: signed ? "storage" : "worker",
    expires_at: new Date(upload.expiresAt).toISOString(),
  };
}
