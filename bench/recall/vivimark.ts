// The recognition of our player: the search of a whole frame, without what it knows from earlier frames.

import type { GreyImage, ImageTarget } from "../../compiler/types.ts";
import { Finder } from "../../player/find.ts";
import { projectCorners } from "../../player/homography.ts";
import type { Corners } from "../../test/e2e/pinhole.ts";
import { FRAME } from "./camera.ts";

/** Returns a player that has loaded one target and made all views of it. */
export function load(target: ImageTarget): { find(frame: GreyImage): Corners | null } {
  const finder = new Finder([target], FRAME);
  while (finder.addView());
  return {
    find(frame) {
      const [found] = finder.find(frame);
      return found ? projectCorners(found.map, target) : null;
    },
  };
}
