import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { R2Storage } from "../../../worker/storage/r2.ts";
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
