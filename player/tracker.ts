// Finds and follows the targets of a marker in the frames of a camera. A host runs finding and following side by side,
// in two trackers of the same marker, or one after the other in one.

import type { GreyImage, PlayerTarget, Size } from "../compiler/types.ts";
import { Finder, type FindObserver, type Found, type LastPlace } from "./find.ts";
import { createFollower, type Follower, type FollowObserver, type FollowState } from "./follow.ts";
import type { Homography } from "./homography.ts";
import { buildLevels, createPyramid, type FramePyramid, fillPyramid } from "./levels.ts";

/** A target that is followed, after a frame. */
export interface FollowedTarget {
  /** Index of the target in the marker. */
  readonly target: number;
  readonly state: FollowState;
  /** From target pixels to frame pixels, with 1 as last entry. */
  readonly map: Homography;
}

/** Where a target was seen last, in a frame of this size. */
export interface SeenPlace extends LastPlace {
  readonly frame: Size;
}

/** Most targets that are made ready to be followed before they are found: each takes some milliseconds. */
const PREPARED_TARGETS = 4;

/** Frames that are followed to warm up. */
const WARM_FRAMES = 3;

export class Tracker {
  readonly #targets: readonly PlayerTarget[];
  #finder: { readonly size: Size; readonly finder: Finder } | null = null;
  #pyramid: { readonly size: Size; readonly levels: FramePyramid } | null = null;
  /** The followers of targets that are followed, and all that were made for frames of this size. */
  readonly #followers = new Map<number, Follower>();
  readonly #prepared = new Map<number, Follower>();

  constructor(targets: readonly PlayerTarget[]) {
    this.#targets = targets;
  }

  /** Prepares to find targets in frames of this size. `find` does it for a frame of another size. */
  prepareToFind(size: Size): Finder {
    if (!this.#finder || !isSameSize(this.#finder.size, size)) {
      this.#finder = { size, finder: new Finder(this.#targets, size) };
    }
    return this.#finder.finder;
  }

  /**
   * Improves the finder by one more view of a target, which takes a few milliseconds; returns whether more are left. To be
   * called while there is nothing else to do.
   */
  improveFinder(): boolean {
    return this.#finder?.finder.addView() ?? false;
  }

  /** Prepares to follow the first targets in frames of this size. `start` does it for another target or size. */
  prepareToFollow(size: Size): void {
    this.#layPyramid(size);
    for (let target = 0; target < Math.min(this.#targets.length, PREPARED_TARGETS); target++) {
      this.#followerOf(target, size);
    }
  }

  /**
   * Finds or follows the first target in a picture of it, so that the code is compiled before the first frame comes: that
   * takes ten times as long as a frame. Nothing may be followed yet.
   */
  warmUp(size: Size, role: "find" | "follow"): void {
    const { frame, map } = pictureOf(this.#targets[0], size);
    if (role === "find") this.find(frame, [0]);
    else {
      this.start([{ target: 0, map, score: 0, inliers: 0 }], size, 0);
      for (let i = 1; i <= WARM_FRAMES; i++) this.follow(frame, i / 30);
      this.reset();
    }
  }

  /**
   * Returns those of the given targets, by index, that the frame shows, the best first.
   *
   * @param seen where targets were seen last; places in frames of another size are left out
   */
  find(
    frame: GreyImage,
    targets: readonly number[],
    seen: readonly SeenPlace[] = [],
    observer?: FindObserver,
  ): Found[] {
    const finder = this.prepareToFind({ width: frame.width, height: frame.height });
    const near = seen.filter((place) => isSameSize(place.frame, frame));
    return finder.find(frame, { targets, maxTargets: this.#targets.length, near, ...observer });
  }

  /** Begins to follow targets that were found. @param time of the frame in which they were found, in seconds */
  start(found: readonly Found[], frame: Size, time: number): void {
    this.#layPyramid(frame);
    for (const { target, map } of found) {
      const follower = this.#followerOf(target, frame);
      follower.start(map, time);
      this.#followers.set(target, follower);
    }
  }

  /**
   * Follows all targets into the next frame. A frame of another size loses them all: the phone was turned.
   *
   * @param time of the frame, in seconds
   */
  follow(frame: GreyImage, time: number, observer?: FollowObserver): FollowedTarget[] {
    const lost = this.#layPyramid(frame);
    if (lost.length > 0) return lost;
    const { levels } = this.#pyramid!;
    fillPyramid(levels, frame.data);
    observer?.onStage?.("pyramid");
    return Array.from(this.#followers, ([target, follower]) => {
      const { state, map } = follower.follow(levels, time, observer);
      if (state === "lost") this.#followers.delete(target);
      return { target, state, map };
    });
  }

  /** Stops following. */
  reset(): void {
    this.#followers.clear();
  }

  #followerOf(target: number, frame: Size): Follower {
    const follower = this.#prepared.get(target) ?? createFollower(buildLevels(this.#targets[target]), frame);
    this.#prepared.set(target, follower);
    return follower;
  }

  /** Allocates the pyramid for frames of this size. Returns the targets that were followed in frames of another one. */
  #layPyramid({ width, height }: Size): FollowedTarget[] {
    const size = { width, height };
    if (this.#pyramid && isSameSize(this.#pyramid.size, size)) return [];
    this.#pyramid = { size, levels: createPyramid(width, height) };
    this.#prepared.clear();
    const lost = Array.from(this.#followers.keys(), (target): FollowedTarget => {
      return { target, state: "lost", map: new Float64Array(9) };
    });
    this.#followers.clear();
    return lost;
  }
}

/** Returns a frame with a target's picture in its middle, and where the target is in it. */
function pictureOf(
  { width, height, tracking: [picture] }: PlayerTarget,
  size: Size,
): { readonly frame: GreyImage; readonly map: Homography } {
  const data = new Uint8Array(size.width * size.height).fill(128);
  const left = Math.floor((size.width - picture.width) / 2);
  const top = Math.floor((size.height - picture.height) / 2);
  for (let y = Math.max(0, -top); y < Math.min(picture.height, size.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(picture.width, size.width - left); x++) {
      data[(top + y) * size.width + left + x] = picture.data[y * picture.width + x];
    }
  }
  const map = Float64Array.of(picture.width / width, 0, left, 0, picture.height / height, top, 0, 0, 1);
  return { frame: { data, ...size }, map };
}

function isSameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}
