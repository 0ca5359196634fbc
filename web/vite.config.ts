import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { productionPages } from "./development.ts";

const root = import.meta.dirname;
const page = (name: string) => join(root, `${name}.html`);

// Two pages that share no script: the studio (index.html) and the public viewer (viewer.html).
const pages = ["index", "viewer"].filter((name) => existsSync(page(name)));

/** The API's docs page (/api/docs) takes Swagger UI from our own origin. */
function swaggerUi(): Plugin {
  const { resolve } = createRequire(import.meta.url);
  const types = { "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript" };
  const read = (file: string) => readFileSync(resolve(`swagger-ui-dist/${file}`));
  return {
    name: "swagger-ui",
    configureServer(server) {
      for (const [file, type] of Object.entries(types)) {
        server.middlewares.use(`/swagger-ui/${file}`, (_, response) => {
          response.setHeader("Content-Type", type).end(read(file));
        });
      }
    },
    generateBundle() {
      for (const file of Object.keys(types))
        this.emitFile({ type: "asset", fileName: `swagger-ui/${file}`, source: read(file) });
    },
  };
}

export default defineConfig({
  root,
  appType: "spa",
  plugins: [preact(), swaggerUi(), productionPages()],
  worker: { format: "es" },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Everything stays a file of our own origin: no inlined images, workers or modules.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: Object.fromEntries(pages.map((name) => [name, page(name)])) },
  },
});
