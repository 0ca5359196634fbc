import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ArContent, BatchItem } from "../../worker/schemas.ts";
import { photo } from "./api.ts";
import { type Harness, startHarness } from "./harness.ts";

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ SECRETS_KEYS: `test:${randomBytes(32).toString("base64")}` });
});

afterAll(() => harness?.close());

test("an archive that is sent five times at once: each photo is compiled once", async () => {
  const { compiler, api } = harness;
  // Bytes after the end of a JPEG make a different file with the same pixels.
  const photos = Array.from({ length: 3 }, () => new Uint8Array(Buffer.concat([photo, randomBytes(16)])));
  const body = zipSync(Object.fromEntries(photos.map((bytes, i) => [`${i}.jpg`, [bytes, { level: 0 }]])));
  const headers = { "Content-Type": "application/zip", "Idempotency-Key": `"${randomUUID()}"` };
  const send = async (): Promise<{ items: BatchItem[] }> => {
    for (;;) {
      const init = { method: "POST", body, headers };
      const response = await api.fetch("/api/ar-content/batch?max_features=120", init);
      const answer = await response.text();
      if (response.status === 200) return JSON.parse(answer);
      expect([response.status, answer]).toEqual([409, expect.stringContaining("request_in_progress")]);
      await pause(Number(response.headers.get("Retry-After")) * 1000);
    }
  };
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, send));
  for (const other of others) expect(other).toEqual(first);
  expect(first.items.map(({ status }) => status)).toEqual([201, 201, 201]);

  for (const { content_id: id } of first.items) {
    let content: ArContent;
    do content = await api.json(200, `/api/ar-content/${id}?wait=30`);
    while (content.marker_status === "pending" || content.marker_status === "processing");
    expect(content).toMatchObject({ marker_status: "ready", max_features: 120 });
  }
  expect(compiler.outcomes).toEqual(["ready", "ready", "ready"]);
  expect(await api.json(200, "/api/ar-content")).toMatchObject({ total: 3 });
});
