import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Handler } from "hono";
import { describeAuth, isExposed } from "./accounts/auth-operations.ts";
import type { AppEnv } from "./bindings.ts";
import { describeApi } from "./document/document.ts";
import { describeViewer } from "./document/viewer.ts";
import { invalidInput } from "./http/json-body.ts";
import { countPublic, serve } from "./http/serve.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { auditLogRoutes } from "./routes/audit-log.ts";
import { authRoutes } from "./routes/auth.ts";
import { batchRoutes } from "./routes/batch.ts";
import { bulkRoutes } from "./routes/bulk.ts";
import { companyRoutes } from "./routes/company.ts";
import { contentRoutes } from "./routes/content.ts";
import { docsRoutes } from "./routes/docs.ts";
import { healthRoutes } from "./routes/health.ts";
import { invitationRoutes } from "./routes/invitations.ts";
import { mailboxRoutes } from "./routes/mailbox.ts";
import { markerRoutes } from "./routes/marker.ts";
import { meRoutes } from "./routes/me.ts";
import { memberRoutes } from "./routes/members.ts";
import { passkeyRoutes } from "./routes/passkeys.ts";
import { passwordResetRoutes } from "./routes/password-resets.ts";
import { metricsRoutes, platformRoutes } from "./routes/platform.ts";
import { projectRoutes } from "./routes/projects.ts";
import { setupRoutes } from "./routes/setup.ts";
import { storageConnectionRoutes } from "./routes/storage-connections.ts";
import { storageMigrationRoutes } from "./routes/storage-migrations.ts";
import { taskRoutes } from "./routes/tasks.ts";
import { videoRoutes } from "./routes/video.ts";
import { videoUploadRoutes } from "./routes/video-uploads.ts";
import { describeEvents, webhookRoutes } from "./routes/webhooks.ts";
import { yandexPermissionRoutes } from "./routes/yandex-permission.ts";

/** The API, which the studio and programs use. Loaded by worker/app.ts on its first request. */
const root = new OpenAPIHono<AppEnv>({
  defaultHook: (result) => {
    if (result.success) return;
    // The validator passes the data too, although the hook's type does not declare it.
    throw invalidInput(result.error, "data" in result ? result.data : undefined, result.target);
  },
});

serve(root, { logged: loggedPathOf });

root.use("/api/ar-content/:id/*", async (c, next) => {
  await next();
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (!isRead && c.res.ok) c.env.publicCache.forget(c.req.param("id"), c.env.now());
});

for (const publicPath of [
  "api/health",
  "api/metrics",
  "api/setup",
  "api/invitation",
  "api/mailbox",
  "api/openapi.json",
  "api/docs",
]) {
  root.use(`/${publicPath}/*`, countPublic);
}

const api = root
  .route("/api/ar-content", batchRoutes)
  .route("/api/ar-content", bulkRoutes)
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
  .route("/api/health", healthRoutes)
  .route("/api/metrics", metricsRoutes)
  .route("/api/platform", platformRoutes);

describeAuth(api.openAPIRegistry);
describeViewer(api.openAPIRegistry);
describeEvents(api.openAPIRegistry);
api.get("/api/openapi.json", serveDocument());
api.route("/api/docs", docsRoutes);
// After all routes: reached only by requests that no route answers.
api.use("/api/*", countPublic);

export { api };

/** Serves the OpenAPI document, which is built at the first request. */
function serveDocument(): Handler<AppEnv> {
  let document: string | undefined;
  return (c) => {
    document ??= JSON.stringify(describeApi(api));
    return c.body(document, 200, { "Content-Type": "application/json" });
  };
}

/** Returns the route's pattern; better-auth has one for all its operations, whose paths contain no secrets. */
function loggedPathOf(c: Context, route: string): string {
  const { path, method } = c.req;
  return route === "/api/auth/*" && isExposed(path.slice("/api/auth".length), method) ? path : route;
}
