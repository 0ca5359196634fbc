// Records what finding and following do with a frame, for a debug view.

import type { FindObserver } from "../find.ts";
import type { FollowObserver } from "../follow.ts";
import type { Trace } from "./protocol.ts";

export interface Tracer {
  readonly observer: FindObserver & FollowObserver;
  /** Ends a stage, which began when the one before it ended. */
  end(stage: string): void;
  trace(): Trace;
}

export function createTracer(): Tracer {
  const stages: Record<string, number> = {};
  let points = new Float32Array(0);
  let inliers = new Float32Array(0);
  let best = Number.NEGATIVE_INFINITY;
  let last = performance.now();

  function end(stage: string): void {
    const now = performance.now();
    // The second look goes through the same stages.
    stages[stage] = (stages[stage] ?? 0) + now - last;
    last = now;
  }

  return {
    end,
    observer: {
      onStage: end,
      onFeatures({ count, x, y }) {
        points = new Float32Array(2 * count);
        for (let i = 0; i < count; i++) points.set([x[i], y[i]], 2 * i);
      },
      onPlace({ score }, ofPlace) {
        if (score <= best) return;
        best = score;
        inliers = Float32Array.from(ofPlace);
      },
      onPatches(places, agreeing) {
        points = Float32Array.of(...points, ...places);
        inliers = Float32Array.of(...inliers, ...agreeing);
      },
    },
    trace: () => ({ stages, points, inliers }),
  };
}
