import { useEffect, useRef, useState } from "preact/hooks";
import type { PlayerTrace } from "../../player/web/player.ts";
import type { Role } from "../../player/web/protocol.ts";
import type { Engine } from "./engine.ts";
import { cover } from "./projection.ts";

/** How the view shows what a worker sees. Residuals are drawn longer than they are by `scale`. */
interface Look {
  readonly title: string;
  readonly points: string;
  readonly colors: { readonly point: string; readonly inlier: string; readonly residual: string };
  readonly scale: number;
}

const LOOKS: Record<Role, Look> = {
  find: {
    title: "Find",
    points: "Points",
    colors: { point: "#ffd65c", inlier: "#4ade80", residual: "#ff5cc8" },
    scale: 5,
  },
  follow: {
    title: "Follow",
    points: "Patches",
    colors: { point: "#ffffff", inlier: "#38bdf8", residual: "#fb923c" },
    scale: 50,
  },
};

type Traces = { readonly [role in Role]?: PlayerTrace };

/** Draws what the player sees over the camera: points, inliers and residuals, and the milliseconds of each stage. */
export function DebugView({ engine }: { engine: Engine }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [traces, setTraces] = useState<Traces>({});

  useEffect(() => {
    let isShown = true;
    let latest: Traces = {};
    const show = (trace: PlayerTrace) => {
      if (!isShown) return;
      latest = { ...latest, [trace.role]: trace };
      draw(canvas.current!, latest);
      setTraces(latest);
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

  const seen = inOrder(traces);
  return (
    <>
      <canvas ref={canvas} class="debug-picture" />
      {seen.length > 0 && (
        <div class="debug-figures">
          {seen.map((trace) => (
            <Figures key={trace.role} trace={trace} />
          ))}
        </div>
      )}
    </>
  );
}

function inOrder({ find, follow }: Traces): PlayerTrace[] {
  return [find, follow].filter((trace) => trace !== undefined);
}

function Figures({ trace: { role, points, inliers, stages } }: { trace: PlayerTrace }) {
  const { title, points: name, colors } = LOOKS[role];
  return (
    <section>
      <h2>{title}</h2>
      <dl>
        <Figure name={name} value={points.length / 2} color={colors.point} />
        <Figure name="Inliers" value={inliers.length / 4} color={colors.inlier} />
        <Figure name="Residual, px" value={residual(inliers)} color={colors.residual} />
        {Object.entries(stages).map(([stage, milliseconds]) => (
          <Figure key={stage} name={`${stage}, ms`} value={milliseconds.toFixed(1)} />
        ))}
      </dl>
    </section>
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

function draw(canvas: HTMLCanvasElement, traces: Traces): void {
  const screen = { width: canvas.clientWidth, height: canvas.clientHeight };
  const density = devicePixelRatio;
  canvas.width = Math.round(screen.width * density);
  canvas.height = Math.round(screen.height * density);
  const context = canvas.getContext("2d")!;
  for (const { role, frame, points, inliers } of inOrder(traces)) {
    const { colors, scale: length } = LOOKS[role];
    const [scale, , left, , , top] = cover(frame, screen);
    context.setTransform(density * scale, 0, 0, density * scale, density * left, density * top);
    const dot = 1.5 / scale;
    context.fillStyle = colors.point;
    for (let at = 0; at < points.length; at += 2) {
      context.fillRect(points[at] - dot, points[at + 1] - dot, 2 * dot, 2 * dot);
    }
    context.lineWidth = 1.5 / scale;
    for (let at = 0; at < inliers.length; at += 4) {
      const [x, y, dx, dy] = inliers.subarray(at, at + 4);
      context.strokeStyle = colors.inlier;
      context.beginPath();
      if (role === "find") context.arc(x, y, 2.5 * dot, 0, 2 * Math.PI);
      else context.rect(x - 2.5 * dot, y - 2.5 * dot, 5 * dot, 5 * dot);
      context.stroke();
      context.strokeStyle = colors.residual;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + length * dx, y + length * dy);
      context.stroke();
    }
  }
}
