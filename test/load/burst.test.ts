import { afterAll, beforeAll, expect, test } from "vitest";
import { Vivimark } from "../../client/client.ts";
import { inspectMind } from "../../compiler/inspect.ts";
import { rawPng } from "../compiler/image/files.ts";
import { paintBlocks } from "../compiler/pictures.ts";
import { type Platform, startPlatform } from "../e2e/platform.ts";

const PHOTOS = 60;
/** Number of programs that submit at the same time. */
const PROGRAMS = 20;
/** Number of guests who load a marker repeatedly. Together they stay below the public rate limit. */
const GUESTS = 8;
const LOADS = 500;
const SIZE = { width: 240, height: 180 };

let platform: Platform;
let vivimark: Vivimark;

beforeAll(async () => {
  platform = await startPlatform();
  vivimark = new Vivimark({ url: platform.url, key: platform.key });
});

afterAll(() => platform?.close());

/** Returns a grey PNG that is different for each number. */
function picture(number: number): Blob {
  const { width, height, data } = paintBlocks(SIZE.width, SIZE.height, number);
  const rows = Array.from({ length: height }, (_, y) => data.subarray(y * width, (y + 1) * width));
  return new Blob([new Uint8Array(rawPng({ ...SIZE, depth: 8, colorType: 0 }, rows))], { type: "image/png" });
}

/** Calls `work` for each number below `count`, `atOnce` at a time. */
async function spread<T>(count: number, atOnce: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) results[n] = await work(n);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

test("photos from many programs at once all become markers, while guests load one", async () => {
  const first = await vivimark.submit({ image: picture(PHOTOS), title: "First" });
  const { marker_url: url, marker_metadata: marker } = await vivimark.whenReady(first.content.id);
  let isOver = false;
  const guest = async () => {
    const seen = new Set<string>();
    for (let load = 0; load < LOADS && !isOver; load++) {
      const response = await fetch(new URL(url!, platform.url));
      seen.add(`${response.status}, ${(await response.arrayBuffer()).byteLength} bytes`);
    }
    return [...seen];
  };
  const guests = Array.from({ length: GUESTS }, guest);
  const submitted = await spread(PHOTOS, PROGRAMS, (n) =>
    vivimark.submit({ image: picture(n), title: `Photo ${n}` }),
  );
  const ready = await spread(PHOTOS, PROGRAMS, (n) => vivimark.whenReady(submitted[n].content.id));
  isOver = true;

  expect(await Promise.all(guests)).toEqual(guests.map(() => [`200, ${marker!.bytes} bytes`]));
  expect(ready.map(({ title }) => title)).toEqual(Array.from({ length: PHOTOS }, (_, n) => `Photo ${n}`));
  expect(new Set(ready.map(({ image_sha256 }) => image_sha256)).size).toBe(PHOTOS);
  const markers = await spread(PHOTOS, PROGRAMS, async (n) => inspectMind(await vivimark.marker(ready[n])));
  for (const { valid, targets } of markers) expect([valid, targets.length]).toEqual([true, 1]);
});
