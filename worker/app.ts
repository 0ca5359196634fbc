import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Handler } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { routePath } from "hono/route";
import { describeAuth, isExposed } from "./accounts/auth-operations.ts";
import type { AppEnv } from "./bindings.ts";
import { describeApi } from "./document/document.ts";
import { type ErrorCode, problemOf, Refusal } from "./errors.ts";
import { addressOf, networkOf } from "./http/address.ts";
import { invalidInput } from "./http/json-body.ts";
import { refusalFor } from "./http/refusals.ts";
import { RequestBody } from "./http/request-body.ts";
import { addLogContext, logEvent, logFailure, withLogContext } from "./log.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { auditLogRoutes } from "./routes/audit-log.ts";
import { authRoutes } from "./routes/auth.ts";
import { batchRoutes } from "./routes/batch.ts";
import { companyRoutes } from "./routes/company.ts";
import { contentRoutes } from "./routes/content.ts";
import { docsRoutes } from "./routes/docs.ts";
import { countPublic } from "./routes/guarded.ts";
import { healthRoutes } from "./routes/health.ts";
import { invitationRoutes } from "./routes/invitations.ts";
import { mailboxRoutes } from "./routes/mailbox.ts";
import { markerRoutes } from "./routes/marker.ts";
import { meRoutes } from "./routes/me.ts";
import { mediaRoutes } from "./routes/media.ts";
import { memberRoutes } from "./routes/members.ts";
import { passkeyRoutes } from "./routes/passkeys.ts";
import { passwordResetRoutes } from "./routes/password-resets.ts";
import { projectRoutes } from "./routes/projects.ts";
import { setupRoutes } from "./routes/setup.ts";
import { storageConnectionRoutes } from "./routes/storage-connections.ts";
import { storageMigrationRoutes } from "./routes/storage-migrations.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { videoRoutes } from "./routes/video.ts";
import { videoUploadRoutes } from "./routes/video-uploads.ts";
import { viewerRoutes } from "./routes/viewer.ts";
import { describeEvents, webhookRoutes } from "./routes/webhooks.ts";
import { yandexPermissionRoutes } from "./routes/yandex-permission.ts";
import { Patience, REQUEST_PATIENCE_SECONDS, withPatience } from "./storage/patience.ts";

const root = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (result.success) return;
    // The validator passes the data too, although the hook's type does not declare it.
    throw invalidInput(result.error, "data" in result ? result.data : undefined, result.target);
  },
});

/** Content-Security-Policy of responses other than pages. A photo or video opened by itself is shown. */
const RESTRICTIVE_POLICY =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Longer ids from clients are replaced. */
const MAX_REQUEST_ID_LENGTH = 64;

root.use(requestId({ limitLength: MAX_REQUEST_ID_LENGTH }));

root.use(async (c, next) => {
  const started = Date.now();
  await withLogContext({ request_id: c.var.requestId }, async () => {
    await withPatience(new Patience(REQUEST_PATIENCE_SECONDS), next);
    const { method } = c.req;
    logEvent("request", { method, path: routePatternOf(c), status: c.res.status, ms: Date.now() - started });
  });
});

root.use(async (c, next) => {
  const body = new RequestBody(c.req.raw, c.env.uploadMemory.open(networkOf(addressOf(c)), c.env));
  c.set("body", body);
  await next();
  body.held.release();
  await body.drain();
  // Not c.header, which copies the response with its body.
  const { headers } = c.res;
  headers.set("X-Request-Id", c.var.requestId);
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "strict-origin-when-cross-origin");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  // Pages set their own policy.
  if (!headers.has("Content-Security-Policy")) headers.set("Content-Security-Policy", RESTRICTIVE_POLICY);
});

