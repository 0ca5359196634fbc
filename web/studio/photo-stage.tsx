import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../worker/schemas.ts";
import type { PlacedKeyframe } from "../marker/protocol.ts";
import { readMarker } from "../marker/read.ts";
import { drawPoints } from "./feature-points.ts";

/** The photo with the feature points of one keyframe on it, and the keyframes as a chart to choose from. */
export function PhotoStage({ content }: { content: ArContent }) {
  const [keyframes, setKeyframes] = useState<readonly PlacedKeyframe[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  const [visible, setVisible] = useState(true);

  const { marker_url } = content;
  useEffect(() => {
    setKeyframes(null);
    setError(null);
    if (!marker_url) return;
    const controller = new AbortController();
    readMarker(marker_url, controller.signal).then(
      (read) => {
        setKeyframes(read);
        setChosen((index) => Math.min(index, read.length - 1));
      },
      (reason) => !controller.signal.aborted && setError(reason.message),
    );
    return () => controller.abort();
  }, [marker_url]);

  const keyframe = keyframes?.[chosen] ?? null;
  return (
    <figure class="stage">
      <div class="stage-photo" style={{ aspectRatio: `${content.image_width} / ${content.image_height}` }}>
        <img src={content.image_url} alt={content.title} decoding="async" />
        {keyframe && visible && <PointsCanvas keyframe={keyframe} />}
      </div>
      <figcaption class="stage-caption">
        {error && <p class="stage-error">{error}</p>}
        {!marker_url && <p>Its feature points appear here when the marker is ready.</p>}
        {marker_url && !keyframes && !error && <p>Reading the marker…</p>}
        {keyframes && keyframe && (
          <>
            <div class="stage-legend">
              <span class="legend maxima">{keyframe.maxima.count} maxima</span>
              <span class="legend minima">{keyframe.minima.count} minima</span>
              <label class="switch">
                <input
                  type="checkbox"
                  role="switch"
                  aria-checked={visible}
                  checked={visible}
                  onChange={({ currentTarget }) => setVisible(currentTarget.checked)}
                />
                <span>Points</span>
              </label>
            </div>
            <KeyframeChart keyframes={keyframes} chosen={chosen} onChoose={setChosen} />
          </>
        )}
      </figcaption>
    </figure>
  );
}

function PointsCanvas({ keyframe }: { keyframe: PlacedKeyframe }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    const draw = () => {
      const density = devicePixelRatio;
      element.width = Math.round(element.clientWidth * density);
      element.height = Math.round(element.clientHeight * density);
      drawPoints(element.getContext("2d")!, keyframe, density, colours());
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    return () => observer.disconnect();
  }, [keyframe]);
  return <canvas ref={canvas} class="stage-points" />;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return { maxima: style.getPropertyValue("--maxima"), minima: style.getPropertyValue("--minima") };
}

/** Points by keyframe, as a bar chart whose bars are the radio buttons that choose one. */
function KeyframeChart(props: {
  keyframes: readonly PlacedKeyframe[];
  chosen: number;
  onChoose: (index: number) => void;
}) {
  const counts = props.keyframes.map(({ maxima, minima }) => maxima.count + minima.count);
  const most = Math.max(1, ...counts);
  const { width, height } = props.keyframes[props.chosen];
  return (
    <fieldset class="chart">
      <legend>
        Keyframe {props.chosen + 1} of {counts.length}
        <span>
          {width} × {height} px, {counts[props.chosen]} points
        </span>
      </legend>
      <div class="chart-bars">
        {props.keyframes.map((keyframe, index) => (
          <label key={keyframe.width} class="chart-bar">
            <input
              type="radio"
              name="keyframe"
              checked={index === props.chosen}
              onChange={() => props.onChoose(index)}
            />
            <span class="visually-hidden">
              {keyframe.width} × {keyframe.height} px, {counts[index]} points
            </span>
            <span class="bar" aria-hidden="true">
              <span class="bar-minima" style={{ height: `${(100 * keyframe.minima.count) / most}%` }} />
              <span class="bar-maxima" style={{ height: `${(100 * keyframe.maxima.count) / most}%` }} />
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
