import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { startCompiler } from "../../node/service.ts";
import { becomeFirstOwner, type FirstOwner, withKey } from "../first-owner.ts";
import type { YandexDiskServer } from "../yandex-disk/server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The secret of the setup page and of the development mailbox. */
export const SECRET = "a-secret-of-this-test-run-long-enough-for-cookies";
const NOBODY: FirstOwner = { cookies: [], key: "" };
/** The key that encrypts settings of storages: a name and 32 bytes. */
const SECRETS_KEYS = `test:${Buffer.alloc(32, 7).toString("base64")}`;

export interface Platform {
  /** The Worker's origin, without a slash at its end. */
  readonly url: string;
  /** The owner's session, for a browser. */
  readonly cookies: FirstOwner["cookies"];
  /** An API key of the owner's company, with every scope. */
  readonly key: string;
  /** Sends a request as a program of the owner's company. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

interface Options {
  /** Starts a platform that is not set up yet. */
  readonly isNew?: boolean;
  /** The test server that replaces Yandex. */
  readonly yandex?: YandexDiskServer;
}

/**
 * Starts the whole platform on loopback: the real workerd with new D1, R2 and queues, which serves the built
 * web app, and the real Node compiler. It has an owner, unless `isNew` is set.
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