root.use("/api/ar-content/:id/*", async (c, next) => {
  await next();
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (!isRead && c.res.ok) c.env.publicCache.forget(c.req.param("id"));
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
root.use("/media/*", readableAnywhere);
root.use("/api/viewer/*", readableAnywhere);

for (const publicPath of [
  "media",
  "api/viewer",
  "api/health",
  "api/setup",
  "api/invitation",
  "api/mailbox",
  "api/openapi.json",
  "api/docs",
]) {
  root.use(`/${publicPath}/*`, countPublic);
}

const app = root
  .route("/api/ar-content", batchRoutes)
  .route("/api/ar-content", contentRoutes)
  .route("/api/ar-content", markerRoutes)
  .route("/api/ar-content", videoRoutes)
  .route("/api/ar-content", videoUploadRoutes)
  .route("/api/tasks", taskRoutes)
  .route("/api/projects", projectRoutes)
  .route("/api/storage-connections/yandex", yandexPermissionRoutes)
  .route("/api/storage-connections", storageConnectionRoutes)
  .route("/api/storage-migrations", storageMigrationRoutes)
  .route("/api/company", companyRoutes)
  .route("/api/api-keys", apiKeyRoutes)
  .route("/api/webhooks", webhookRoutes)
  .route("/api/audit-log", auditLogRoutes)
  .route("/api/me/passkeys", passkeyRoutes)
  .route("/api/me", meRoutes)
  .route("/api/setup", setupRoutes)
  .route("/api/invitation", invitationRoutes)
  .route("/api/mailbox", mailboxRoutes)
  .route("/api/auth/organization", memberRoutes)
  .route("/api/auth", passwordResetRoutes)
  .route("/api/auth", authRoutes)
  .route("/api/viewer", viewerRoutes)
  .route("/media", mediaRoutes)
  .route("/api/health", healthRoutes);

describeAuth(app.openAPIRegistry);
describeEvents(app.openAPIRegistry);
app.get("/api/openapi.json", serveDocument());
app.route("/api/docs", docsRoutes);

app.get("/v/:uniqueId", (c) => pageAt("/viewer", c));

app.notFound((c) => {
  const methods = methodsOf(c.req.path);
  if (methods.length > 0) {
    const allowed = methods.join(", ");
    const detail = `${c.req.path.slice(0, 200)} does not support ${c.req.method}; expected ${allowed}.`;
    return respond(c, new Refusal("method_not_allowed", detail, { Allow: allowed }));
  }
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (isRead && isStudioPath(c.req.path)) return pageAt("/", c);
  const detail = `${c.req.method} ${c.req.path.slice(0, 200)} does not exist.`;
  return respond(c, new Refusal("not_found", detail));
});

app.onError((error, c) => {
  const refusal = refusalFor(error);
  if (refusal) return respond(c, refusal);
  if (error instanceof HTTPException) return respond(c, new Refusal(codeOf(error), error.message));
  logFailure("A request failed with an internal error", error);
  const detail = `Something went wrong on our side. Try again, or report request ${c.var.requestId}.`;
  return respond(c, new Refusal("internal_error", detail));
});

export { app };

/** Serves the OpenAPI document, which is built at the first request. */
function serveDocument(): Handler<AppEnv> {
  let document: string | undefined;
  return (c) => {
    document ??= JSON.stringify(describeApi(app));
    return c.body(document, 200, { "Content-Type": "application/json" });
  };
}

/** Returns the methods that the routes of a path support. */
function methodsOf(path: string): string[] {
  const methods = new Set<string>();
  for (const route of app.routes) {
    if (route.method === "ALL" || !patternOf(route.path).test(path)) continue;
    methods.add(route.method);
    if (route.method === "GET") methods.add("HEAD");
  }
  return [...methods].sort();
}

function patternOf(route: string): RegExp {
  return new RegExp(`^${route.replaceAll(".", "\\.").replace(/:[^/]+/g, "[^/]+")}$`);
}

async function pageAt(path: string, c: Context<AppEnv>): Promise<Response> {
  const page = await c.env.assets.fetch(new Request(new URL(path, c.req.url), c.req.raw));
  // The headers of the binding's own response are immutable.
  return new Response(page.body, page);
}

/** Returns whether the studio renders a path. A path with a file extension is a missing file. */
function isStudioPath(path: string): boolean {
  return !/^\/(api|media|assets|swagger-ui)(\/|$)|\.[^/]*$/.test(path);
}

/** Returns the code for Hono's own errors, which are all about request bodies. */
function codeOf({ status }: HTTPException): ErrorCode {
  if (status === 415) return "unsupported_media_type";
  if (status === 413) return "body_too_large";
  return status === 400 ? "malformed_json" : "internal_error";
}

/** Returns the route's pattern for the log: the path itself may contain a secret. */
function routePatternOf(c: Context): string {
  const { path, method } = c.req;
  const route = routePath(c);
  return route === "/api/auth/*" && isExposed(path.slice("/api/auth".length), method) ? path : route;
}

function respond(c: Context<AppEnv>, { code, message, headers, fields }: Refusal): Response {
  addLogContext({ code });
  const problem = { ...problemOf(code, message, fields), request_id: c.var.requestId };
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
  });
}
