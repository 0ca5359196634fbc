import { useEffect } from "preact/hooks";
import type { ViewerManifest } from "../../client/client.ts";
import type { Engine } from "./engine.ts";
import { CameraIcon } from "./icons.tsx";
import { enter } from "./navigation.ts";
import { Photo } from "./photo.tsx";

/** The first page: shows the photo and the start button, and loads the player in the background. */
export function Start({ manifest, engine }: { manifest: ViewerManifest; engine: Engine | null }) {
  useEffect(() => {
    const saveData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    // The camera page retries and reports a failure.
    if (engine && !saveData) engine.player().catch(() => undefined);
  }, [engine]);

  return (
    <main class="start">
      {/* The thumbnail leaves the connection to the marker and the player. */}
      <Photo manifest={manifest} src={manifest.thumbnail_url} />
      <div class="start-text">
        <h1 dir="auto">{manifest.title}</h1>
        {manifest.description && (
          <p class="description" dir="auto">
            {manifest.description}
          </p>
        )}
        {engine ? (
          <>
            <p class="lead">
              {manifest.video_url
                ? "Point your camera at this photo to bring it to life."
                : "Point your camera at this photo."}
            </p>
            <button type="button" class="button is-large" onClick={() => enter("camera")}>
              <CameraIcon /> Start camera
            </button>
          </>
        ) : (
          <NotReady status={manifest.marker_status} />
        )}
        <button type="button" class="link-button" onClick={() => enter("plain")}>
          {manifest.video_url ? "View photo and video without the camera" : "View photo without the camera"}
        </button>
        {engine && <p class="fine-print">Camera images stay on this device.</p>}
      </div>
    </main>
  );
}

function NotReady({ status }: { status: ViewerManifest["marker_status"] }) {
  if (status === "failed") {
    return (
      <p class="state is-warn" role="status">
        This photo could not be prepared for the camera. Its owner can try again.
      </p>
    );
  }
  return (
    <p class="state" role="status">
      <span class="spinner" />
      This photo is being prepared for the camera. This page updates automatically.
    </p>
  );
}
