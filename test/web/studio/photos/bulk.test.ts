import { describe, expect, it } from "vitest";
import type { BulkRequest, BulkResult } from "../../../../client/client.ts";
import { MAX_BULK } from "../../../../web/studio/api/bulk-limit.ts";
import { Unreachable } from "../../../../web/studio/api/errors.ts";
import { qrFileNames } from "../../../../web/studio/photo/qr-file-name.ts";
import { type BulkDependencies, runBulk } from "../../../../web/studio/photos/bulk.ts";
import { idsBetween } from "../../../../web/studio/photos/ids-between.ts";
import { apiError } from "../api-error.ts";

const many = Array.from({ length: 2 * MAX_BULK + 1 }, (_, n) => `photo-${n}`);

/** Returns what the API answers if it refuses the photos in `refused`. */
function answer({ ids }: BulkRequest, refused: readonly string[] = []): BulkResult {
  const items = ids.map((id) => {
    const error = refused.includes(id) ? apiError("not_found", 404, "Not found.").problem : null;
    return { id, status: error ? 404 : 200, task_id: null, error };
  });
  return { items, done: items.length, refused: 0 };
}

function setUp(send: BulkDependencies["send"]) {
  const waits: string[] = [];
  const controller = new AbortController();
  const progress: number[] = [];
  const deps: BulkDependencies = {
    send,
    pause: async (retry) => void waits.push(`pause ${retry}`),
    until: async () => void waits.push("until"),
    signal: controller.signal,
    onProgress: (done) => progress.push(done),
  };
  return { deps, waits, controller, progress };
}

describe("a bulk action", () => {
  it("is sent in requests of at most 200 photos, each with its own key, and reports its progress", async () => {
    const sent: { request: BulkRequest; key: string }[] = [];
    const { deps, progress } = setUp(async (request, key) => {
      sent.push({ request, key });
      return answer(request, ["photo-7"]);
    });
    const { done, refused } = await runBulk({ action: "pause" }, many, deps);
    expect(sent.map(({ request }) => request.ids.length)).toEqual([MAX_BULK, MAX_BULK, 1]);
    expect(sent[0].request).toMatchObject({ action: "pause" });
    expect(new Set(sent.map(({ key }) => key)).size).toBe(3);
    expect(done).toEqual(many.filter((id) => id !== "photo-7"));
    expect([...refused.keys()]).toEqual(["photo-7"]);
    expect(progress).toEqual([0, MAX_BULK, 2 * MAX_BULK]);
  });

  it("repeats a request with the same key without an answer, and after a rate limit", async () => {
    const keys: string[] = [];
    const { deps, waits } = setUp(async (request, key) => {
      keys.push(key);
      if (keys.length === 1) throw new Unreachable();
      if (keys.length === 2) throw apiError("too_many_requests", 429, "Wait.", { retryAfterSeconds: 60 });
      return answer(request);
    });
    const { done } = await runBulk({ action: "delete" }, ["a", "b"], deps);
    expect(done).toEqual(["a", "b"]);
    expect(waits).toEqual(["pause 1", "until"]);
    expect(new Set(keys).size).toBe(1);
  });

  it("reports all remaining photos when a request fails", async () => {
    let requests = 0;
    const { deps } = setUp(async (request) => {
      requests += 1;
      if (requests > 1) throw new Unreachable();
      return answer(request);
    });
    const { done, refused } = await runBulk({ action: "resume" }, many, deps);
    expect(done).toHaveLength(MAX_BULK);
    expect(refused.size).toBe(many.length - MAX_BULK);
    expect(refused.get("photo-400")).toBe(new Unreachable().message);
    expect(requests).toBe(5);
  });

  it("stops after the request during which it is cancelled", async () => {
    const { deps, controller } = setUp(async (request) => {
      controller.abort();
      return answer(request);
    });
    const { done, refused } = await runBulk({ action: "pause" }, many, deps);
    expect([done.length, refused.size]).toEqual([MAX_BULK, 0]);
  });
});

describe("a range", () => {
  const items = ["a", "b", "c", "d"].map((id) => ({ id }));

  it.each([
    ["a", "c", ["a", "b", "c"]],
    ["d", "b", ["b", "c", "d"]],
    ["b", "b", ["b"]],
    [null, "c", ["c"]],
    ["gone", "c", ["c"]],
  ])("from %s to %s", (from, to, ids) => {
    expect(idsBetween(items, from, to)).toEqual(ids);
  });
});

describe("the files of QR codes", () => {
  it("have the order number and the title as name, and different names", () => {
    const photo = (title: string, order_number: string | null = null) => ({ title, order_number });
    const photos = [
      photo("Anna & Ivan", "A-17"),
      photo("Анна"),
      photo("Анна"),
      photo("../../x"),
      photo("😀"),
      photo("!"),
    ];
    expect(qrFileNames(photos, "svg")).toEqual([
      "a-17-anna-ivan-qr.svg",
      "анна-qr.svg",
      "анна-qr-2.svg",
      "x-qr.svg",
      "vivimark-qr.svg",
      "vivimark-qr-2.svg",
    ]);
  });
});
