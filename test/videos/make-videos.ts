/// <reference lib="dom" />
import { readFile } from "node:fs/promises";
import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputTrack,
  MP4,
  Output,
  type OutputFormat,
  type Rotation,
} from "mediabunny";
import type { Page } from "playwright-core";
import { CLIP_QUARTERS } from "../e2e/clip.ts";

/** Frames or sound, encoded. */
interface Track<Codec, Config> {
  readonly codec: Codec;
  readonly config: Config;
  readonly packets: readonly EncodedPacket[];
}
export type VideoTrack = Track<"avc" | "vp9", VideoDecoderConfig>;
export type SoundTrack = Track<"aac" | "opus", AudioDecoderConfig>;

const FRAME_RATE = 10;

/**
 * Returns ten VP9 frames with the quarters of the clip.
 *
 * @param page of a secure origin
 */
export async function encodeVp9(page: Page, width: number, height: number): Promise<VideoTrack> {
  const config = { codec: "vp09.00.40.08", codedWidth: width, codedHeight: height };
  const chunks = await page.evaluate(
    async ([quarters, codec, width, height, rate]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d")!;
      quarters.forEach((colour, quarter) => {
        context.fillStyle = colour;
        context.fillRect((quarter % 2) * (width / 2), (quarter >> 1) * (height / 2), width / 2, height / 2);
      });
      const chunks: { base64: string; type: "key" | "delta" }[] = [];
      const encoder = new VideoEncoder({
        output: (chunk) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          chunks.push({ base64: btoa(String.fromCharCode(...bytes)), type: chunk.type });
        },
        error: (error) => console.error(error),
      });
      encoder.configure({ codec, width, height, bitrate: 1_000_000 });
      for (let frame = 0; frame < 10; frame++) {
        const picture = new VideoFrame(canvas, { timestamp: (frame * 1_000_000) / rate });
        encoder.encode(picture, { keyFrame: frame === 0 });
        picture.close();
      }
      await encoder.flush();
      return chunks;
    },
    [CLIP_QUARTERS, config.codec, width, height, FRAME_RATE] as const,
  );
  const packets = chunks.map(
    ({ base64, type }, at) =>
      new EncodedPacket(Buffer.from(base64, "base64"), type, at / FRAME_RATE, 1 / FRAME_RATE),
  );
  return { codec: "vp9", config, packets };
}

/** Returns the first frame, shown again and again for a number of seconds. */
export function still({ packets: [key], ...track }: VideoTrack, seconds: number): VideoTrack {
  const packets = Array.from({ length: seconds * FRAME_RATE }, (_, at) =>
    key.clone({ timestamp: at / FRAME_RATE, duration: 1 / FRAME_RATE }),
  );
  return { ...track, packets };
}

/** Returns a second of silence. */
export function opusSilence(): SoundTrack {
  const packets = Array.from(
    { length: 50 },
    (_, at) => new EncodedPacket(new Uint8Array([0xfc, 0xff, 0xfe]), "key", at * 0.02, 0.02),
  );
  return { codec: "opus", config: { codec: "opus", numberOfChannels: 2, sampleRate: 48_000 }, packets };
}

/** Returns the tracks of a file of this folder. */
export async function tracksOf(name: string): Promise<{ video: VideoTrack; sound: SoundTrack }> {
  const bytes = await readFile(new URL(name, import.meta.url));
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
  const video = (await input.getPrimaryVideoTrack())!;
  const sound = (await input.getPrimaryAudioTrack())!;
  return {
    video: {
      codec: "avc",
      config: (await video.getDecoderConfig())!,
      packets: await packetsOf(video),
    },
    sound: {
      codec: "aac",
      config: (await sound.getDecoderConfig())!,
      packets: await packetsOf(sound),
    },
  };
}

async function packetsOf(track: InputTrack): Promise<EncodedPacket[]> {
  const packets: EncodedPacket[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  return packets;
}

/** Writes tracks into a file. */
export async function mux(
  format: OutputFormat,
  {
    video,
    sound,
    rotation = 0,
  }: { readonly video?: VideoTrack; readonly sound?: SoundTrack; readonly rotation?: Rotation },
): Promise<Buffer<ArrayBuffer>> {
  const target = new BufferTarget();
  const output = new Output({ format, target });
  const videoSource = video && new EncodedVideoPacketSource(video.codec);
  const soundSource = sound && new EncodedAudioPacketSource(sound.codec);
  if (videoSource) output.addVideoTrack(videoSource, { rotation });
  if (soundSource) output.addAudioTrack(soundSource);
  await output.start();
  for (const packet of video?.packets ?? []) {
    await videoSource!.add(packet, { decoderConfig: video!.config });
  }
  for (const packet of sound?.packets ?? []) {
    await soundSource!.add(packet, { decoderConfig: sound!.config });
  }
  await output.finalize();
  return Buffer.from(target.buffer!);
}
