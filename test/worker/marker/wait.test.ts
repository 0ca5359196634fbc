import { beforeEach, describe, expect, test } from "vitest";
import * as life from "../../../worker/marker/life.ts";
import type { ArContent, Submission } from "../../../worker/schemas.ts";
import { Edge, form, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";

let edge: Edge;
/** Milliseconds of each pause. */
let pauses: number[];

beforeEach(() => {
  edge = new Edge();
  pauses = [];
  edge.whileAsleep = async (milliseconds) => void pauses.push(milliseconds);
});

/** Calls `act` after this many polls. */
function after(polls: number, act: () => Promise<unknown>): void {
  edge.whileAsleep = async (milliseconds) => {
    pauses.push(milliseconds);
    if (pauses.length === polls) await act();
  };
}

/** Fails a compilation as an executor does for a photo that cannot be compiled. */
async function fail(id: string): Promise<void> {
  const claim = await life.claim(edge.db, id, {
    generation: 1,
    leaseSeconds: 60,
    places: 1000,
    now: edge.clock,
  });
  if (claim.kind !== "claimed") throw new Error(claim.kind);
  const failure = { code: "too_few_features", message: "A white wall." } as const;
  await life.fail(edge.db, { contentId: id, leaseHash: claim.lease.hash }, failure, edge.clock);
}

function submit(wait: number | string, headers: Record<string, string> = {}, image = png()) {
  return edge.fetch(`/api/ar-content?wait=${wait}`, { method: "POST", body: form({ image }), headers });
}

describe("wait", () => {
  test("GET responds with the failure when the marker has failed", async () => {
    const { content } = await edge.submit();
    after(3, () => fail(content.id));
    const waited = await edge.json<ArContent>(`/api/ar-content/${content.id}?wait=30`);
    expect(waited).toMatchObject({ marker_status: "failed", error_code: "too_few_features" });
    expect(pauses).toEqual([500, 1000, 2000]);
  });

  test("has a limit, and polls rarely", async () => {
    const { content } = await edge.submit();
    const waited = await edge.json<ArContent>(`/api/ar-content/${content.id}?wait=30`);
    expect(waited.marker_status).toBe("pending");
    expect(pauses.reduce((sum, pause) => sum + pause)).toBe(30_000);
    expect(pauses).toHaveLength(12);
  });

  test("settled markers, and requests without wait, do not wait", async () => {
    const { content } = await edge.submit();
    await edge.content(content.id);
    await fail(content.id);
    await edge.json(`/api/ar-content/${content.id}?wait=30`);
    expect(pauses).toEqual([]);
  });

  test("a submission responds with the state at the end", async () => {
    // The newest of all, those of other tests included.
    edge.pass(24 * 3600);
    after(2, async () => {
      const { items } = await edge.json<{ items: ArContent[] }>("/api/ar-content?limit=1");
      await fail(items[0].id);
    });
    const response = await submit(10);
    expect(response.status).toBe(201);
    const { content } = (await response.json()) as Submission;
    expect(content.marker_status).toBe("failed");
    expect(response.headers.get("ETag")).toBe(
      (await edge.fetch(`/api/ar-content/${content.id}`)).headers.get("ETag"),
    );
  });

  test("the browser that compiles the photo does not wait", async () => {
    const body = form({ image: png(), compile: "browser" });
    const response = await edge.fetch("/api/ar-content?wait=30", { method: "POST", body });
    expect(((await response.json()) as Submission).lease).not.toBeNull();
    expect(pauses).toEqual([]);
  });

  test("another wait is still the same request for an Idempotency-Key", async () => {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const image = png();
    const first = await (await submit(1, headers, image)).text();
    expect(await (await submit(5, headers, image)).text()).toBe(first);
    expect(pauses).toEqual([500, 500]);
  });

  test("content that is deleted during the wait is not found", async () => {
    const { content } = await edge.submit();
    const path = `/api/ar-content/${content.id}`;
    after(1, () => edge.fetch(path, { method: "DELETE" }));
    expect((await refusal(await edge.fetch(`${path}?wait=5`))).code).toBe("not_found");
  });

  test.each(["31", "-1", "1.5", "soon", ""])("refused: %j", async (wait) => {
    const { content } = await edge.submit();
    for (const response of [
      await submit(wait),
      await edge.fetch(`/api/ar-content/${content.id}?wait=${wait}`),
    ]) {
      const { code, errors } = await refusal(response);
      expect([code, errors?.[0].field]).toEqual(["invalid_input", "wait"]);
    }
  });

  test("an invalid wait is refused before the photo is read", async () => {
    const before = await edge.json<{ total: number }>("/api/ar-content");
    await refusal(await submit(99));
    expect((await edge.json<{ total: number }>("/api/ar-content")).total).toBe(before.total);
  });
});
