/**
 * `npm run release`: builds the package `vivimark`, checks it as programs will import it, and packs it into dist/.
 * Publishing stays a step of its own: `npm publish dist/vivimark-VERSION.tgz`.
 *
 * The checkers are fetched when they run, at these versions, because `npm ci` should not install what only a
 * release needs.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PACKAGE = path.join(ROOT, "dist/vivimark");

const CHECKS = [
  { package: "publint@0.3.25", command: ["publint", "--strict", PACKAGE] },
  {
    package: "@arethetypeswrong/cli@0.18.5",
    // `vivimark/kernels.wasm` has no types, and require() loads the modules in Node 22 and newer only.
    command: ["attw", "--pack", PACKAGE, "--profile", "esm-only", "--exclude-entrypoints", "./kernels.wasm"],
  },
];

const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
if (!readFileSync(path.join(ROOT, "CHANGELOG.md"), "utf8").includes(`\n## ${version}\n`))
  fail(`CHANGELOG.md has no section "${version}". Run \`npm run changeset:version\` first.`);

run(process.execPath, [path.join(ROOT, "node/package/build.ts")]);
for (const { package: name, command } of CHECKS)
  run("npm", ["exec", "--yes", `--package=${name}`, "--", ...command]);
mkdirSync(path.join(ROOT, "dist"), { recursive: true });
run("npm", ["pack", PACKAGE, "--pack-destination", path.join(ROOT, "dist")]);
console.log(`\nPublish it with: npm publish dist/vivimark-${version}.tgz`);

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { cwd: ROOT, stdio: "inherit" });
  } catch {
    fail(`${path.basename(command)} ${args.join(" ")} failed.`);
  }
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
