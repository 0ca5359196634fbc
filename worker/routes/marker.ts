import { OpenAPIHono, z } from "@hono/zod-openapi";
import { MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import type { AppEnv } from "../bindings.ts";
import { notFound } from "../content/not-found.ts";
import { replaceImage } from "../content/replace-image.ts";
import { contentBody, leaseBody } from "../content/representation.ts";
import { Refusal } from "../errors.ts";
import { IF_MATCH } from "../http/etag.ts";
import { oneLine } from "../http/fields.ts";
import { assertShallow, parsed, readJson, readOptionalJson } from "../http/json-body.ts";
import { describeForm, readForm } from "../http/multipart.ts";
import {
  answers,
  contentId,
  JSON_REFUSALS,
  jsonBody,
  leaseHeader,
  problems,
  STORAGE_REFUSALS,
} from "../http/openapi.ts";
import { publicOriginOf } from "../http/origin.ts";
import { type RequestBody, unsupportedMediaType } from "../http/request-body.ts";
import { announce } from "../marker/announce.ts";
import { type Delivery, deliver, MAX_MARKER_BYTES } from "../marker/delivery.ts";
import * as life from "../marker/life.ts";
import {
  arContent,
  compileWhere,
  lease,
  progress,
  recompileRequest,
  submission,
  takenLease,
} from "../schemas.ts";
import { hashToken } from "../token.ts";
import { checkIfMatch, find, notChanged } from "./content.ts";
import { companyRoute } from "./guarded.ts";

const deliveredMetadata = z.object({
  milliseconds: z.number().min(0).max(86_400_000).nullish(),
  compiler_version: z.string().overwrite(oneLine).max(64).nullish(),
});

const markerForm = {
  files: {
    marker: { description: "A .mind file of at most 4 MB.", isRequired: true },
    thumbnail: { description: "JPEG, at most 500 kB and 960 px, without metadata.", isRequired: false },
    picture: {
      description: "JPEG for viewers, at most 2 MB and 1600 px, without metadata.",
      isRequired: false,
    },
  },
  texts: z.object({
    metadata: z.string().optional().describe("A JSON object with `milliseconds` and `compiler_version`."),
  }),
  maxFileBytes: MAX_MARKER_BYTES,
  tooLarge: "marker_too_large",
} as const;

const IMAGE_TYPES: readonly string[] = ["image/jpeg", "image/png", "image/webp"];

const put = companyRoute("content:submit", {
  method: "put",
  path: "/{id}/marker",
  operationId: "deliverMarker",
  summary: "Deliver a marker compiled under a lease",
  description:
    "The marker is decoded and checked first: it must have one image target, of the photo's size, that a player can " +
    "track. Repeating a delivery under the same lease returns the same response.",
  request: { params: contentId, headers: leaseHeader },
  requestBody: {
    required: true,
    content: {
      "application/octet-stream": { schema: { type: "string", format: "binary" } },
      ...describeForm(markerForm),
    },
  },
  responses: {
    200: answers(arContent, "The photo with its marker"),
    ...problems(
      "not_found",
      "lease_lost",
      "malformed_json",
      "malformed_upload",
      "upload_interrupted",
      "too_many_uploads",
      "unsupported_media_type",
      "invalid_input",
      "marker_too_large",
      "invalid_marker",
      "foreign_marker",
      "too_few_features",
      "invalid_thumbnail",
      "invalid_picture",
      ...STORAGE_REFUSALS,
    ),
  },
});

const take = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/marker/lease",
  operationId: "takeLease",
  summary: "Take over a waiting compilation",
  request: { params: contentId },
  responses: {
    200: answers(takenLease, "The lease"),
    ...problems("not_found", "lease_held", "nothing_to_compile"),
  },
});

const giveBack = companyRoute("content:submit", {
  method: "delete",
  path: "/{id}/marker/lease",
  operationId: "giveLeaseBack",
  summary: "Release a compilation; the Node compiler takes over at once",
  request: { params: contentId, headers: leaseHeader },
  responses: { 204: { description: "Released" }, ...problems("not_found", "lease_lost", "invalid_input") },
});

const report = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/marker/progress",
  operationId: "reportProgress",
  summary: "Report progress and extend the lease",
  middleware: [readJson] as const,
  request: {
    params: contentId,
    headers: leaseHeader,
    body: jsonBody(progress),
  },
  responses: {
    200: answers(lease, "The extended lease"),
    ...problems("not_found", "lease_lost", ...JSON_REFUSALS),
  },
});

