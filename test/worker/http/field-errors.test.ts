import { describe, expect, it } from "vitest";
import type { Problem } from "../../../worker/errors.ts";
import { Edge, json, SECRET, s3 } from "../edge.ts";

const API = "/api/storage-connections";
const edge = new Edge();

async function fieldsOf(path: string, init: RequestInit, bindings = {}): Promise<Problem["errors"]> {
  const response = await edge.fetch(path, init, bindings);
  expect(response.status).toBe(422);
  return ((await response.json()) as Problem).errors;
}

describe("a problem document", () => {
  it("names every wrong field of a body, with its error", async () => {
    const body = s3("second");
    const settings = { ...body.settings, bucket: "a b", style: "virtual", secret_access_key: `${SECRET} x` };
    const errors = await fieldsOf(API, json("POST", { ...body, name: "", settings }));
    expect(errors?.map(({ field }) => field).sort()).toEqual([
      "name",
      "settings.bucket",
      "settings.secret_access_key",
      "settings.style",
    ]);
    const detailOf = (name: string) => errors?.find(({ field }) => field === name)?.detail;
    expect(detailOf("settings.bucket")).toMatch(/^expected the name of a bucket: .*; received "a b"\.$/);
    expect(detailOf("settings.secret_access_key")).not.toContain(SECRET);
  });

  it("names settings in the same way in a change and in a test", async () => {
    const { id } = await edge.connection("second");
    const change = await fieldsOf(`${API}/${id}`, json("PATCH", { settings: { bucket: "a b" } }));
    const trial = await fieldsOf(`${API}/test`, json("POST", { provider: "s3", settings: {} }));
    expect(change?.map(({ field }) => field)).toEqual(["settings.bucket"]);
    expect(trial?.map(({ field }) => field)).toContain("settings.endpoint");
  });

  it("names the setting that a storage rejects", async () => {
    const storages = edge.storagesWith(edge.storage, { allowPrivate: false });
    const body = s3("second");
    const settings = { ...body.settings, endpoint: "https://127.0.0.1" };
    const errors = await fieldsOf(API, json("POST", { ...body, settings }), { storages });
    expect(errors).toEqual([
      { field: "settings.endpoint", detail: expect.stringContaining("This address cannot be used") },
    ]);
  });

  it("names no field if the request as a whole is rejected", async () => {
    const response = await edge.fetch(API, json("POST", []));
    expect((await response.json()) as Problem).not.toHaveProperty("errors");
  });
});
