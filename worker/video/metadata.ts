import { BufferSource, Input, Logging, LogLevel, MP4, WEBM } from "mediabunny";
import type { VideoType } from "../content/files.ts";
import { Refusal } from "../errors.ts";
import type { VideoMetadata } from "../schemas.ts";
import type { StorageProvider } from "../storage/provider.ts";
import { mp4Header } from "./mp4-header.ts";
import { damaged } from "./refusals.ts";
import { StoredFile } from "./stored-file.ts";
import { webmHeader } from "./webm-header.ts";

/** The codecs that the phones of viewers play, by the parser's names. */
const CODECS = { avc: "h264", vp8: "vp8", vp9: "vp9", av1: "av1" } as const;
const SOUND_CODECS: readonly unknown[] = ["aac", "mp3", "opus", "vorbis", "flac"];

/** Codecs that people know under other names than the parser's or the file's. */
const NAMES: Readonly<Record<string, string>> = {
  hevc: "HEVC (H.265)",
  prores: "ProRes",
  mp4v: "MPEG-4 Part 2",
  ac3: "AC-3",
  eac3: "E-AC-3",
  dts: "DTS",
};

// What it would say about damaged files is in our own errors.
Logging.level = LogLevel.Silent;

/**
 * Returns what a stored video contains. Reads its header only.
 *
 * @throws Refusal `video_damaged` for a file that is cut off or damaged; `unsupported_video` for one without a video
 *   track, or with a codec that phones do not play; StorageError
 */
export async function readVideoMetadata(
  storage: StorageProvider,
  { type, ...file }: { readonly path: string; readonly bytes: number; readonly type: VideoType },
): Promise<VideoMetadata> {
  const stored = new StoredFile(storage, file);
  const header = type === "video/mp4" ? await mp4Header(stored) : await webmHeader(stored);
  // The parser gets the header only: what it does is bounded by these bytes.
  const input = new Input({ source: new BufferSource(header), formats: [MP4, WEBM] });
  const { video, sound } = await tracksOf(input);
  if (!video) {
    throw new Refusal(
      "unsupported_video",
      `The file has ${sound ? "sound but " : ""}no video track; expected an MP4 or WebM video.`,
    );
  }
  if (!(video.codec !== null && video.codec in CODECS)) {
    throw new Refusal(
      "unsupported_video",
      `The codec of the video is ${nameOf(video)}; expected H.264, VP8, VP9 or AV1, which phones play.`,
    );
  }
  if (sound && !SOUND_CODECS.includes(sound.codec)) {
    throw new Refusal(
      "unsupported_video",
      `The codec of the sound is ${nameOf(sound)}; expected AAC, MP3, Opus, Vorbis or FLAC, which phones play.`,
    );
  }
  const { width, height, rotation, duration } = video;
  if (!(width > 0 && height > 0)) throw damaged(`its size is ${width} × ${height} px`);
  const codec = CODECS[video.codec as keyof typeof CODECS];
  return { width, height, rotation, duration, codec, has_sound: sound !== null };
}

interface Track {
  /** The parser's name; null: unknown to it. */
  readonly codec: string | null;
  /** The file's own name. */
  readonly codecId: unknown;
}

async function tracksOf(input: Input) {
  try {
    const [video] = await input.getVideoTracks();
    const [sound] = await input.getAudioTracks();
    return {
      video: video && {
        ...(await codecOf(video)),
        width: await video.getDisplayWidth(),
        height: await video.getDisplayHeight(),
        rotation: await video.getRotation(),
        duration: durationOf(await video.getDurationFromMetadata()),
      },
      sound: sound ? await codecOf(sound) : null,
    };
  } catch {
    throw damaged("its tracks cannot be read");
  } finally {
    input.dispose();
  }
}

async function codecOf(track: {
  getCodec(): Promise<string | null>;
  getInternalCodecId(): Promise<unknown>;
}): Promise<Track> {
  return { codec: await track.getCodec(), codecId: await track.getInternalCodecId() };
}

/** Returns seconds, in milliseconds exactly; null: unknown. */
function durationOf(seconds: number | null): number | null {
  return seconds !== null && seconds > 0 && Number.isFinite(seconds)
    ? Math.round(seconds * 1000) / 1000
    : null;
}

function nameOf({ codec, codecId }: Track): string {
  const name = codec ?? String(codecId);
  return NAMES[name] ?? (codec === null ? JSON.stringify(name.slice(0, 40)) : name);
}
