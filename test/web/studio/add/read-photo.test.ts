import { afterEach, describe, expect, it, vi } from "vitest";
import { readPhoto } from "../../../../web/studio/add/read-photo.ts";

const HEIC = "\0\0\0\x18ftypheic\0\0\0\0mif1heic";

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Stands in for the JPEG that the browser makes. */
function pngHeader(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  bytes.set(latin1("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2], 24);
  return bytes;
}

/** A browser that decodes photos of this size into the encoded bytes. */
function stubDecoder(encoded: Uint8Array<ArrayBuffer>) {
  const calls: string[] = [];
  const running = { now: 0, most: 0 };
  vi.stubGlobal("createImageBitmap", async () => {
    running.most = Math.max(running.most, ++running.now);
    return { width: 300, height: 200, close: () => calls.push("close") };
  });
  vi.stubGlobal(
    "OffscreenCanvas",
    class {
      getContext() {
        return {
          fillRect: () => calls.push("fill"),
          drawImage: () => calls.push("draw"),
        };
      }
      async convertToBlob({ type }: { type: string }) {
        running.now--;
        return new Blob([encoded], { type });
      }
    },
  );
  return { calls, running };
}

afterEach(() => void vi.unstubAllGlobals());

describe("a photo", () => {
  it("that the compiler reads stays as it is", async () => {
    const file = new File([pngHeader(300, 200)], "anna.png");
    const read = await readPhoto(file);
    expect(read.file).toBe(file);
    expect(read.info).toMatchObject({ width: 300, height: 200 });
  });

  it("in a format that only the browser reads becomes a JPEG, on white", async () => {
    const { calls } = stubDecoder(pngHeader(300, 200));
    const { file, info } = await readPhoto(new File([HEIC], "IMG.0001.HEIC"));
    expect([file.name, file.type]).toEqual(["IMG.0001.jpg", "image/jpeg"]);
    expect(info).toMatchObject({ width: 300, height: 200 });
    expect(calls).toEqual(["fill", "draw", "close"]);
  });

  it("is decoded after the one before, because pixels take much memory", async () => {
    const { running } = stubDecoder(pngHeader(300, 200));
    await Promise.all([1, 2, 3].map(() => readPhoto(new File([HEIC], "a.heic"))));
    expect(running.most).toBe(1);
  });

  it("that the browser cannot decode is refused by name, with what to do", async () => {
    vi.stubGlobal("createImageBitmap", () => Promise.reject(new DOMException("", "InvalidStateError")));
    await expect(readPhoto(new File([HEIC], "a.heic"))).rejects.toThrow(
      /^This is a HEIC image; .* Export the photo as JPEG, or open this page in another browser/,
    );
  });

  it("is refused for its size before it is read, and after it was decoded", async () => {
    const large = new File(["x"], "a.jpg");
    Object.defineProperty(large, "size", { value: 21_000_000 });
    await expect(readPhoto(large)).rejects.toThrow("The file is 21 MB; expected at most 20 MB.");
    stubDecoder(pngHeader(64, 64));
    await expect(readPhoto(new File([HEIC], "a.heic"))).rejects.toThrow("expected at least 128");
  });
});
