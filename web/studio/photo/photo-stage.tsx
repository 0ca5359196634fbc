import { useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { t } from "../language.ts";
import { Switch } from "../ui/switch.tsx";
import { HeatLegend, HeatMap } from "./heat-map.tsx";

/** The photo, with the map of its detail on request. */
export function PhotoStage({ content }: { content: ArContent }) {
  const [mapShown, setMapShown] = useState(false);
  const { image_width, image_height, image_url, picture_url, title } = content;
  const map = content.marker_metadata?.quality?.map;
  // A photo that replaced another is shown at once; the picture is of the old one until the new marker is ready.
  const picture = content.marker_status === "ready" ? picture_url : null;
  return (
    <figure class="stage">
      <div class="stage-photo" style={{ aspectRatio: `${image_width} / ${image_height}` }}>
        <img src={picture ?? image_url} alt={title} decoding="async" />
        {map && mapShown && <HeatMap map={map} />}
      </div>
      {map && (
        <figcaption class="stage-caption">
          <div class="stage-legend">
            {mapShown && <HeatLegend />}
            <span class="stage-switches">
              <Switch label={t.photo.detailMap} on={mapShown} onChange={setMapShown} />
            </span>
          </div>
        </figcaption>
      )}
    </figure>
  );
}
