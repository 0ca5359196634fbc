/**
 * `npm run restore -- FOLDER [--remote]`: puts a backup into a new state on this machine, or into a new database and a
 * bucket on Cloudflare.
 */
import { Processes } from "../start/processes.ts";
import { Archive } from "./archive.ts";
import { connect, readOptions } from "./connect.ts";
import { load } from "./load.ts";
import { compare } from "./save.ts";

await Processes.session(async (processes) => {
  const options = readOptions("restore", process.argv.slice(3));
  const archive = Archive.open(options.folder);
  await archive.verify();
  const { stores, place } = await connect(processes, options, { create: true });
  console.log(`Restoring into ${place} …`);
  await load(stores, archive);
  await compare(stores, archive);
  const { tables, files } = archive.manifest;
  const rows = tables.reduce((sum, { count }) => sum + count, 0);
  console.log(`Restored and verified: ${rows} rows of ${tables.length} tables, ${files.count} files.`);
  console.log(
    "Start the platform with the SECRETS_KEYS that it had. Applying database migrations upgrades it.",
  );
  await processes.finish(0);
});
