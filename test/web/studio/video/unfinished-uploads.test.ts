import { describe, expect, it } from "vitest";
import { forget, recall, remember } from "../../../../web/studio/video/unfinished-uploads.ts";

const upload = {
  uploadId: "upload-1",
  name: "clip.mp4",
  type: "video/mp4" as const,
  bytes: 7,
  fingerprint: "f".repeat(64),
};

/** A browser's local storage. */
function store(entries: Record<string, string> = {}): Storage {
  const map = new Map(Object.entries(entries));
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  } as unknown as Storage;
}

describe("unfinished uploads", () => {
  it("are stored by content, and removed", () => {
    const kept = store();
    remember("one", upload, kept);
    expect(recall("one", kept)).toEqual(upload);
    expect(recall("two", kept)).toBeNull();
    forget("one", kept);
    expect(recall("one", kept)).toBeNull();
  });

  it.each(["", "null", "{", "[]", '{"uploadId":"upload-1"}'])("are not read from %j", (text) => {
    expect(recall("one", store({ "vivimark.video-upload.one": text }))).toBeNull();
  });

  it("work without a store, and with a full one", () => {
    const full = store();
    full.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    remember("one", upload, full);
    remember("one", upload, null);
    expect(recall("one", full)).toBeNull();
    expect(recall("one", null)).toBeNull();
  });
});
