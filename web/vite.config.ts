import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;
/** `npm start` on its own port. */
const EDGE = "http://127.0.0.1:8787";
const page = (name: string) => join(root, `${name}.html`);

// Two pages that share no script: the studio (index.html) and the public viewer (viewer.html).
const pages = ["index", "viewer"].filter((name) => existsSync(page(name)));

/** The API's docs page (/api/docs) takes Swagger UI from our own origin. */
function swaggerUi(): Plugin {
  const { resolve } = createRequire(import.meta.url);
  return {
    name: "swagger-ui",
    generateBundle() {
      for (const file of ["swagger-ui.css", "swagger-ui-bundle.js"]) {
        const source = readFileSync(resolve(`swagger-ui-dist/${file}`));
        this.emitFile({ type: "asset", fileName: `swagger-ui/${file}`, source });
      }
    },
  };
}

export default defineConfig({
  root,
  appType: "spa",
  plugins: [preact(), swaggerUi()],
  worker: { format: "es" },
  resolve: {
    // MindAR's player asks for all of TensorFlow.js and uses a part.
    alias: [{ find: /^@tensorflow\/tfjs$/, replacement: join(root, "viewer/tensorflow.ts") }],
  },
  // Its workers are imported in ways that the development server's bundling of dependencies does not know.
  optimizeDeps: { exclude: ["mind-ar"] },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Everything stays a file of our own origin: no inlined images, workers or modules.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The viewer's tracker (MindAR with TensorFlow) is one chunk of 650 kB, loaded after the start screen.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: Object.fromEntries(pages.map((name) => [name, page(name)])) },
  },
  server: {
    host: "127.0.0.1",
    // `vite web` beside `npm start`: the page from here, everything else from the edge.
    // The edge takes changes from its own pages only, and here this page is one.
    proxy: Object.fromEntries(
      ["/api", "/media"].map((path) => [
        path,
        { target: EDGE, changeOrigin: true, headers: { origin: EDGE } },
      ]),
    ),
  },
});
