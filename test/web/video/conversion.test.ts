import { readFile } from "node:fs/promises";
import {
  ALL_FORMATS,
  BlobSource,
  BufferSource,
  EncodedPacketSink,
  Input,
  MkvOutputFormat,
  Mp4OutputFormat,
} from "mediabunny";
import { describe, expect, it } from "vitest";
import { convert, inspect } from "../../../web/video/conversion.ts";
import { tracksOf as fixtureTracks, mux } from "../../videos/make-videos.ts";

/** Node has no decoders and encoders, so that these tests copy: what needs them is in test/pages/videos.test.ts. */

const read = async (name: string) =>
  new Blob([await readFile(new URL(`../../videos/${name}`, import.meta.url))]);

const copy = (file: Blob, keepsSound = true) => convert(file, { keepsSound, onProgress: () => {} });

/** Returns what each track of a video contains. */
async function tracksOf(input: Input) {
  return Promise.all(
    (await input.getTracks()).map(async (track) => {
      const packets: Uint8Array[] = [];
      for await (const { data } of new EncodedPacketSink(track).packets()) packets.push(data);
      return {
        codec: await track.getCodec(),
        rotation: track.isVideoTrack() ? await track.getRotation() : null,
        packets,
      };
    }),
  );
}

describe("a .mov with H.264 and AAC", () => {
  it("is copied into an MP4 without a change of its frames, its sound and its rotation", async () => {
    const mov = await read("h264.mov");
    expect(await inspect(mov)).toEqual({ step: "remux", obstacle: null, keptType: null });
    const progress: number[] = [];
    const mp4 = await convert(mov, { keepsSound: true, onProgress: (fraction) => progress.push(fraction) });
    expect(await inspect(new Blob([mp4]))).toEqual({ step: "keep", obstacle: null, keptType: "video/mp4" });
    const before = await tracksOf(new Input({ source: new BlobSource(mov), formats: ALL_FORMATS }));
    const after = await tracksOf(new Input({ source: new BufferSource(mp4), formats: ALL_FORMATS }));
    expect(after).toEqual(before);
    expect(before).toMatchObject([
      { codec: "avc", rotation: expect.toSatisfy((angle) => angle === 90 || angle === 270) },
      { codec: "aac", rotation: null },
    ]);
    expect(progress.at(-1)).toBe(1);
  });

  it("loses the place where it was filmed", async () => {
    const place = "+48.8577";
    const mov = await read("h264.mov");
    expect(Buffer.from(await mov.arrayBuffer()).includes(place)).toBe(true);
    expect(Buffer.from(await copy(mov)).includes(place)).toBe(false);
  });

  it("is copied without its sound, too", async () => {
    const silent = new Input({
      source: new BufferSource(await copy(await read("h264.mov"), false)),
      formats: ALL_FORMATS,
    });
    expect((await tracksOf(silent)).map(({ codec }) => codec)).toEqual(["avc"]);
  });
});

it("an MP4 that is ready for viewers stays as it is", async () => {
  expect(await inspect(await read("h264.mp4"))).toEqual({
    step: "keep",
    obstacle: null,
    keptType: "video/mp4",
  });
});

it("HEVC that cannot be decoded here is named", async () => {
  expect((await inspect(await read("hevc.mov"))).obstacle).toEqual({
    kind: "decode",
    track: "video",
    codec: "HEVC (H.265)",
  });
});

it.each([
  ["an MKV", new MkvOutputFormat()],
  ["an MP4 with the index at the end", new Mp4OutputFormat({ fastStart: false })],
])("%s with H.264 and AAC is copied into an MP4 that is ready for viewers", async (_name, format) => {
  const file = new Blob([await mux(format, await fixtureTracks("h264.mp4"))]);
  expect(await inspect(file)).toMatchObject({ step: "remux", obstacle: null });
  expect(await inspect(new Blob([await copy(file)]))).toMatchObject({ step: "keep" });
});

describe("a file is refused", () => {
  it.each(["h264.mov", "h264.mp4"])("if %s is cut off", async (name) => {
    const file = await read(name);
    for (const bytes of [file.size / 2, file.size - 1]) {
      await expect(inspect(file.slice(0, bytes))).rejects.toMatchObject({ reason: "cut_off" });
    }
  });

  it("if it is not a video", async () => {
    await expect(inspect(new Blob(["moov"]))).rejects.toMatchObject({ reason: "format" });
    await expect(inspect(new Blob(["A text, not a video."]))).rejects.toMatchObject({ reason: "format" });
  });
});
