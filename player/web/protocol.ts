import type { MarkerFault } from "../../compiler/mind.ts";
import type { Found } from "../find.ts";
import type { FollowedTarget } from "../tracker.ts";

/** A grey frame, row-major, `width * height` bytes. Its buffer travels with it and comes back in the reply. */
export interface Frame {
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
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
  | { readonly kind: "load"; readonly role: Role; readonly marker: ArrayBuffer; readonly frame: Size }
  /** `targets`: indexes of the targets to find. */
  | {
      readonly kind: "find";
      readonly frame: Frame;
      readonly time: number;
      readonly targets: readonly number[];
    }
  /** Starts to follow targets that were found in an earlier frame. */
  | { readonly kind: "start"; readonly found: readonly Found[]; readonly size: Size; readonly time: number }
  | { readonly kind: "follow"; readonly frame: Frame; readonly time: number }
  /** Stops following all targets. */
  | { readonly kind: "reset" };

export type Role = "find" | "follow";

/** Replies of the worker. */
export type PlayerReply =
  | { readonly kind: "loaded"; readonly targets: readonly Size[] }
  | { readonly kind: "refused"; readonly fault: MarkerFault; readonly message: string }
  | { readonly kind: "found"; readonly frame: Frame; readonly time: number; readonly found: readonly Found[] }
  | { readonly kind: "followed"; readonly frame: Frame; readonly targets: readonly FollowedTarget[] }
  | { readonly kind: "crashed"; readonly message: string };
