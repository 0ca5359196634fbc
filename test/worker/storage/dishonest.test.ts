import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { StorageHttp } from "../../../worker/storage/http.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import { testConnection } from "../../../worker/storage/test-connection.ts";
import { readXml } from "../../../worker/storage/xml.ts";

/** Storages of companies, which may run any server. */
describe("a storage that sends more than it should", () => {
  it("is not read to the end when its connection is tested", async () => {
    const storage = new R2Storage(env.BUCKET);
    const download = storage.download.bind(storage);
    let sent = 0;
    let isCancelled = false;
    storage.download = async (key) => {
      const file = await download(key);
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536));
          if (sent > 50_000_000) controller.close();
        },
        cancel() {
          isCancelled = true;
        },
      });
      await file?.body.cancel();
      return file && { ...file, body, size: 50_000_000 };
    };
    const { ok, steps } = await testConnection(storage);
    expect(ok).toBe(false);
    expect(steps.map(({ step, error }) => [step, error?.code])).toEqual([
      ["write", undefined],
      ["read", "mismatch"],
      ["list", undefined],
      ["parts", undefined],
      ["delete", undefined],
    ]);
    expect([isCancelled, sent < 1_000_000]).toEqual([true, true]);
  });

  it.each([
    ["tags", `<r>${"<a/>".repeat(200_000)}</r>`],
    ["attributes", `<r ${Array.from({ length: 200_000 }, (_, i) => `a${i}=""`).join(" ")}/>`],
  ])("gets no memory for hundreds of thousands of %s in a response", (_what, text) => {
    expect(readXml(text)).toBeNull();
    expect(readXml("<r><a/></r>")?.name).toBe("r");
  });
});

/** Returns a storage whose server answers every request with `answer`, and counts them. */
function answering(answer: (request: number) => string) {
  const seen = { requests: 0 };
  const http = new StorageHttp({
    checkAddress: () => {},
    fetch: async () => {
      if (++seen.requests > 2000) throw new Error("Requests without end.");
      return new Response(answer(seen.requests));
    },
  });
  const settings = {
    endpoint: "https://s3.example.com",
    region: "us-east-1",
    bucket: "bucket",
    prefix: "",
    access_key_id: "key",
    secret_access_key: "secret",
    style: "path",
  } as const;
  return { storage: new S3Storage(settings, http), seen };
}

const endlessFiles = (request: number) =>
  `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${request}</NextContinuationToken><Contents><Key>folder/a</Key><Size>1</Size></Contents></ListBucketResult>`;

const parts = (count: number, next: string) =>
  `<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>${`<Part><PartNumber>1</PartNumber><ETag>a</ETag><Size>5</Size></Part>`.repeat(count)}</ListPartsResult>`;

describe("a storage whose lists never end", () => {
  it("is not counted for ever", async () => {
    const { storage, seen } = answering(endlessFiles);
    await expect(storage.usage("folder")).rejects.toThrow("more than 1000 pages");
    expect(seen.requests).toBe(1000);
  });

  it("loses no more than 100 pages of a folder that is deleted", async () => {
    const { storage, seen } = answering(endlessFiles);
    await expect(storage.deleteTree("folder")).rejects.toThrow("still lists files");
    // A list and a deletion each.
    expect(seen.requests).toBe(200);
  });

  it.each([
    ["the same page again", () => parts(1, "7"), 2],
    ["pages of many parts", (request: number) => parts(4000, String(request)), 3],
    ["no number of the next page", () => parts(1, "next"), 1],
    ["long texts", (request: number) => parts(1, `${request}<!--${" ".repeat(4_000_000)}-->`), 3],
  ])("fills no memory with the parts of an upload: %s", async (_what, answer, requests) => {
    const { storage, seen } = answering(answer);
    await expect(storage.multipart.list("a.mp4", "upload")).rejects.toThrow("more than 10000 parts");
    expect(seen.requests).toBe(requests);
  });
});
