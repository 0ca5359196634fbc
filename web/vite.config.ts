import { existsSync } from "node:fs";
import { join } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";
import { productionPages } from "./development.ts";

const root = import.meta.dirname;
const page = (name: string) => join(root, `${name}.html`);

// Two pages that share no script: the studio (index.html) and the public viewer (viewer.html).
const pages = ["index", "viewer"].filter((name) => existsSync(page(name)));

export default defineConfig({
  root,
  appType: "spa",
  plugins: [preact(), productionPages()],
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
