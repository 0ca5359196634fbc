import { describe, expect, it } from "vitest";
import type { StorageConnection } from "../../../../client/client.ts";
import {
  ANY_S3,
  checkValues,
  errorsOf,
  settingsOf,
  valuesOfConnection,
  valuesOfPreset,
  withAnyS3,
} from "../../../../web/studio/storage/connection-form.ts";
import { apiError } from "../api-error.ts";

const saved: StorageConnection = {
  id: "connection-1",
  name: "Bucket",
  provider: "s3",
  built_in: false,
  is_current: false,
  settings: {
    endpoint: "https://s3.example.net",
    region: "eu-1",
    bucket: "photos",
    prefix: "",
    access_key_id: "key",
    style: "path",
  },
  settings_error: null,
  secrets: ["secret_access_key"],
  files: { count: 0, bytes: 0 },
  deleted_files: { count: 0, bytes: 0 },
  companies: [],
  usage: null,
  last_test_at: null,
  last_test_error: null,
  given_up_at: null,
  created_at: null,
  updated_at: null,
};

describe("the form of a connection", () => {
  it("offers other S3 after the known S3 providers, and then all others", () => {
    const known = [
      { id: "minio", name: "MinIO", provider: "s3", settings: {} },
      { id: "yandex_disk", name: "Yandex Disk", provider: "yandex_disk", settings: {} },
    ] as const;
    expect(withAnyS3(known).map(({ id }) => id)).toEqual(["minio", "any_s3", "yandex_disk"]);
  });

  it("begins with the preset's settings and a text for every field", () => {
    expect(valuesOfPreset(ANY_S3)).toEqual({
      name: "S3",
      endpoint: "",
      region: "us-east-1",
      bucket: "",
      prefix: "",
      access_key_id: "",
      secret_access_key: "",
      session_token: "",
      storage_class: "",
      encryption: "",
      encryption_key_id: "",
      style: "path",
    });
  });

  it("sends rare settings only if they are or were set, and no key of another encryption", () => {
    const rare = { storage_class: "COLD", encryption: "aws:kms", encryption_key_id: "key-1" };
    expect(settingsOf("s3", { ...valuesOfPreset(ANY_S3), ...rare }, null)).toMatchObject(rare);
    const encrypted = { ...saved, settings: { ...saved.settings, ...rare } };
    const values = valuesOfConnection(encrypted);
    expect(settingsOf("s3", values, encrypted)).toEqual({});
    expect(settingsOf("s3", { ...values, storage_class: "", encryption: "AES256" }, encrypted)).toEqual({
      storage_class: "",
      encryption: "AES256",
      encryption_key_id: "",
    });
  });

  it("sends all settings of a new connection, and the changes of a saved one", () => {
    const values = { ...valuesOfPreset(ANY_S3), bucket: "photos", secret_access_key: "secret" };
    expect(settingsOf("s3", values, null)).toEqual({
      endpoint: "",
      region: "us-east-1",
      bucket: "photos",
      prefix: "",
      access_key_id: "",
      secret_access_key: "secret",
      style: "path",
    });
    const before = valuesOfConnection(saved);
    expect(settingsOf("s3", before, saved)).toEqual({});
    expect(settingsOf("s3", { ...before, region: "eu-2", secret_access_key: "new" }, saved)).toEqual({
      region: "eu-2",
      secret_access_key: "new",
    });
  });

  it("reports missing settings, except for a secret that is set", () => {
    const values = valuesOfPreset(ANY_S3);
    expect(Object.keys(checkValues("s3", values, []))).toEqual([
      "endpoint",
      "bucket",
      "access_key_id",
      "secret_access_key",
    ]);
    expect(checkValues("s3", valuesOfConnection(saved), ["secret_access_key"])).toEqual({});
  });

  it("reports placeholders of a preset", () => {
    const values = { ...valuesOfConnection(saved), endpoint: "https://<account id>.example.com" };
    expect(checkValues("s3", values, ["secret_access_key"])).toEqual({
      endpoint: "Replace <account id> with your account id.",
    });
  });

  it("shows errors at the fields that the API names", () => {
    const problem = apiError("invalid_input", 422, "Two fields are wrong.", {
      errors: [
        { field: "settings.bucket", detail: "expected the name of a bucket." },
        { field: "name", detail: "expected a name." },
      ],
    });
    expect(errorsOf(problem, "s3")).toEqual({
      fields: { bucket: "Expected the name of a bucket.", name: "Expected a name." },
      rest: null,
    });
  });

  it("shows other errors above the form", () => {
    const problem = apiError("invalid_input", 422, "The provider is wrong.", {
      errors: [{ field: "provider", detail: "expected s3." }],
    });
    expect(errorsOf(problem, "s3")).toEqual({ fields: {}, rest: "The provider is wrong." });
    expect(errorsOf(new Error("No response."), "s3")).toEqual({ fields: {}, rest: "No response." });
  });
});
