// Plain JavaScript on purpose: a Node too old to read TypeScript must still print this message.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Vivimark needs Node 22.18 or newer; this is Node ${process.versions.node}. ` +
      "On Linux x64, `npm ci` installs a newer one: run `npm ci`, then try again.",
  );
  process.exit(1);
}
const command = process.argv[2] ?? "start";
const folder =
  { "build-worker": "deploy", deploy: "deploy", backup: "backup", restore: "backup" }[command] ?? "start";
await import(`./${folder}/${command}.ts`);
