import { type Context, Hono } from "hono";
import type { AppEnv } from "../bindings.ts";
import { isMediaKind, KINDS } from "../content/file-kinds.ts";
import { serveMedia } from "../content/media.ts";
import { isPublic } from "../content/public.ts";
import type { Content } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { originOf } from "../http/origin.ts";
import { findLinked } from "./linked-content.ts";

/** The longest `v` of an address. */
export const MAX_VERSION_LENGTH = 16;

/** Documented in worker/document/viewer.ts. */
export const mediaRoutes = new Hono<AppEnv>().get("/:unique_id/:kind", async (c) => {
  const { unique_id: uniqueId, kind } = c.req.param();
  const { v: version, form } = c.req.query();
  if (form !== undefined && form !== "compact") throw invalidQuery("form", '"compact"', form);
  if (version !== undefined && version.length > MAX_VERSION_LENGTH)
    throw invalidQuery("v", `at most ${MAX_VERSION_LENGTH} characters`, version);
  const request = {
    method: c.req.method,
    isCompact: form === "compact",
    version,
    range: c.req.header("range"),
    ifRange: c.req.header("if-range"),
    ifNoneMatch: c.req.header("if-none-match"),
  };
  const isPublicKind = isMediaKind(kind) && KINDS[kind].isPublic;
  let isVisibleToAll = true;
  let isRetry = false;
  const load = async () => {
    // A retry means that the cached row is stale.
    const content = await findLinked(c, uniqueId, { isFresh: isRetry });
    isRetry = true;
    if (!content) return undefined;
    isVisibleToAll = isPublicKind && isPublic(content, c.env.now());
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
  const { identify, may } = await import("../accounts/identity.ts");
  try {
    const access = await identify(c, originOf(c));
    return access.company.id === companyId && may(access, "content:read");
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function invalidQuery(field: string, expected: string, received: string): Refusal {
  const detail = `expected ${expected}; received ${JSON.stringify(received.slice(0, 80))}.`;
  const message = `Field "${field}" of the query: ${detail}`;
  return new Refusal("invalid_input", message, {}, [{ field, detail }]);
}
