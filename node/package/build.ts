/**
 * `npm run build:library [FOLDER]`: assembles the package `vivimark`, command line and library, ready for
 * `npm pack` and `npm publish`, in dist/vivimark or the folder given.
 *
 * Its modules are those of compiler/, node/, client/ and player/ that the entries of their tsconfig.json reach, as
 * JavaScript with types and source maps, in the same folders; its versions are those of the repository's package.json.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const target = path.resolve(process.argv[2] ?? path.join(ROOT, "dist/vivimark"));

const MODULES = ["compiler/wasm/kernels.wasm", "compiler/wasm/player.wasm"];

const root = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));

const manifest = {
  name: "vivimark",
  version: root.version,
  description:
    "MindAR image targets (.mind files): compile, inspect, merge and play them. Command line, library, player, and the client of a Vivimark platform.",
  keywords: ["mindar", "mind-ar", "image target", "compiler", "augmented reality", "webar", "cli"],
  license: root.license,
  // npm compares it with the repository that the release workflow runs in.
  ...(process.env.GITHUB_REPOSITORY && {
    repository: { type: "git", url: `git+https://github.com/${process.env.GITHUB_REPOSITORY}.git` },
  }),
  type: "module",
  // Bundlers leave out what a page does not use.
  sideEffects: ["./node/cli/bin.js", "./node/job.js", "./player/web/worker.js"],
  engines: root.engines,
  bin: { vivimark: "node/cli/bin.js" },
  exports: {
    ".": { types: "./compiler/index.d.ts", default: "./compiler/index.js" },
    "./node": { types: "./node/library.d.ts", default: "./node/library.js" },
    "./client": { types: "./client/client.d.ts", default: "./client/client.js" },
    "./player": { types: "./player/web/player.d.ts", default: "./player/web/player.js" },
    "./player/controller": { types: "./player/web/controller.d.ts", default: "./player/web/controller.js" },
    "./kernels.wasm": "./compiler/wasm/kernels.wasm",
    "./package.json": "./package.json",
  },
  // The exact versions: other codecs might decode a photo to other pixels.
  dependencies: Object.fromEntries(
    Object.entries(root.dependencies).filter(([name]) => name.startsWith("@jsquash/")),
  ),
};

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
// Each host's modules are compiled with its own types.
for (const project of ["node/package", "player/web", "player/web/tsconfig.worker.json"]) {
  execFileSync(
    process.execPath,
    [
      path.join(ROOT, "node_modules/typescript/bin/tsc"),
      ...["-p", path.join(ROOT, project), "--outDir", target, "--rootDir", ROOT],
      ...[
        "--noEmit",
        "false",
        "--incremental",
        "false",
        "--declaration",
        "--sourceMap",
        // The package has no TypeScript.
        "--inlineSources",
        "--rewriteRelativeImportExtensions",
      ],
    ],
    { stdio: "inherit" },
  );
}
// The compiler rewrites imports, and not the worker's address.
const player = path.join(target, "player/web/player.js");
writeFileSync(player, readFileSync(player, "utf8").replace('"./worker.ts"', '"./worker.js"'));
mkdirSync(path.join(target, "compiler/wasm"));
for (const module of MODULES) copyFileSync(path.join(ROOT, module), path.join(target, module));
copyFileSync(path.join(ROOT, "LICENSE"), path.join(target, "LICENSE"));
copyFileSync(path.join(ROOT, "node/package/README.md"), path.join(target, "README.md"));
writeFileSync(path.join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
