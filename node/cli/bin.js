#!/usr/bin/env node
// Plain JavaScript on purpose: a Node too old to read TypeScript must still be able to say so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`vivimark: needs Node 22.18 or newer; this is Node ${process.versions.node}.`);
  process.exit(70);
}
const { main } = await import("./main.ts");
await main(process.argv.slice(2));
