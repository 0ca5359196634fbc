import { createRequire } from "node:module";
import path from "node:path";

// With an import, vite would transform all of wrangler first.
const { createTestHarness } = createRequire(import.meta.url)("wrangler") as typeof import("wrangler");

/** wrangler's S3 endpoint of a local bucket. It checks signatures like a real one. */
export interface LocalS3 {
  readonly settings: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly prefix: string;
    readonly access_key_id: string;
    readonly secret_access_key: string;
    readonly style: "path";
  };
  close(): Promise<void>;
}

export async function startLocalS3(): Promise<LocalS3> {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";
  const server = createTestHarness({
    root: import.meta.dirname,
    workers: [{ configPath: path.join(import.meta.dirname, "wrangler.toml") }],
  });
  const { url } = await server.listen();
  return {
    // The same as in wrangler.toml.
    settings: {
      endpoint: new URL("/cdn-cgi/local/r2/s3", url).href,
      region: "auto",
      bucket: "contract",
      prefix: "",
      access_key_id: "vivimark-key-id",
      secret_access_key: "vivimark-secret",
      style: "path",
    },
    close: () => server.close(),
  };
}
