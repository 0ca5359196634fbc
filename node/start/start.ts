/**
 * `npm start`: the whole platform on this machine, on loopback, with nothing to configure.
 * Builds the web app, applies the D1 migrations, and runs the Node compiler and `wrangler dev` until Ctrl-C.
 * The state persists in `.wrangler/state`, or in the folder that VIVIMARK_STATE names.
 */
import {
  announce,
  applyMigrations,
  buildWeb,
  isWebBuilt,
  requirePackages,
  startPlatform,
} from "./platform.ts";
import { portFrom, requireFreePort } from "./ports.ts";
import { Processes, StartError } from "./processes.ts";
import { State } from "./state.ts";

await Processes.session(async (processes) => {
  const port = portFrom("PORT", 8787);
  const compilerPort = portFrom("COMPILER_PORT", 8788);
  if (port === compilerPort)
    throw new StartError(`PORT and COMPILER_PORT are both ${port}. Give each its own port.`);
  requirePackages();
  await requireFreePort("PORT", port);
  await requireFreePort("COMPILER_PORT", compilerPort);
  const state = State.open(".wrangler/state");

  if (!isWebBuilt()) {
    console.log("Building the web app …");
    await buildWeb(processes);
  }
  console.log("Applying database migrations …");
  await applyMigrations(processes, state);
  const platform = await startPlatform(processes, { state, port, compilerPort });
  await announce(platform, `http://localhost:${port}`, state);
});
