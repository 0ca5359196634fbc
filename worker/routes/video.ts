import { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { contentBody } from "../content/representation.ts";
import { Refusal } from "../errors.ts";
import { etagOf, IF_MATCH } from "../http/etag.ts";
import { readJson } from "../http/json-body.ts";
import {
  contentId,
  JSON_REFUSALS,
  jsonBody,
  KEEP_FILES,
  problems,
  STORAGE_REFUSALS,
  tagged,
} from "../http/openapi.ts";
import { publicOriginOf } from "../http/origin.ts";
import {
  arContent,
  MIN_PART_SECONDS,
  type VideoMetadata,
  type VideoPlayback,
  videoPlaybackRequest,
} from "../schemas.ts";
import { attachVideo, removeVideo } from "../video/attach.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { checkIfMatch, find, notChanged } from "./content.ts";
import { companyRoute } from "./guarded.ts";

const put = companyRoute("content:submit", {
  method: "put",
  path: "/{id}/video",
  operationId: "putVideo",
  summary: "Attach or replace the video",
  request: { params: contentId },
  parameters: [IF_MATCH],
  requestBody: {
    required: true,
    description: "The file, at most 95 MB, with Content-Length.",
    content: {
      "video/mp4": { schema: { type: "string", format: "binary" } },
      "video/webm": { schema: { type: "string", format: "binary" } },
    },
  },
  responses: {
    200: tagged(arContent, "The photo with its video"),
    ...problems(
      "not_found",
      "precondition_failed",
      "upload_interrupted",
      "too_many_uploads",
      "length_required",
      "quota_exceeded",
      "video_too_large",
      "unsupported_video",
      "video_damaged",
      ...STORAGE_REFUSALS,
    ),
  },
});

const remove = companyRoute("content:manage", {
  method: "delete",
  path: "/{id}/video",
  operationId: "deleteVideo",
  summary: "Remove the video",
  request: { params: contentId, query: KEEP_FILES },
  parameters: [IF_MATCH],
  responses: {
    204: { description: "Removed" },
    ...problems("not_found", "precondition_failed", "invalid_input"),
  },
});

const play = companyRoute("content:submit", {
  method: "put",
  path: "/{id}/video/playback",
  operationId: "putVideoPlayback",
  summary: "Set how viewers play the video",
  description:
    "Replaces all settings; what is absent gets its default. A new video starts with the defaults. Viewers see the " +
    "change when they load the page.",
  middleware: [readJson] as const,
  request: { params: contentId, body: jsonBody(videoPlaybackRequest) },
  parameters: [IF_MATCH],
  responses: {
    200: tagged(arContent, "The changed photo"),
    ...problems("not_found", "precondition_failed", ...JSON_REFUSALS),
  },
});

export const videoRoutes = new OpenAPIHono<AppEnv>()
  .openapi(play, async (c) => {
    const { id } = c.req.valid("param");
    const { content, task } = await find(c.var.store, id);
    const expected = await checkIfMatch(c, { content, task });
    if (content.videoPath === null)
      throw new Refusal("not_found", "The photo has no video. Attach one first.");
    const playback = c.req.valid("json");
    assertWithin(playback, content.videoMetadata);
    const change = { auditDetail: { video_playback: playback }, expected, now: c.env.now() };
    const changed = await c.var.store.setPlayback(content, playback, change);
    if (!changed) throw await notChanged(c.var.store, id);
    const body = contentBody(changed, task, publicOriginOf(c));
    return c.json(body, 200, { ETag: await etagOf(body) });
  })
  .openapi(put, async (c) => {
    const { id } = c.req.valid("param");
    const { content, task } = await find(c.var.store, id);
    const expected = await checkIfMatch(c, { content, task });
    const { store, body: upload } = c.var;
    const change = { content, upload, expected, now: c.env.now() };
    const attached = await attachVideo(c.env, store, change);
    if (!attached) throw await notChanged(c.var.store, id);
    await enqueueDeliveries(c.env, [id]);
    const body = contentBody(attached, task, publicOriginOf(c));
    return c.json(body, 200, { ETag: await etagOf(body) });
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    const { content, task } = await find(c.var.store, id);
    const expected = await checkIfMatch(c, { content, task });
    const keepFiles = c.req.valid("query").keep_files === "true";
    const change = { content, expected, keepFiles, now: c.env.now() };
    const left = await removeVideo(c.env, c.var.store, change);
    if (!left) throw await notChanged(c.var.store, id);
    return c.body(null, 204);
  });

/** Throws Refusal `invalid_input` for a time after the end of the video, where that is known. */
function assertWithin(playback: VideoPlayback, metadata: VideoMetadata | null): void {
  const duration = metadata?.duration ?? null;
  if (duration === null) return;
  const lastStart = Math.max(0, Math.round(1_000 * (duration - MIN_PART_SECONDS)) / 1_000);
  const limits = { start: lastStart, end: duration, poster: duration };
  for (const field of ["start", "end", "poster"] as const) {
    const value = playback[field];
    if (value === null || value <= limits[field]) continue;
    const detail = `expected at most ${limits[field]} in a video of ${duration} s; received ${value}.`;
    throw new Refusal("invalid_input", `Field "${field}" of the body: ${detail}`, {}, [{ field, detail }]);
  }
}
