import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { identify, may } from "../accounts/identity.ts";
import type { AppEnv } from "../bindings.ts";
import { isMediaKind, MEDIA_KINDS } from "../content/file-kinds.ts";
import { serveMedia } from "../content/media.ts";
import { findPublic, isPublic } from "../content/store.ts";
import type { Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { originOf } from "../http/json-body.ts";
import { problems } from "../http/openapi.ts";

const bytes = { "*/*": { schema: { type: "string", format: "binary" } as const } };

const NOBODY_OR_SOMEBODY: Record<string, string[]>[] = [{}, { session: [] }, { key: [] }];

const read = createRoute({
  method: "get",
  path: "/{unique_id}/{kind}",
  operationId: "getMedia",
  summary: "A file of a piece of content",
  description:
    "Public and readable from any origin; while the content is not active, or has expired, only for those who may see it in its " +
    "company. HEAD, ETag, If-None-Match, Range and If-Range are understood. The address with the current `v` may be cached for ever.",
  security: NOBODY_OR_SOMEBODY,
  request: {
    params: z.object({
      unique_id: z.string(),
      kind: z.string().openapi({ enum: [...MEDIA_KINDS] }),
    }),
    query: z.object({ v: z.string().max(16).optional() }),
  },
  responses: {
    200: { description: "The file", content: bytes },
    206: { description: "A range of it", content: bytes },
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
    version: c.req.valid("query").v,
    range: c.req.header("range"),
    ifRange: c.req.header("if-range"),
    ifNoneMatch: c.req.header("if-none-match"),
  };
  let isOpen = true;
  let isAskedAgain = false;
  const load = async () => {
    const find = () => findPublic(c.env.db, uniqueId);
    // Asked again, because what was kept is no longer so.
    const content = await (isAskedAgain ? find() : c.env.publicCache.content(uniqueId, c.env.now(), find));
    isAskedAgain = true;
    if (!content) return undefined;
    isOpen = isPublic(content, c.env.now());
    return isOpen || (await maySee(c, content)) ? content : undefined;
  };
  const served = isMediaKind(kind) ? await serveMedia(c.env, load, kind, request) : null;
  if (served) {
    if (!isOpen) served.headers.set("Cache-Control", "private, no-cache");
    return served;
  }
  throw new Refusal("not_found", `There is no ${kind.slice(0, 100)} of "${uniqueId.slice(0, 100)}".`);
});

/** Whether whoever asks belongs to the content's company. */
async function maySee(c: Context<AppEnv>, { companyId }: Content): Promise<boolean> {
  try {
    const access = await identify(c, originOf(c));
    return access.company.id === companyId && may(access, "content:read");
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
