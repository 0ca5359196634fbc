/**
 * `npm run backup -- FOLDER [--remote]`: saves the database and the files of the platform on this machine, or of the one
 * on Cloudflare. docs/operations.md describes what is not in it.
 */
import { Processes } from "../start/processes.ts";
import { Archive } from "./archive.ts";
import { checkReferences } from "./check.ts";
import { connect, readOptions } from "./connect.ts";
import { save } from "./save.ts";

await Processes.session(async (processes) => {
  const options = readOptions("backup", process.argv.slice(3));
  const { stores, place } = await connect(processes, options, { create: false });
  const archive = Archive.create(options.folder);
  console.log(`Saving ${place} …`);
  await save(stores, archive);
  await checkReferences(archive);
  const { tables, files } = archive.manifest;
  const rows = tables.reduce((sum, { count }) => sum + count, 0);
  console.log(
    `Saved and verified: ${rows} rows of ${tables.length} tables, ${files.count} files (${files.bytes} bytes).`,
  );
  console.log("SECRETS_KEYS is not in it, and stored credentials cannot be read without it.");
  await processes.finish(0);
});
