import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { type OpenMarker, openMarker } from "../../marker/open.ts";
import type { KeyframeSummary } from "../../marker/protocol.ts";
import { t } from "../language.ts";

interface ReadMarker {
  readonly url: string;
  readonly open: OpenMarker;
  readonly keyframes: readonly KeyframeSummary[];
}

/** The feature points of a keyframe on the photo, and a chart to choose the keyframe. Loads the marker. */
export function KeyframesPanel({ content, url }: { content: ArContent; url: string }) {
  const [marker, setMarker] = useState<ReadMarker | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    setMarker(null);
    setError(null);
    let closed = false;
    const open = openMarker(url);
    open.keyframes.then(
      (keyframes) => {
        if (closed) return;
        setMarker({ url, open, keyframes });
        setChosen((index) => Math.min(index, keyframes.length - 1));
      },
      (reason) => !closed && setError(reason.message),
    );
    return () => {
      closed = true;
      open.close();
    };
  }, [url]);

  const keyframe = marker?.keyframes[chosen];
  return (
    <figure class="stage">
      <div class="stage-photo" style={{ aspectRatio: `${content.image_width} / ${content.image_height}` }}>
        <img src={content.image_url} alt="" decoding="async" />
        {marker && <PointsCanvas key={marker.url} marker={marker.open} keyframe={chosen} />}
      </div>
      <figcaption class="stage-caption">
        {error && <p class="stage-error">{error}</p>}
        {!marker && !error && <p>{t.photo.keyframes.loading}</p>}
        {marker && keyframe && (
          <>
            <div class="stage-legend">
              <span class="legend maxima">{t.photo.keyframes.maxima(keyframe.maxima)}</span>
              <span class="legend minima">{t.photo.keyframes.minima(keyframe.minima)}</span>
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
  const textOf = (index: number) => {
    const { width, height } = props.keyframes[index];
    return t.photo.keyframes.sizeAndPoints(t.photo.dimensions(width, height), counts[index]);
  };
  return (
    <fieldset class="chart">
      <legend>
        {t.photo.keyframes.chosen(props.chosen + 1, counts.length)}
        <span>{textOf(props.chosen)}</span>
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
            <span class="visually-hidden">{textOf(index)}</span>
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
