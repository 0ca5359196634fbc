import { beforeEach, describe, expect, test } from "vitest";
import type { ArContent } from "../../../worker/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";
import { video } from "../fixtures.ts";

let edge: Edge;
let content: ArContent;
let path: string;

beforeEach(async () => {
  edge = new Edge();
  ({ content } = await edge.submit());
  path = `/api/ar-content/${content.id}`;
});

async function tag(): Promise<string> {
  return (await edge.fetch(path)).headers.get("ETag") ?? "";
}

function change(title: string, etag: string): Promise<Response> {
  return edge.fetch(path, json("PATCH", { title }, { "If-Match": etag }));
}

const VIDEO = {
  method: "PUT",
  body: video("mp4"),
  headers: { "Content-Type": "video/mp4", "Content-Length": "5000" },
};

describe("a content's ETag", () => {
  test("is the same for every response with the same content", async () => {
    expect(await tag()).toMatch(/^"[0-9a-f]{32}"$/);
    expect(await tag()).toBe(await tag());
    const changed = await edge.fetch(path, json("PATCH", { title: "New" }));
    expect(changed.headers.get("ETag")).toBe(await tag());
    const attached = await edge.fetch(`${path}/video`, VIDEO);
    expect(attached.headers.get("ETag")).toBe(await tag());
  });

  test("changes with every change, even within a millisecond", async () => {
    const seen = new Set([await tag()]);
    for (const title of ["One", "Two", "One"]) {
      await edge.fetch(path, json("PATCH", { title }));
      seen.add(await tag());
    }
    await edge.fetch(`${path}/video`, VIDEO);
    seen.add(await tag());
    await edge.fetch(`${path}/marker/recompile`, { method: "POST" });
    seen.add(await tag());
    expect(seen.size).toBe(6);
  });

  test("If-None-Match: 304 without a body while unchanged", async () => {
    const known = await tag();
    for (const header of [known, `W/${known}`, `"other", ${known}`, "*"]) {
      const response = await edge.fetch(path, { headers: { "If-None-Match": header } });
      expect([header, response.status, await response.text()]).toEqual([header, 304, ""]);
      expect(response.headers.get("ETag")).toBe(known);
    }
    for (const header of ['"other"', known.slice(1, -1), ""]) {
      const response = await edge.fetch(path, { headers: { "If-None-Match": header } });
      expect([header, response.status]).toEqual([header, 200]);
    }
    await edge.fetch(path, json("PATCH", { title: "New" }));
    expect((await edge.fetch(path, { headers: { "If-None-Match": known } })).status).toBe(200);
  });
});

describe("If-Match", () => {
  test("accepts a change of the current version, and rejects one of an older version", async () => {
    const first = await tag();
    expect((await change("Mine", first)).status).toBe(200);
    expect((await refusal(await change("Theirs", first))).code).toBe("precondition_failed");
    expect((await edge.content(content.id)).title).toBe("Mine");
    expect((await change("Any", "*")).status).toBe(200);
    // Weak tags and malformed tags never match.
    for (const header of [`W/${await tag()}`, "nonsense", '"other"']) {
      expect((await refusal(await change("No", header))).status).toBe(412);
    }
    expect((await change("List", `"other", ${await tag()}`)).status).toBe(200);
  });

  test("of ten changes at the same moment, one wins", async () => {
    const etag = await tag();
    const responses = await Promise.all(Array.from({ length: 10 }, (_, n) => change(`Title ${n}`, etag)));
    const won = responses.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 412)).toHaveLength(9);
    expect(((await won[0].json()) as ArContent).title).toBe((await edge.content(content.id)).title);
  });

  test("guards videos too: a rejected upload is removed", async () => {
    const first = await tag();
    await change("Changed", first);
    const old = { "If-Match": first };
    const put = (headers: Record<string, string>) =>
      edge.fetch(`${path}/video`, { ...VIDEO, headers: { ...VIDEO.headers, ...headers } });
    expect((await refusal(await put(old))).code).toBe("precondition_failed");
    const both = await tag();
    const responses = await Promise.all([put({ "If-Match": both }), change("At once", both)]);
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 412]);
    const videos = (await edge.files(content)).filter((key) => key.startsWith("videos/"));
    expect(videos).toHaveLength((await edge.content(content.id)).video_url === null ? 0 : 1);

    await put({});
    const taken = await edge.fetch(`${path}/video`, { method: "DELETE", headers: old });
    expect((await refusal(taken)).code).toBe("precondition_failed");
    expect((await edge.content(content.id)).video_url).not.toBeNull();
    const now = { "If-Match": await tag() };
    expect((await edge.fetch(`${path}/video`, { method: "DELETE", headers: now })).status).toBe(204);
  });

  test("guards deletion", async () => {
    const first = await tag();
    await change("Kept", first);
    const remove = (etag: string) => edge.fetch(path, { method: "DELETE", headers: { "If-Match": etag } });
    expect((await refusal(await remove(first))).code).toBe("precondition_failed");
    expect((await remove(await tag())).status).toBe(204);
    expect((await refusal(await remove(first))).code).toBe("not_found");
  });
});
