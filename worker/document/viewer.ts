import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { MEDIA_KINDS } from "../content/file-kinds.ts";
import { answers, problems } from "../http/openapi.ts";
import { MAX_VERSION_LENGTH } from "../routes/media.ts";
import { viewerManifest } from "../schemas.ts";

/** Definitions of the routes of viewers, whose own files load no zod. */

const getManifest = createRoute({
  method: "get",
  path: "/api/viewer/{unique_id}",
  operationId: "getViewerManifest",
  summary: "Get the data that a viewer needs to play a photo",
  description: "Public and readable from any origin. Returns 404 if the photo is inactive or has expired.",
  security: [],
  request: { params: z.object({ unique_id: z.string() }) },
  responses: { 200: answers(viewerManifest, "The manifest"), ...problems("not_found", "too_many_requests") },
});

const bytes = { "*/*": { schema: { type: "string", format: "binary" } as const } };

const OPTIONAL_AUTHENTICATION: Record<string, string[]>[] = [{}, { session: [] }, { key: [] }];

const getMedia = createRoute({
  method: "get",
  path: "/media/{unique_id}/{kind}",
  operationId: "getMedia",
  summary: "Get a file of a photo",
  description:
    "Public and readable from any origin. While the photo is inactive or has expired, only its company can read the file. " +
    "Supports HEAD, ETag, If-None-Match, Range and If-Range. A URL with the current `v` may be cached forever.",
  security: OPTIONAL_AUTHENTICATION,
  request: {
    params: z.object({
      unique_id: z.string(),
      kind: z.string().openapi({ enum: [...MEDIA_KINDS] }),
    }),
    query: z.object({
      v: z.string().max(MAX_VERSION_LENGTH).optional(),
      form: z
        .literal("compact")
        .optional()
        .openapi({
          description:
            "Of a marker: only the parts that the player `vivimark/player` needs, in its compact format, compressed with gzip. " +
            "A marker for which that is not smaller comes as it is stored; the player reads both.",
        }),
    }),
  },
  responses: {
    200: { description: "The file", content: bytes },
    206: { description: "A range of the file", content: bytes },
    304: { description: "Not modified" },
    ...problems(
      "not_found",
      "invalid_input",
      "too_many_requests",
      "range_not_satisfiable",
      "storage_unavailable",
    ),
  },
});

/** Adds the routes to the API document. */
export function describeViewer(registry: OpenAPIHono<AppEnv>["openAPIRegistry"]): void {
  registry.registerPath(getManifest);
  registry.registerPath(getMedia);
}
