import { join } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";
import { productionPages } from "./development.ts";

const root = import.meta.dirname;
const pageOf = (name: string) => ({ rolldownOptions: { input: join(root, `${name}.html`) } });

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
    ...pageOf("index"),
  },
  // The viewer is built by itself, after the studio: files that both shared would contain what only the studio needs.
  environments: {
    viewer: {
      consumer: "client",
      build: { emptyOutDir: false, copyPublicDir: false, ...pageOf("viewer") },
    },
  },
  builder: {
    async buildApp(builder) {
      await builder.build(builder.environments.client!);
      await builder.build(builder.environments.viewer!);
    },
  },
});
