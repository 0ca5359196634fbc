import { useLayoutEffect, useRef } from "preact/hooks";
import type { Quality } from "../../../compiler/quality.ts";
import { t } from "../language.ts";

/** Colours from no detail to much detail: red, green, blue (0 to 255) and opacity. */
const RAMP = [
  [18, 20, 66, 0.68],
  [98, 40, 142, 0.6],
  [226, 84, 82, 0.52],
  [255, 214, 92, 0.5],
] as const;

/** The map of trackable detail, stretched over its parent. One pixel per cell; the browser blends them. */
export function HeatMap({ map }: { map: Quality["map"] }) {
  return <Heat {...map} class="heat-map" />;
}

/** The legend of the heat map. */
export function HeatLegend() {
  const cells = Array.from({ length: 33 }, (_, i) => (100 * i) / 32);
  return (
    <span class="heat-legend">
      {t.photo.flat}
      <Heat columns={cells.length} rows={1} cells={cells} class="heat-ramp" />
      {t.photo.detailed}
    </span>
  );
}

function Heat(props: { columns: number; rows: number; cells: readonly number[]; class: string }) {
  const { columns, rows, cells } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = new ImageData(columns, rows);
    for (let cell = 0; cell < cells.length; cell++) image.data.set(colourOf(cells[cell]), 4 * cell);
    context.putImageData(image, 0, 0);
  }, [columns, rows, cells]);
  return <canvas ref={canvas} class={props.class} width={columns} height={rows} />;
}

/** Returns the RGBA bytes of a value from 0 to 100. */
function colourOf(value: number): [number, number, number, number] {
  const at = (Math.min(100, Math.max(0, value)) / 100) * (RAMP.length - 1);
  const below = Math.min(RAMP.length - 2, Math.floor(at));
  const blend = (channel: 0 | 1 | 2 | 3) => {
    const [from, to] = [RAMP[below][channel], RAMP[below + 1][channel]];
    return from + (to - from) * (at - below);
  };
  return [blend(0), blend(1), blend(2), 255 * blend(3)];
}
