import { beforeAll, describe, expect, it } from "vitest";
import type { AuditPage } from "../../../worker/audit/schemas.ts";
import type { ArContent, ViewerManifest } from "../../../worker/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";
import { mp4 } from "../fixtures.ts";

const edge = new Edge();
let content: ArContent;

const DEFAULTS = { start: 0, end: null, poster: null, is_muted: false, fit: "cover", x: 0.5, y: 0.5 };

const path = () => `/api/ar-content/${content.id}/video`;
const attach = (duration: number) => {
  const body = mp4({ duration });
  return edge.json<ArContent>(path(), {
    method: "PUT",
    body,
    headers: { "Content-Length": String(body.length) },
  });
};
const put = (settings: object, headers: Record<string, string> = {}) => {
  const { headers: own, ...init } = json("PUT", settings);
  return edge.fetch(`${path()}/playback`, { ...init, headers: { ...own, ...headers } as HeadersInit });
};

beforeAll(async () => {
  ({ content } = await edge.submit());
});

describe("the playback of a video", () => {
  it("cannot be set before there is a video", async () => {
    const problem = await refusal(await put({}));
    expect([problem.status, problem.detail]).toEqual([404, "The photo has no video. Attach one first."]);
  });

  it("is set as a whole, and is what viewers get", async () => {
    expect((await attach(10)).video_playback).toBeNull();
    const settings = { start: 1.5, end: 8, poster: 2, is_muted: true, fit: "contain", x: 0, y: 1 };
    const changed = await (await put(settings)).json<ArContent>();
    expect(changed.video_playback).toEqual(settings);
    const manifest = () => edge.json<ViewerManifest>(`/api/viewer/${content.unique_id}`);
    expect((await manifest()).video_playback).toEqual(settings);
    const { items } = await edge.json<AuditPage>("/api/audit-log");
    const entry = items.find(({ action }) => action === "content.changed");
    expect(entry?.detail).toEqual({ video_playback: settings });
    await put({ fit: "contain" });
    expect((await manifest()).video_playback).toEqual({ ...DEFAULTS, fit: "contain" });
  });

  it("belongs to its video: the next one has the defaults", async () => {
    await put({ end: 8 });
    expect((await attach(3)).video_playback).toBeNull();
  });

  it.each([
    ["an end before the start", { start: 2, end: 1 }, 'expected at least 0.1 more than "start"'],
    ["a part that is too short", { start: 2, end: 2.09 }, 'expected at least 0.1 more than "start"'],
    ["a start at the end", { start: 3 }, "expected at most 2.9 in a video of 3 s; received 3."],
    ["an end after the video", { end: 4 }, "expected at most 3 in a video of 3 s; received 4."],
    ["a poster after the video", { poster: 4 }, "expected at most 3 in a video"],
    ["a place outside the photo", { x: 1.1 }, '"x"'],
    ["another fit", { fit: "fill" }, '"fit"'],
    ["an unknown setting", { speed: 2 }, "speed"],
  ])("is refused with %s", async (_name, settings, detail) => {
    const problem = await refusal(await put(settings));
    expect([problem.status, problem.code, problem.detail]).toEqual([
      422,
      "invalid_input",
      expect.stringContaining(detail),
    ]);
  });

  it("may be the shortest part", async () => {
    expect((await put({ start: 0.5, end: 0.6 })).status).toBe(200);
  });

  it("may name any time of a video whose duration is unknown", async () => {
    await attach(0);
    expect((await put({ start: 100 })).status).toBe(200);
  });

  it("is not changed by a client that has not seen the last change", async () => {
    const problem = await refusal(await put({}, { "If-Match": '"old"' }));
    expect(problem.code).toBe("precondition_failed");
  });
});
