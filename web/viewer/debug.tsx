import { useEffect, useRef, useState } from "preact/hooks";
import type { PlayerTrace } from "../../player/web/player.ts";
import type { Role } from "../../player/web/protocol.ts";
import type { Engine } from "./engine.ts";
import { cover } from "./projection.ts";
import "./debug.css";

/** Residuals are drawn longer than they are by this factor. */
const RESIDUAL_SCALE = 5;

const COLORS = { point: "#ffd65c", inlier: "#4ade80", residual: "#ff5cc8" };

/** Draws what the player sees over the camera: points, inliers and residuals, and the milliseconds of each stage. */
export function DebugView({ engine }: { engine: Engine }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [traces, setTraces] = useState<Partial<Record<Role, PlayerTrace>>>({});

  useEffect(() => {
    let isShown = true;
    const show = (trace: PlayerTrace) => {
      if (!isShown) return;
      if (trace.role === "find") draw(canvas.current!, trace);
      setTraces((earlier) => ({ ...earlier, [trace.role]: trace }));
    };
    // The camera view reports a failure.
    engine.player().then(
      (player) => player.on("trace", show),
      () => undefined,
    );
    return () => {
      isShown = false;
    };
  }, [engine]);

  const { find, follow } = traces;
  return (
    <>
      <canvas ref={canvas} class="debug-picture" />
      {find && (
        <dl class="debug-figures" aria-label="Debug view">
          <Figure name="Points" value={find.points.length / 2} color={COLORS.point} />
          <Figure name="Inliers" value={find.inliers.length / 4} color={COLORS.inlier} />
          <Figure name="Residual, px" value={residual(find.inliers)} color={COLORS.residual} />
          {[find, follow].map(
            (trace) =>
              trace &&
              Object.entries(trace.stages).map(([stage, milliseconds]) => (
                <Figure
                  key={`${trace.role} ${stage}`}
                  name={`${stage === "read" ? `read to ${trace.role}` : stage}, ms`}
                  value={milliseconds.toFixed(1)}
                />
              )),
          )}
        </dl>
      )}
    </>
  );
}

function Figure({ name, value, color }: { name: string; value: string | number; color?: string }) {
  return (
    <div>
      <dt>
        {color && <span class="debug-key" style={{ background: color }} />}
        {name}
      </dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Returns the root mean square of the residuals, with two digits; a dash without any. */
function residual(inliers: Float32Array): string {
  let squares = 0;
  for (let at = 0; at < inliers.length; at += 4) squares += inliers[at + 2] ** 2 + inliers[at + 3] ** 2;
  return inliers.length === 0 ? "–" : Math.sqrt(squares / (inliers.length / 4)).toFixed(2);
}

function draw(canvas: HTMLCanvasElement, { frame, points, inliers }: PlayerTrace): void {
  const screen = { width: canvas.clientWidth, height: canvas.clientHeight };
  const density = devicePixelRatio;
  canvas.width = Math.round(screen.width * density);
  canvas.height = Math.round(screen.height * density);
  const context = canvas.getContext("2d")!;
  const [scale, , left, , , top] = cover(frame, screen);
  context.setTransform(density * scale, 0, 0, density * scale, density * left, density * top);
  const dot = 1.5 / scale;
  context.fillStyle = COLORS.point;
  for (let at = 0; at < points.length; at += 2) {
    context.fillRect(points[at] - dot, points[at + 1] - dot, 2 * dot, 2 * dot);
  }
  context.lineWidth = 1.5 / scale;
  for (let at = 0; at < inliers.length; at += 4) {
    const [x, y, dx, dy] = inliers.subarray(at, at + 4);
    context.strokeStyle = COLORS.inlier;
    context.beginPath();
    context.arc(x, y, 2.5 * dot, 0, 2 * Math.PI);
    context.stroke();
    context.strokeStyle = COLORS.residual;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + RESIDUAL_SCALE * dx, y + RESIDUAL_SCALE * dy);
    context.stroke();
  }
}
