import { afterAll } from "vitest";
import { s3Storage } from "../e2e/backends.ts";
import { portraitComesToLife } from "../e2e/film.ts";
import { startPlatform } from "../e2e/platform.ts";
import { type LocalS3, startLocalS3 } from "../worker/storage/servers/local-s3-server.ts";

let s3: LocalS3;
afterAll(() => s3?.close());

portraitComesToLife("S3", {
  async start() {
    s3 = await startLocalS3();
    return startPlatform();
  },
  storage: () => s3Storage(s3, "viewer"),
});
