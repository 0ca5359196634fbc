import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { type Language, languageOf } from "../messages/languages.ts";
import type { AppEnv } from "./bindings.ts";
import { type Preview, previewOf, withPreview } from "./content/preview.ts";
import { isPublic } from "./content/public.ts";
import { publicOriginOf } from "./http/origin.ts";
import { countPublic, serve } from "./http/serve.ts";
import { logFailure } from "./log.ts";
import { findLinked } from "./routes/linked-content.ts";
import { mediaRoutes } from "./routes/media.ts";
import { viewerRoutes } from "./routes/viewer.ts";

/**
 * What people load who scan a photo, and the pages of the studio. Most isolates start for such a request, so nothing
 * that this file imports loads zod, better-auth or the API's document (test/start/deploy.test.ts).
 */
const pages = new Hono<AppEnv>();

serve(pages, {
  otherwise: (c) => {
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    return isRead && isStudioPath(c.req.path)
      ? pageAt(c, new Request(new URL("/", c.req.url), c.req.raw))
      : null;
  },
});

// Players on other sites load markers, videos and manifests.
const readableAnywhere = cors({
  origin: "*",
  allowMethods: ["GET", "HEAD"],
  allowHeaders: ["Range", "If-Range", "If-None-Match"],
  exposeHeaders: [
    "Accept-Ranges",
    "Content-Length",
    "Content-Range",
    "ETag",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
  ],
  maxAge: 86_400,
});
for (const path of ["/media/*", "/api/viewer/*"]) pages.use(path, readableAnywhere, countPublic);
pages.use("/v/*", countPublic);

pages.route("/api/viewer", viewerRoutes);
pages.route("/media", mediaRoutes);
pages.get("/v/:uniqueId", async (c) => {
  // The page contains what may change at any time, so that a request with If-None-Match gets it again.
  const { method } = c.req;
  const page = await pageAt(c, new Request(new URL("/viewer", c.req.url), { method }));
  page.headers.delete("ETag");
  page.headers.set("Cache-Control", "no-cache");
  page.headers.append("Vary", "Accept-Language");
  const language = languageIn(c.req.header("accept-language"));
  return withPreview(page, language, () => previewAt(c.req.param("uniqueId"), c));
});

export { pages };

async function pageAt({ env }: Context<AppEnv>, request: Request): Promise<Response> {
  const page = await env.assets.fetch(request);
  // The headers of the binding's own response are immutable.
  return new Response(page.body, page);
}

/** Returns the language of an Accept-Language header, in which browsers put the preferred one first. */
function languageIn(header = ""): Language {
  return languageOf(header.split(",").map((part) => part.split(";")[0]!.trim()));
}

/** Returns the preview of a viewer's link; null unless a published photo is there. */
async function previewAt(uniqueId: string, c: Context<AppEnv>): Promise<Preview | null> {
  try {
    const content = await findLinked(c, uniqueId);
    return content && isPublic(content, c.env.now()) ? previewOf(content, publicOriginOf(c)) : null;
  } catch (error) {
    logFailure("The preview of a link could not be loaded", error);
    return null;
  }
}

/** Returns whether the studio renders a path. A path with a file extension is a missing file. */
function isStudioPath(path: string): boolean {
  return !/^\/(api|media|assets)(\/|$)|\.[^/]*$/.test(path);
}
