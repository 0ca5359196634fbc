/**
 * Builds the Worker into dist/worker: wrangler runs it (wrangler.toml). wrangler's own bundle is one script, all of which
 * a new isolate compiles before its first response. With modules, it compiles only those that a request imports.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { ROOT } from "../start/processes.ts";

const FOLDER = path.join(ROOT, "dist/worker");

/** zod's messages in 63 languages: a tenth of the Worker, which nothing uses. */
const withoutLocales: Plugin = {
  name: "without-locales",
  setup: ({ onLoad }) => onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "" })),
};

const { metafile, outputFiles } = await build({
  absWorkingDir: ROOT,
  entryPoints: ["worker/index.ts"],
  outdir: FOLDER,
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  sourcemap: true,
  metafile: true,
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  define: { "process.env.NODE_ENV": '"production"' },
  external: ["cloudflare:*", "node:*"],
  plugins: [withoutLocales],
  write: false,
}).catch(() => {
  // esbuild has printed the errors.
  process.exit(1);
});

const files = new Map<string, Uint8Array | string>(outputFiles.map((file) => [file.path, file.contents]));
files.set(path.join(FOLDER, "metafile.json"), JSON.stringify(metafile));
mkdirSync(FOLDER, { recursive: true });
for (const [file, contents] of files) {
  const bytes = Buffer.from(contents);
  // Every other wrangler that runs this folder would reload its Worker, and fail the requests that are under way.
  if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
  // In one step: another wrangler may be reading the file. Tests start several.
  const written = `${file}.${process.pid}`;
  writeFileSync(written, bytes);
  renameSync(written, file);
}
// wrangler deploys all modules of the folder.
for (const name of readdirSync(FOLDER)) {
  const file = path.join(FOLDER, name);
  if (/\.(js|map)$/.test(name) && !files.has(file)) rmSync(file, { force: true });
}
