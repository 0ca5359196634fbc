/** What a video file contains, and what this browser can do with it. */
export interface VideoFacts {
  /** `other`: a container that the API refuses, such as a .mov. */
  readonly container: "mp4" | "webm" | "other";
  /** Whether players can begin before they have the whole file. */
  readonly isFastStart: boolean;
  /** Whether the file carries notes, such as where it was filmed. */
  readonly hasTags: boolean;
  readonly bytes: number;
  readonly video: VideoTrackFacts;
  readonly sound: TrackFacts | null;
  /** Whether this browser encodes H.264 and AAC. */
  readonly encodes: { readonly video: boolean; readonly sound: boolean };
}

interface TrackFacts {
  /** The parser's name; null: unknown to it. */
  readonly codec: string | null;
  /** As people know it. */
  readonly codecName: string;
  readonly isDecodable: boolean;
}

/** Its size is as players show it. */
export interface VideoTrackFacts extends TrackFacts, Size {
  /** As RFC 6381 writes it, such as `avc1.640028`; null: unknown. */
  readonly codecString: string | null;
  /** Frames per second. */
  readonly frameRate: number;
  readonly isTransparent: boolean;
}

/** Why this browser cannot convert a video. `codec` is the one that it cannot decode or encode. */
export interface Obstacle {
  readonly kind: "decode" | "encode" | "too_large";
  readonly track: "video" | "sound";
  readonly codec: string;
}

export type VideoType = "video/mp4" | "video/webm";

export interface VideoPlan {
  /** `remux`: the frames are copied into another container, which loses nothing and takes a moment. */
  readonly step: "keep" | "remux" | "convert";
  /** Null: the step works here. */
  readonly obstacle: Obstacle | null;
  /** The type as which the API accepts the file as it is; null: it does not. */
  readonly keptType: VideoType | null;
}

/** The longer and the shorter side of what every phone plays. */
const MAX_SIDES = { long: 1920, short: 1080 };
export const MAX_FRAME_RATE = 60;
/** Counted from averages, a rate of 60 may be a little more. */
const RATE_TOLERANCE = 1.05;

/** Larger files are not read into memory. */
export const MAX_BYTES_IN_MEMORY = 500_000_000;

/** As worker/video/metadata.ts accepts them. */
const KEPT_CODECS: readonly unknown[] = ["avc", "vp8", "vp9", "av1"];
const KEPT_SOUND_CODECS: readonly unknown[] = ["aac", "mp3", "opus", "vorbis", "flac"];

/** Baseline, Main and High have 8 bits and 4:2:0. The profile is the first byte after `avc1.`. */
const PLAIN_PROFILES = /^avc[13]\.(42|4d|64)/i;

/** What phones play in WebM. */
const WEBM_CODECS: readonly unknown[] = ["vp8", "vp9"];
const WEBM_SOUND_CODECS: readonly unknown[] = ["opus", "vorbis"];

/** Decides how a video becomes H.264 with AAC in an MP4 that plays while it loads. */
export function planFor(facts: VideoFacts): VideoPlan {
  const { container, isFastStart, hasTags, bytes, video, sound, encodes } = facts;
  const isAccepted =
    KEPT_CODECS.includes(video.codec) && (sound === null || KEPT_SOUND_CODECS.includes(sound.codec));
  const keptType = isAccepted && container !== "other" ? (`video/${container}` as const) : null;
  const keep = { step: "keep", obstacle: null, keptType } as const;
  // H.264 has no transparency.
  if (keptType && (video.isTransparent || isPlainWebm(facts))) return keep;
  const isVideoPlain = isPlainVideo(video);
  const isSoundPlain = sound === null || isPlainSound(sound.codec);
  const isPlain = isVideoPlain && isSoundPlain;
  const isTooLarge = bytes > MAX_BYTES_IN_MEMORY;
  const isReady = container === "mp4" && isFastStart && !hasTags;
  if (isPlain && (isReady || (isTooLarge && keptType))) return keep;
  const obstacles: Obstacle[] = [];
  if (isTooLarge) obstacles.push({ kind: "too_large", track: "video", codec: video.codecName });
  if (!isVideoPlain) obstacles.push(...obstaclesOf("video", video, encodes.video ? null : "H.264"));
  if (!isSoundPlain) obstacles.push(...obstaclesOf("sound", sound, encodes.sound ? null : "AAC"));
  return { step: isPlain ? "remux" : "convert", obstacle: obstacles[0] ?? null, keptType };
}

function isPlainWebm({ container, video, sound }: VideoFacts): boolean {
  return (
    container === "webm" &&
    WEBM_CODECS.includes(video.codec) &&
    isFitted(video) &&
    (sound === null || WEBM_SOUND_CODECS.includes(sound.codec))
  );
}

/** Returns whether every phone plays the frames of a track as they are. */
export function isPlainVideo(video: VideoTrackFacts): boolean {
  return video.codec === "avc" && PLAIN_PROFILES.test(video.codecString ?? "") && isFitted(video);
}

/** Returns whether every phone plays sound with this codec. */
export function isPlainSound(codec: string | null): boolean {
  return codec === "aac";
}

/** Returns whether size and frame rate are within those of phones. */
function isFitted({ width, height, frameRate }: VideoTrackFacts): boolean {
  const size = fitted(width, height);
  return size.width === width && size.height === height && frameRate <= MAX_FRAME_RATE * RATE_TOLERANCE;
}

function obstaclesOf(
  track: Obstacle["track"],
  { isDecodable, codecName }: TrackFacts,
  missing: string | null,
): Obstacle[] {
  if (!isDecodable) return [{ kind: "decode", track, codec: codecName }];
  return missing === null ? [] : [{ kind: "encode", track, codec: missing }];
}

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Returns the largest size of at most 1080p with the same proportions. H.264 needs even numbers. */
export function fitted(width: number, height: number): Size {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  const scale = Math.min(1, MAX_SIDES.long / long, MAX_SIDES.short / short);
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2));
  return { width: even(width), height: even(height) };
}
