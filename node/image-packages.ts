/**
 * Reduces package.json and package-lock.json in the current folder to what the Node compiler runs on: its image codecs.
 * node/Dockerfile runs it before `npm ci`, which then installs 2 MB instead of all packages of the project.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const project = JSON.parse(readFileSync("package.json", "utf8"));
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const locked: Record<string, LockedPackage> = lock.packages;

const dependencies = Object.fromEntries(
  Object.entries(project.dependencies).filter(([name]) => name.startsWith("@jsquash/")),
);
const names = new Set(Object.keys(dependencies));
// Adding to a set continues its loop.
for (const name of names) {
  for (const needed of Object.keys(locked[`node_modules/${name}`]?.dependencies ?? {})) names.add(needed);
}
const kept = Array.from(names, (name) => [`node_modules/${name}`, locked[`node_modules/${name}`]]);

const { name, version, type } = project;
write("package.json", { name, version, type, dependencies });
write("package-lock.json", {
  ...lock,
  packages: { "": { name, version, dependencies }, ...Object.fromEntries(kept) },
});

function write(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
