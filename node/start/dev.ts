/**
 * `npm run dev`: the platform as `npm start` runs it, reloading on change. Vite serves the studio and the viewer with
 * hot reload and hands every other request to `wrangler dev`, which reloads the Worker by itself; the Node compiler
 * starts again when its code changes. The state persists in `.wrangler/dev`, or in the folder that VIVIMARK_STATE
 * names; `npm run seed` fills it.
 */
import path from "node:path";
import { announce, applyMigrations, requirePackages, startPlatform } from "./platform.ts";
import { anyFreePort, HOST, portFrom, requireFreePort } from "./ports.ts";
import { Processes, ROOT } from "./processes.ts";
import { DEVELOPMENT_STATE, State } from "./state.ts";

/** Code that the Node compiler runs. */
const COMPILER_CODE = /^(compiler\/|node\/[^/]+\.ts$)/;

/** Editors write a file in several steps. */
const SETTLE_MILLISECONDS = 100;

await Processes.session(async (processes) => {
  const port = portFrom("PORT", 8787);
  requirePackages();
  await requireFreePort("PORT", port);
  const state = State.open(DEVELOPMENT_STATE);

  console.log("Applying database migrations …");
  await applyMigrations(processes, state);
  const [edgePort, compilerPort] = [await anyFreePort(), await anyFreePort()];
  const platform = await startPlatform(processes, {
    state,
    port: edgePort,
    compilerPort,
    // Vite serves the pages themselves.
    assets: "web/public",
    reloads: true,
  });

  const { createServer } = await import("vite");
  // The Host header stays, so that the Worker sees the address that the browser shows.
  const edge = { target: platform.url, changeOrigin: false };
  const pages = await createServer({
    configFile: path.join(ROOT, "web/vite.config.ts"),
    clearScreen: false,
    server: { host: HOST, port, strictPort: true, cors: false, proxy: { "/api": edge, "/media": edge } },
  });
  processes.onStop(() => pages.close());
  await pages.listen();

  let restart: NodeJS.Timeout | undefined;
  pages.watcher.add(["compiler", "node"].map((folder) => path.join(ROOT, folder)));
  pages.watcher.on("all", (_event, changed) => {
    const file = path.relative(ROOT, changed);
    if (!COMPILER_CODE.test(file)) return;
    clearTimeout(restart);
    restart = setTimeout(async () => {
      await platform.restartCompiler();
      console.log(`Restarted the Node compiler: ${file} changed.`);
    }, SETTLE_MILLISECONDS);
  });

  await announce(platform, `http://localhost:${port}`, state);
});
