import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { type OpenMarker, openMarker } from "../../marker/open.ts";
import type { KeyframeSummary } from "../../marker/protocol.ts";
import { Switch } from "../ui/switch.tsx";
import { HeatLegend, HeatMap } from "./heat-map.tsx";

interface ReadMarker {
  readonly url: string;
  readonly open: OpenMarker;
  readonly keyframes: readonly KeyframeSummary[];
}

/** The photo with the feature points of a keyframe, the heat map, and a chart to choose the keyframe. */
export function PhotoStage({ content }: { content: ArContent }) {
  const [marker, setMarker] = useState<ReadMarker | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  const [pointsShown, setPointsShown] = useState(true);
  const [mapShown, setMapShown] = useState(false);

  const { marker_url, marker_metadata } = content;
  const map = marker_metadata?.quality?.map;
  useEffect(() => {
    setMarker(null);
    setError(null);
    if (!marker_url) return;
    let closed = false;
    const open = openMarker(marker_url);
    open.keyframes.then(
      (keyframes) => {
        if (closed) return;
        setMarker({ url: marker_url, open, keyframes });
        setChosen((index) => Math.min(index, keyframes.length - 1));
      },
      (reason) => !closed && setError(reason.message),
    );
    return () => {
      closed = true;
      open.close();
    };
  }, [marker_url]);

  const keyframe = marker?.keyframes[chosen];
  return (
    <figure class="stage">
      <div class="stage-photo" style={{ aspectRatio: `${content.image_width} / ${content.image_height}` }}>
        <img src={content.image_url} alt={content.title} decoding="async" />
        {map && mapShown && <HeatMap map={map} />}
        {marker && pointsShown && <PointsCanvas key={marker.url} marker={marker.open} keyframe={chosen} />}
      </div>
      <figcaption class="stage-caption">
        {error && <p class="stage-error">{error}</p>}
        {!marker_url && <p>Feature points appear here when the marker is ready.</p>}
        {marker_url && !marker && !error && <p>Loading the marker…</p>}
        {marker && keyframe && (
          <>
            <div class="stage-legend">
              {pointsShown && (
                <>
                  <span class="legend maxima">{keyframe.maxima} maxima</span>
                  <span class="legend minima">{keyframe.minima} minima</span>
                </>
              )}
              {map && mapShown && <HeatLegend />}
              <span class="stage-switches">
                {map && <Switch label="Map" on={mapShown} onChange={setMapShown} />}
                <Switch label="Points" on={pointsShown} onChange={setPointsShown} />
              </span>
            </div>
            <KeyframeChart keyframes={marker.keyframes} chosen={chosen} onChoose={setChosen} />
          </>
        )}
      </figcaption>
    </figure>
  );
}

function PointsCanvas({ marker, keyframe }: { marker: OpenMarker; keyframe: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => marker.attach(canvas.current!), [marker]);
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() => {
      const density = devicePixelRatio;
      const width = Math.round(element.clientWidth * density);
      const height = Math.round(element.clientHeight * density);
      marker.draw({ keyframe, width, height, density, colours: colours() });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [marker, keyframe]);
  return <canvas ref={canvas} class="stage-points" />;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return { maxima: style.getPropertyValue("--maxima"), minima: style.getPropertyValue("--minima") };
}

/** A bar chart of the points per keyframe. Its bars are radio buttons. */
function KeyframeChart(props: {
  keyframes: readonly KeyframeSummary[];
  chosen: number;
  onChoose: (index: number) => void;
}) {
  const counts = props.keyframes.map(({ maxima, minima }) => maxima + minima);
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
              <span class="bar-minima" style={{ height: `${(100 * keyframe.minima) / most}%` }} />
              <span class="bar-maxima" style={{ height: `${(100 * keyframe.maxima) / most}%` }} />
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
