import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { startCompiler } from "../../node/service.ts";
import { becomeFirstOwner, type FirstOwner, withKey } from "../first-owner.ts";
import type { YandexDiskServer } from "../yandex-disk/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Opens the set-up page and the development mailbox too. */
export const SECRET = "a-secret-of-this-test-run-long-enough-for-cookies";
const NOBODY: FirstOwner = { cookies: [], key: "" };
/** Encrypts the settings of storages: a name and 32 bytes. */
const SECRETS_KEYS = `test:${Buffer.alloc(32, 7).toString("base64")}`;

export interface Platform {
  /** Origin of the edge, without a slash at its end. */
  readonly url: string;
  /** The session of its owner, for a browser. */
  readonly cookies: FirstOwner["cookies"];
  /** An API key of the owner's company, with every scope. */
  readonly key: string;
  /** As a program of the owner's company. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

interface Options {
  /** Nobody has set it up. */
  readonly isNew?: boolean;
  /** Stands for Yandex. */
  readonly yandex?: YandexDiskServer;
}

/**
 * The whole platform on loopback: the real workerd with fresh D1, R2 and queues, serving the built web app,
 * and the real Node compiler behind its queue. It has an owner, unless it is to be new.
 */
export async function startPlatform({ isNew = false, yandex }: Options = {}): Promise<Platform> {
  if (!existsSync(`${ROOT}/web/dist/viewer.html`)) {
    throw new Error("web/dist has no viewer.html: run `npm run build` first.");
  }
  const compiler = await startCompiler({ port: 0, host: "127.0.0.1", secret: SECRET, log: () => {} });
  const edge = createTestHarness({
    root: ROOT,
    workers: [
      {
        configPath: "wrangler.toml",
        vars: {
          COMPILER_URL: compiler.url,
          ALLOW_PRIVATE_STORAGE: "true",
          ...(yandex && { YANDEX_API_URL: yandex.apiUrl, YANDEX_OAUTH_URL: yandex.oauthUrl }),
        },
        secrets: {
          COMPILER_SECRET: SECRET,
          SECRETS_KEYS,
          AUTH_SECRET: SECRET,
          SETUP_TOKEN: SECRET,
          MAILBOX_TOKEN: SECRET,
          ...(yandex && { YANDEX_CLIENT_ID: yandex.clientId, YANDEX_CLIENT_SECRET: yandex.clientSecret }),
        },
      },
    ],
  });
  try {
    const { url } = await edge.listen();
    await edge.getWorker().applyD1Migrations("DB");
    const { cookies, key } = isNew ? NOBODY : await becomeFirstOwner(url.origin, SECRET);
    return {
      url: url.origin,
      cookies,
      key,
      fetch: (address, init) => fetch(address, withKey(key, init)),
      async close() {
        await edge.close();
        await compiler.close();
      },
    };
  } catch (error) {
    await edge.close();
    await compiler.close();
    throw error;
  }
}
