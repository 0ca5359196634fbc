// The Worker in wrangler's test harness, with a running Node compiler. Tests can put messages of their own
// into its queue. It is not suited to tests of broken networks: an unreachable compiler stalls its queue,
// unlike the real one.

import { fileURLToPath } from "node:url";
import { createTestHarness, type TestHarness } from "wrangler";
import { becomeFirstOwner, withKey } from "../first-owner.ts";
import { Api } from "./api.ts";
import { NodeCompiler, SECRET } from "./compiler.ts";

export interface Harness {
  readonly edge: TestHarness;
  readonly compiler: NodeCompiler;
  readonly api: Api;
  close(): Promise<void>;
}

/** @param secrets of the Worker, in addition to the required ones */
export async function startHarness(secrets: Readonly<Record<string, string>> = {}): Promise<Harness> {
  const compiler = await NodeCompiler.reserve();
  await compiler.start();
  const edge = createTestHarness({
    root: fileURLToPath(new URL("../..", import.meta.url)),
    workers: [
      {
        configPath: "wrangler.toml",
        vars: { COMPILER_URL: compiler.url },
        secrets: { COMPILER_SECRET: SECRET, AUTH_SECRET: SECRET, SETUP_TOKEN: SECRET, ...secrets },
      },
    ],
  });
  const close = async () => {
    await edge.close();
    await compiler.kill();
  };
  try {
    const { url } = await edge.listen();
    await edge.getWorker().applyD1Migrations("DB");
    const { key } = await becomeFirstOwner(url.origin, SECRET);
    const api = new Api((path, init) => fetch(new URL(path, url), withKey(key, init)));
    return { edge, compiler, api, close };
  } catch (error) {
    await close();
    throw error;
  }
}
