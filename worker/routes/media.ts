import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { identify, may } from "../accounts/identity.ts";
import type { AppEnv } from "../bindings.ts";
import { isMediaKind, MEDIA_KINDS } from "../content/file-kinds.ts";
import { serveMedia } from "../content/media.ts";
import { findPublic, isPublic } from "../content/store.ts";
import type { Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { problems } from "../http/openapi.ts";
import { originOf } from "../http/origin.ts";

const bytes = { "*/*": { schema: { type: "string", format: "binary" } as const } };

const OPTIONAL_AUTHENTICATION: Record<string, string[]>[] = [{}, { session: [] }, { key: [] }];

const read = createRoute({
  method: "get",
  path: "/{unique_id}/{kind}",
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
      v: z.string().max(16).optional(),
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

export const mediaRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const { unique_id: uniqueId, kind } = c.req.valid("param");
  const request = {
    method: c.req.method,
    isCompact: c.req.valid("query").form === "compact",
    version: c.req.valid("query").v,
    range: c.req.header("range"),
    ifRange: c.req.header("if-range"),
    ifNoneMatch: c.req.header("if-none-match"),
  };
  let isVisibleToAll = true;
  let isRetry = false;
  const load = async () => {
    const find = () => findPublic(c.env.db, uniqueId);
    // A retry means that the cached row is stale.
    const content = await (isRetry ? find() : c.env.publicCache.content(uniqueId, c.env.now(), find));
    isRetry = true;
    if (!content) return undefined;
    isVisibleToAll = isPublic(content, c.env.now());
    return isVisibleToAll || (await mayRead(c, content)) ? content : undefined;
  };
  const served = isMediaKind(kind) ? await serveMedia(c.env, load, kind, request) : null;
  if (served) {
    if (!isVisibleToAll) served.headers.set("Cache-Control", "private, no-cache");
    return served;
  }
  throw new Refusal("not_found", `No ${kind.slice(0, 100)} found for "${uniqueId.slice(0, 100)}".`);
});

/** Returns whether the caller may read the content of this company. */
async function mayRead(c: Context<AppEnv>, { companyId }: Content): Promise<boolean> {
  try {
    const access = await identify(c, originOf(c));
    return access.company.id === companyId && may(access, "content:read");
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
