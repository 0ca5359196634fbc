import { useEffect } from "preact/hooks";
import type { Engine } from "./engine.ts";
import { CameraIcon } from "./icons.tsx";
import type { ViewerManifest } from "./manifest.ts";
import { enter } from "./navigation.ts";
import { Photo } from "./photo.tsx";

/** The first page: the photo to look for and one button. What the camera page needs downloads meanwhile. */
export function Start({ manifest, engine }: { manifest: ViewerManifest; engine: Engine | null }) {
  useEffect(() => {
    const saveData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    // A failure is told when the camera page asks again.
    if (engine && !saveData) engine.downloaded().catch(() => undefined);
  }, [engine]);

  return (
    <main class="start">
      <Photo manifest={manifest} />
      <div class="start-text">
        <h1>{manifest.title}</h1>
        {manifest.description && <p class="description">{manifest.description}</p>}
        {engine ? (
          <>
            <p class="lead">
              {manifest.video_url
                ? "Point your camera at this picture and it comes to life."
                : "Point your camera at this picture."}
            </p>
            <button type="button" class="button is-large" onClick={() => enter("camera")}>
              <CameraIcon /> Start the camera
            </button>
          </>
        ) : (
          <Unready status={manifest.marker_status} />
        )}
        <button type="button" class="link-button" onClick={() => enter("plain")}>
          {manifest.video_url ? "See photo and video without the camera" : "See the photo without the camera"}
        </button>
        {engine && <p class="fine-print">The camera's picture stays on this device.</p>}
      </div>
    </main>
  );
}

function Unready({ status }: { status: ViewerManifest["marker_status"] }) {
  if (status === "failed") {
    return (
      <p class="state is-warn" role="status">
        This picture could not be prepared for the camera. Its owner can try again.
      </p>
    );
  }
  return (
    <p class="state" role="status">
      <span class="spinner" />
      This picture is being prepared for the camera. It will be ready in a moment; this page waits for it.
    </p>
  );
}
