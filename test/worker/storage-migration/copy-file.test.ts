import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { FetchedUploads, StorageProvider } from "../../../worker/storage/provider.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { ChecksumError, type CopyProgress, copyFile } from "../../../worker/storage-migration/copy-file.ts";
import { but } from "../edge.ts";

/** More than one part. */
const BYTES = 33 * 2 ** 20;
const source = new R2Storage(env.BUCKET);
const bucket = new R2Storage(env.SECOND_BUCKET);

/** A storage without multipart uploads that reads files by itself: `reads` does, at the second question. */
function fetchingStorage(reads: (key: string) => Promise<boolean>) {
  const started: string[] = [];
  let questions = 0;
  const fetching: FetchedUploads = {
    start: async (_, url) => `fetch ${started.push(url)}`,
    finish: async (key) => {
      if (++questions === 1) return "running";
      return (await reads(key)) ? "complete" : "failed";
    },
    abort: async () => {},
  };
  return { storage: but(bucket, { multipart: null, fetching }) as StorageProvider, started };
}

/** Copies a file, as one turn does. Returns what it says, and the saved progress. */
async function turn(target: StorageProvider, progress: CopyProgress, size = BYTES) {
  let saved = progress;
  const copy = { source, target, from: "from", to: "to", size, contentType: "video/mp4" };
  const state = await copyFile(
    { ...copy, url: "https://example.com/video", onProgress: async () => {} },
    { progress, save: async (next) => void (saved = next), hasTime: () => false },
  );
  return { state, saved };
}

const put = (storage: R2Storage, key: string, bytes: Uint8Array<ArrayBuffer>) =>
  storage.upload(key, bytes, { length: bytes.length, contentType: "video/mp4" });
const NEW: CopyProgress = { uploadId: null, parts: [] };

it("a file that the new storage reads by itself takes several short turns, and is verified in parts", async () => {
  const bytes = new Uint8Array(BYTES).fill(7);
  await put(source, "from", bytes);
  const { storage, started } = fetchingStorage(async (key) => {
    await put(bucket, key, bytes);
    return true;
  });
  let { state, saved } = await turn(storage, NEW);
  const states = [state];
  while (state !== "complete") {
    ({ state, saved } = await turn(storage, saved));
    states.push(state);
  }
  expect(states).toEqual(["waiting", "waiting", "stopped", "stopped", "complete"]);
  expect(started).toEqual(["https://example.com/video"]);
});

it("a file that the new storage has read wrongly is not accepted", async () => {
  await put(source, "from", new Uint8Array(1000));
  const { storage } = fetchingStorage(async (key) => {
    await put(bucket, key, new Uint8Array(1000).fill(1));
    return true;
  });
  const { saved } = await turn(storage, (await turn(storage, NEW, 1000)).saved, 1000);
  await expect(turn(storage, saved, 1000)).rejects.toThrow(ChecksumError);
});

it("a file that the new storage could not read starts again", async () => {
  await put(source, "from", new Uint8Array(1000));
  const { storage } = fetchingStorage(async () => false);
  let saved = (await turn(storage, NEW, 1000)).saved;
  ({ saved } = await turn(storage, saved, 1000));
  let last: CopyProgress | undefined;
  const copy = { source, target: storage, from: "from", to: "to", size: 1000, contentType: "video/mp4" };
  const failing = copyFile(
    { ...copy, url: null, onProgress: async () => {} },
    { progress: saved, save: async (next) => void (last = next), hasTime: () => false },
  );
  await expect(failing).rejects.toMatchObject({ side: "target" });
  expect(last).toEqual(NEW);
});