const replace = companyRoute("content:submit", {
  method: "put",
  path: "/{id}/image",
  operationId: "replaceImage",
  summary: "Replace the photo",
  description:
    "The photo's addresses stay, so that a printed QR code leads to the new photo. Until its marker is ready, viewers use " +
    "the existing marker; if the compilation fails, they go on using it. The video stays.",
  request: { params: contentId, query: z.object({ compile: compileWhere.default("server") }) },
  parameters: [IF_MATCH],
  requestBody: {
    required: true,
    description: "The file, at most 20 MB.",
    content: {
      "image/jpeg": { schema: { type: "string", format: "binary" } },
      "image/png": { schema: { type: "string", format: "binary" } },
      "image/webp": { schema: { type: "string", format: "binary" } },
    },
  },
  responses: {
    200: answers(submission, "The new compilation"),
    ...problems(
      "not_found",
      "precondition_failed",
      "invalid_input",
      "quota_exceeded",
      "upload_interrupted",
      "too_many_uploads",
      "unsupported_media_type",
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

const again = companyRoute("content:submit", {
  method: "post",
  path: "/{id}/marker/recompile",
  operationId: "recompile",
  summary: "Recompile a marker",
  description:
    "Viewers use the existing marker until the new one is ready. Unfinished compilations are superseded.",
  middleware: [readOptionalJson] as const,
  request: {
    params: contentId,
    body: { required: false, content: { "application/json": { schema: recompileRequest } } },
  },
  responses: {
    200: answers(submission, "The new compilation"),
    ...problems("not_found", "quota_exceeded", ...JSON_REFUSALS),
  },
});

export const markerRoutes = new OpenAPIHono<AppEnv>()
  .openapi(put, async (c) => {
    const { id } = c.req.valid("param");
    const token = c.req.valid("header")["vivimark-lease"];
    const { content } = await find(c.var.store, id);
    const leaseHash = await hashToken(token);
    // Before the body: a lost lease need not wait for the upload.
    const held = await life.findLease(c.env.db, { contentId: id, leaseHash }, c.env.now());
    if (!held) throw leaseLost();
    const delivery = await readDelivery(c.var.body);
    const request = { company: c.var.store.company, content, leaseHash, delivery, now: c.env.now() };
    if (!(await deliver(c.env, request))) throw leaseLost();
    const delivered = await find(c.var.store, id);
    return c.json(contentBody(delivered.content, delivered.task, publicOriginOf(c)), 200);
  })
  .openapi(take, async (c) => {
    const { content } = await find(c.var.store, c.req.valid("param").id);
    const seconds = c.env.settings.browserLeaseSeconds;
    const acquired = await life.acquireLease(c.env.db, content.id, seconds, c.env.now());
    switch (acquired.kind) {
      case "acquired": {
        await announce(c.env.queue, { id: content.id, generation: acquired.task.generation }, seconds);
        return c.json({ ...leaseBody(acquired.lease), task_id: acquired.task.id }, 200);
      }
      case "held": {
        const until = new Date(acquired.until).toISOString();
        throw new Refusal(
          "lease_held",
          `Another executor is compiling this photo. Try again when its lease ends, at ${until}.`,
        );
      }
      case "settled":
        throw new Refusal(
          "nothing_to_compile",
          `The marker is ${content.markerStatus}. To compile it again, use POST …/marker/recompile.`,
        );
    }
  })
  .openapi(giveBack, async (c) => {
    const { content } = await find(c.var.store, c.req.valid("param").id);
    const leaseHash = await hashToken(c.req.valid("header")["vivimark-lease"]);
    const task = await life.releaseLease(c.env.db, { contentId: content.id, leaseHash }, c.env.now());
    if (!task) throw leaseLost();
    await announce(c.env.queue, { id: content.id, generation: task.generation }, 0);
    return c.body(null, 204);
  })
  .openapi(report, async (c) => {
    const { content } = await find(c.var.store, c.req.valid("param").id);
    const token = c.req.valid("header")["vivimark-lease"];
    const leaseHash = await hashToken(token);
    const seconds = c.env.settings.browserLeaseSeconds;
    const extension = { seconds, progress: c.req.valid("json"), now: c.env.now() };
    const extended = await life.extendLease(c.env.db, { contentId: content.id, leaseHash }, extension);
    if (!extended) throw leaseLost();
    return c.json(leaseBody({ token, ...extended }), 200);
  })
  .openapi(replace, async (c) => {
    const { id } = c.req.valid("param");
    const { store, audit, body } = c.var;
    const { content, task: before } = await find(store, id);
    const expected = await checkIfMatch(c, { content, task: before });
    if (!IMAGE_TYPES.includes(body.mediaType ?? "")) {
      throw unsupportedMediaType(body, "image/jpeg, image/png or image/webp");
    }
    const bytes = await body.bytes(MAX_IMAGE_BYTES, "image_too_many_bytes");
    const now = c.env.now();
    const seconds = c.env.settings.browserLeaseSeconds;
    const granted = c.req.valid("query").compile === "browser" ? await life.newLease(now, seconds) : null;
    const replacement = { content, expected, bytes, lease: granted, audit, now };
    const task = await replaceImage(c.env, store, replacement);
    body.held.release();
    if (!task) throw await notChanged(store, id);
    await announce(c.env.queue, { id, generation: task.generation }, granted ? seconds : 0);
    const replaced = await find(store, id);
    const answer = {
      content: contentBody(replaced.content, task, publicOriginOf(c)),
      task_id: task.id,
      lease: granted && leaseBody(granted),
      reused: false,
    };
    return c.json(answer, 200);
  })
  .openapi(again, async (c) => {
    const { id } = c.req.valid("param");
    const { creation, store } = c.var;
    const before = await find(store, id);
    if (creation.isRepeated && before.task.id === creation.id) {
      const content = contentBody(before.content, before.task, publicOriginOf(c));
      return c.json({ content, task_id: creation.id, lease: null, reused: false }, 200);
    }
    const { compile, max_features: maxFeatures } = parsed(recompileRequest, c.req.valid("json"), "body");
    const now = c.env.now();
    const seconds = c.env.settings.browserLeaseSeconds;
    const granted = compile === "browser" ? await life.newLease(now, seconds) : null;
    const wanted = { compilations: 1 };
    const task = await life.recompile(c.env.db, id, {
      lease: granted,
      maxFeatures,
      audit: c.var.audit,
      now,
      taskId: creation.id,
      fitsQuotas: store.fitsQuotas(wanted, now),
    });
    if (!task) throw (await store.quotaRefusal(wanted, now)) ?? notFound(id);
    await announce(c.env.queue, { id, generation: task.generation }, granted ? seconds : 0);
    const { content } = await find(c.var.store, id);
    const body = {
      content: contentBody(content, task, publicOriginOf(c)),
      task_id: task.id,
      lease: granted && leaseBody(granted),
      reused: false,
    };
    return c.json(body, 200);
  });

function leaseLost(): Refusal {
  return new Refusal(
    "lease_lost",
    "The lease has expired or was released, or another executor has taken over. Nothing was changed.",
  );
}

/** Reads a bare `.mind`, or a form with the marker, its pictures and its metadata. */
async function readDelivery(body: RequestBody): Promise<Delivery> {
  if (body.mediaType !== "multipart/form-data") {
    if (body.mediaType !== "application/octet-stream") {
      throw unsupportedMediaType(body, "application/octet-stream or multipart/form-data");
    }
    const marker = await body.bytes(MAX_MARKER_BYTES, "marker_too_large");
    return { marker, thumbnail: null, picture: null, milliseconds: null, compilerVersion: null };
  }
  const { files, texts } = await readForm(body, markerForm);
  if (!files.marker) throw new Refusal("invalid_input", `Field "marker" is missing; expected a .mind file.`);
  const metadata = parsed(deliveredMetadata, parseJson(texts.metadata ?? "{}"), `"metadata" field`);
  return {
    marker: files.marker.bytes,
    thumbnail: files.thumbnail?.bytes ?? null,
    picture: files.picture?.bytes ?? null,
    milliseconds: metadata.milliseconds ?? null,
    compilerVersion: metadata.compiler_version ?? null,
  };
}

function parseJson(text: string): unknown {
  assertShallow(text, '"metadata" field');
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(
      "malformed_json",
      `Field "metadata" is ${JSON.stringify(text.slice(0, 80))}; expected a JSON object.`,
    );
  }
}
