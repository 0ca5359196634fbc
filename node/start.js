// Plain JavaScript on purpose: a Node too old to read TypeScript must still print this message.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Vivimark needs Node 22.18 or newer; this is Node ${process.versions.node}. ` +
      "On Linux x64, `npm ci` installs a newer one: run `npm ci`, then try again.",
  );
  process.exit(1);
}
/** The folder of each command beside this file. */
const FOLDERS = {
  start: "start",
  dev: "start",
  seed: "start",
  deploy: "deploy",
  "build-worker": "deploy",
  backup: "backup",
  restore: "backup",
};
const command = process.argv[2] ?? "start";
if (!Object.hasOwn(FOLDERS, command)) {
  console.error(`${command} is not a command. Commands: ${Object.keys(FOLDERS).join(", ")}.`);
  process.exit(2);
}
await import(`./${FOLDERS[command]}/${command}.ts`);
