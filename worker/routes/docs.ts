import { OpenAPIHono } from "@hono/zod-openapi";
import { html } from "hono/html";
import type { AppEnv } from "../bindings.ts";

/** Swagger UI for /api/openapi.json. Its files are served as assets (see web/vite.config.ts). */
export const docsRoutes = new OpenAPIHono<AppEnv>().get("/", (c) => {
  const nonce = crypto.randomUUID();
  c.header(
    "Content-Security-Policy",
    `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'unsafe-inline'; ` +
      "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  return c.html(html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>Vivimark API</title>
        <link rel="stylesheet" href="/swagger-ui/swagger-ui.css" />
      </head>
      <body>
        <div id="api"></div>
        <script src="/swagger-ui/swagger-ui-bundle.js"></script>
        <script nonce="${nonce}">
          SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#api", deepLinking: true });
        </script>
      </body>
    </html>`);
});
