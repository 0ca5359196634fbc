/**
 * The S3 servers that the contract is tested with: wrangler's endpoint of a local bucket, which checks
 * signatures, and optionally another server: S3_TEST_ENDPOINT, S3_TEST_BUCKET, S3_TEST_KEY, S3_TEST_SECRET,
 * and if needed S3_TEST_REGION (default: us-east-1) and S3_TEST_STYLE (path or host). The bucket must exist.
 * The tests work in folders of their own and delete what they create.
 */
import type { TestProject } from "vitest/node";
import type { S3SettingsBody } from "../../../../worker/storage/settings.ts";
import { startLocalS3 } from "./local-s3-server.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const local = await startLocalS3();
  project.provide("localS3", local.settings);
  project.provide("otherS3", otherServer(process.env));
  return () => local.close();
}

function otherServer(environment: NodeJS.ProcessEnv): S3SettingsBody | null {
  const { S3_TEST_ENDPOINT, S3_TEST_BUCKET, S3_TEST_KEY, S3_TEST_SECRET } = environment;
  const { S3_TEST_REGION = "us-east-1", S3_TEST_STYLE = "path" } = environment;
  if (!S3_TEST_ENDPOINT) return null;
  if (!S3_TEST_BUCKET || !S3_TEST_KEY || !S3_TEST_SECRET) {
    throw new Error("S3_TEST_ENDPOINT also needs S3_TEST_BUCKET, S3_TEST_KEY and S3_TEST_SECRET.");
  }
  if (S3_TEST_STYLE !== "path" && S3_TEST_STYLE !== "host") {
    throw new Error(`S3_TEST_STYLE is "${S3_TEST_STYLE}"; expected path or host.`);
  }
  return {
    endpoint: S3_TEST_ENDPOINT,
    region: S3_TEST_REGION,
    bucket: S3_TEST_BUCKET,
    prefix: "",
    access_key_id: S3_TEST_KEY,
    secret_access_key: S3_TEST_SECRET,
    style: S3_TEST_STYLE,
  };
}
