import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "./bindings.ts";
import { countPublic, serve } from "./http/serve.ts";
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
    return isRead && isStudioPath(c.req.path) ? pageAt("/", c) : null;
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
pages.get("/v/:uniqueId", (c) => pageAt("/viewer", c));

export { pages };

async function pageAt(path: string, c: Context<AppEnv>): Promise<Response> {
  const page = await c.env.assets.fetch(new Request(new URL(path, c.req.url), c.req.raw));
  // The headers of the binding's own response are immutable.
  return new Response(page.body, page);
}

/** Returns whether the studio renders a path. A path with a file extension is a missing file. */
function isStudioPath(path: string): boolean {
  return !/^\/(api|media|assets|swagger-ui)(\/|$)|\.[^/]*$/.test(path);
}
