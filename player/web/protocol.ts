import type { MarkerFault } from "../../compiler/invalid-marker.ts";
import type { Found } from "../find.ts";
import type { FollowedTarget, SeenPlace } from "../tracker.ts";

/** A grey frame, row-major, `width * height` bytes. Its buffer travels with it and comes back in a reply. */
export interface Frame {
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
}

/** What a worker looks at. It closes a video frame when it has read it. */
export type Picture = Frame | VideoFrame;

export function isVideoFrame(picture: Picture): picture is VideoFrame {
  return !("buffer" in picture);
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Requests of the page to a player's worker. `load` comes first. After it, one worker only finds and another only
 * follows, each one frame at a time, so that finding never delays following. Times are those of frames, in seconds.
 */
export type PlayerRequest =
  /** `frame`: the expected size of frames, which another size only makes slower once. */
  | {
      readonly kind: "load";
      readonly role: Role;
      readonly marker: ArrayBuffer;
      readonly frame: Size;
      readonly isTraced: boolean;
    }
  /** `targets`: indexes of the targets to find. `seen`: where they were seen last. */
  | {
      readonly kind: "find";
      readonly picture: Picture;
      readonly time: number;
      readonly targets: readonly number[];
      readonly seen: readonly SeenPlace[];
    }
  /** Starts to follow targets that were found in an earlier frame. */
  | { readonly kind: "start"; readonly found: readonly Found[]; readonly size: Size; readonly time: number }
  | { readonly kind: "follow"; readonly picture: Picture; readonly time: number }
  /** Stops following all targets. */
  | { readonly kind: "reset" };

export type Role = "find" | "follow";

/** What a worker saw in a picture, for a debug view. */
export interface Trace {
  /** Milliseconds of each stage, in order. */
  readonly stages: Readonly<Record<string, number>>;
  /** Features of the frame, or patches of the targets that are followed: x and y in turns, in frame pixels. */
  readonly points: Float32Array;
  /** Those that lie where a target has them: x, y, and the distances in x and y to where they are predicted. */
  readonly inliers: Float32Array;
}

/** What replies about a picture have in common. */
interface Looked {
  /** Size of the grey frame. */
  readonly frame: Size;
  /** The buffer of a grey frame of the page. */
  readonly buffer: ArrayBuffer | null;
  /** Null unless the player is traced. */
  readonly trace: Trace | null;
}

/** Replies of the worker. */
export type PlayerReply =
  | { readonly kind: "loaded"; readonly targets: readonly Size[] }
  | { readonly kind: "refused"; readonly fault: MarkerFault; readonly message: string }
  | ({ readonly kind: "found"; readonly time: number; readonly found: readonly Found[] } & Looked)
  | ({ readonly kind: "followed"; readonly targets: readonly FollowedTarget[] } & Looked)
  /** A video frame could not be read. */
  | { readonly kind: "unreadable"; readonly role: Role }
  | { readonly kind: "crashed"; readonly message: string };
