import { join } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { LANGUAGES } from "../messages/languages.ts";
import { productionPages } from "./development.ts";

const root = import.meta.dirname;
const pageOf = (name: string) => ({ rolldownOptions: { input: join(root, `${name}.html`) } });

/** Links the viewer's texts in its page. The Worker keeps those of the visitor's language, which load with the script. */
function linkedTexts(): Plugin {
  return {
    name: "linked-texts",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle = {} }) =>
        Object.keys(LANGUAGES).flatMap((language) => {
          const texts = join(root, `../messages/${language}/viewer.ts`);
          const chunk = Object.values(bundle).find(
            (file) => file.type === "chunk" && file.facadeModuleId === texts,
          );
          if (!chunk) return [];
          const attrs = { rel: "modulepreload", hreflang: language, href: `/${chunk.fileName}` };
          return [{ tag: "link", attrs, injectTo: "head" as const }];
        }),
    },
  };
}

export default defineConfig({
  root,
  appType: "spa",
  plugins: [preact(), linkedTexts(), productionPages()],
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
      build: { emptyOutDir: false, copyPublicDir: false, modulePreload: false, ...pageOf("viewer") },
    },
  },
  builder: {
    async buildApp(builder) {
      await builder.build(builder.environments.client!);
      await builder.build(builder.environments.viewer!);
    },
  },
});
