import {
  BlobSource,
  BufferTarget,
  Conversion,
  type ConversionAudioOptions,
  type ConversionVideoOptions,
  canEncodeAudio,
  canEncodeVideo,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  Mp4OutputFormat,
  Output,
  QTFF,
  Quality,
  type VideoSample,
  WEBM,
} from "mediabunny";
import { readLayout } from "./layout.ts";
import {
  fitted,
  isPlainSound,
  isPlainVideo,
  MAX_FRAME_RATE,
  planFor,
  type Size,
  type VideoPlan,
  type VideoTrackFacts,
} from "./plan.ts";
import { ConversionFailed } from "./problem.ts";
import type { Unreadable } from "./protocol.ts";

/**
 * The most by which a copied video may begin later than in its file. Sound begins with two packets before the first
 * frame, which decoders need. Further frames before the beginning were trimmed, and are left out by encoding again.
 */
const MAX_SHIFT_SECONDS = 0.3;

/** Frames whose times are compared to find the frame rate. */
const RATE_FRAMES = 120;

const NAMES: Readonly<Record<string, string>> = {
  avc: "H.264",
  hevc: "HEVC (H.265)",
  prores: "ProRes",
  mp4v: "MPEG-4 Part 2",
  vp8: "VP8",
  vp9: "VP9",
  av1: "AV1",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  ac3: "AC-3",
  eac3: "E-AC-3",
};

/** A file that cannot become a video, however capable the browser is. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
  readonly reason: Unreadable;

  constructor(reason: Unreadable) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Decides what has to be done with a video before it is sent.
 *
 * @throws UnreadableFile
 */
export async function inspect(file: Blob): Promise<VideoPlan> {
  const layout = await readLayout(file);
  if (layout?.isCutOff) throw new UnreadableFile("cut_off");
  const input = open(file);
  const { video, sound } = await tracksOf(input);
  return readable(async () => {
    const format = await input.getFormat();
    const facts = await videoFacts(video);
    return planFor({
      container: format === MP4 ? "mp4" : format === WEBM ? "webm" : "other",
      isFastStart: layout?.isFastStart ?? false,
      hasTags: hasTags(await input.getMetadataTags()),
      bytes: file.size,
      video: facts,
      sound: sound && {
        codec: await sound.getCodec(),
        codecName: await nameOf(sound),
        isDecodable: await sound.canDecode(),
      },
      encodes: {
        video: await canEncodeVideo("avc", fitted(facts.width, facts.height)),
        sound: sound
          ? await canEncodeAudio("aac", {
              numberOfChannels: await sound.getNumberOfChannels(),
              sampleRate: await sound.getSampleRate(),
            })
          : true,
      },
    });
  });
}

/**
 * Returns the file as H.264 with AAC in an MP4. Tracks that are plain already are copied. Notes in the file are left out.
 *
 * @param onProgress receives 0 to 1
 * @throws UnreadableFile; ConversionFailed; Error of the browser's decoders and encoders
 */
export async function convert(
  file: Blob,
  {
    keepsSound,
    onProgress,
  }: { readonly keepsSound: boolean; readonly onProgress: (fraction: number) => void },
): Promise<ArrayBuffer> {
  const input = open(file);
  const { video, sound } = await tracksOf(input);
  const facts = await readable(() => videoFacts(video));
  const isSoundCopied = sound !== null && isPlainSound(await sound.getCodec());
  const target = new BufferTarget();
  const conversion = await Conversion.init({
    input,
    output: new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target }),
    tracks: "primary",
    // A quality or codec would force the parser to encode again.
    video: isPlainVideo(facts) ? {} : videoEncoding(facts, await video.hasHighDynamicRange()),
    audio: keepsSound ? (isSoundCopied ? {} : SOUND_ENCODING) : { discard: true },
    copy: { shiftTolerance: MAX_SHIFT_SECONDS },
    tags: {},
    showWarnings: false,
  });
  const lost = conversion.discardedTracks.find(
    ({ reason }) => reason !== "discarded_by_user" && reason !== "max_track_count_of_type_reached",
  );
  if (lost) {
    const kind = lost.track.type === "audio" ? "sound_track" : "video_track";
    throw new ConversionFailed({ kind, reason: lost.reason });
  }
  conversion.onProgress = onProgress;
  await conversion.execute();
  return target.buffer!;
}

const SOUND_ENCODING = { codec: "aac", quality: new Quality("high") } satisfies ConversionAudioOptions;

function videoEncoding(
  { width, height, frameRate }: VideoTrackFacts,
  isHighRange: boolean,
): ConversionVideoOptions {
  const size = fitted(width, height);
  return {
    codec: "avc",
    quality: new Quality("high"),
    ...(size.width === width && size.height === height ? {} : { ...size, fit: "fill" }),
    ...(frameRate > MAX_FRAME_RATE ? { frameRate: MAX_FRAME_RATE } : {}),
    ...(isHighRange ? { process: standardRange(size) } : {}),
  };
}

/** Returns a function that draws frames with the colours of all screens: the browser maps them to sRGB. */
function standardRange({ width, height }: Size): (frame: VideoSample) => OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false })!;
  return (frame) => {
    frame.draw(context, 0, 0, width, height);
    return canvas;
  };
}

function open(file: Blob): Input {
  return new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] });
}

async function tracksOf(input: Input) {
  const [video, sound] = await readable(
    async () => [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()] as const,
  );
  if (!video) throw new UnreadableFile("no_video");
  return { video, sound };
}

/** Runs the parser, whose errors are about the file. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch {
    throw new UnreadableFile("format");
  }
}

async function videoFacts(video: InputVideoTrack): Promise<VideoTrackFacts> {
  return {
    codec: await video.getCodec(),
    codecName: await nameOf(video),
    codecString: await video.getCodecParameterString(),
    isDecodable: await video.canDecode(),
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    frameRate: (await video.computePacketStats(RATE_FRAMES)).averagePacketRate,
    isTransparent: await video.canBeTransparent(),
  };
}

async function nameOf(track: InputVideoTrack | InputAudioTrack): Promise<string> {
  const codec = (await track.getCodec()) ?? String(await track.getInternalCodecId());
  return NAMES[codec] ?? codec;
}

function hasTags({ raw, ...tags }: Awaited<ReturnType<Input["getMetadataTags"]>>): boolean {
  return Object.keys(tags).length > 0 || Object.keys(raw ?? {}).length > 0;
}
