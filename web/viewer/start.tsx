import { useEffect, useState } from "preact/hooks";
import type { ViewerManifest } from "../../client/client.ts";
import type { Engine } from "./engine.ts";
import { CameraIcon } from "./icons.tsx";
import { t } from "./language.ts";
import { enter } from "./navigation.ts";
import { Photo } from "./photo.tsx";

/** The first page: shows the photo and the start button, and then loads the player in the background. */
export function Start({ manifest, engine }: { manifest: ViewerManifest; engine: Engine | null }) {
  const [isComplete, setComplete] = useState(manifest.thumbnail_url === null);
  useEffect(() => {
    // The thumbnail has the connection to itself.
    if (!isComplete) return;
    const saveData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    // The camera page retries and reports a failure.
    if (engine && !saveData) engine.player().catch(() => undefined);
  }, [engine, isComplete]);

  return (
    <main class="start">
      <Photo manifest={manifest} src={manifest.thumbnail_url} onSettled={() => setComplete(true)} />
      <div class="start-text">
        <h1 dir="auto">{manifest.title}</h1>
        {manifest.description && (
          <p class="description" dir="auto">
            {manifest.description}
          </p>
        )}
        {engine ? (
          <>
            <p class="lead">{manifest.video_url ? t.start.leadWithVideo : t.start.lead}</p>
            <button type="button" class="button is-large" onClick={() => enter("camera")}>
              <CameraIcon /> {t.start.startCamera}
            </button>
          </>
        ) : (
          <NotReady status={manifest.marker_status} />
        )}
        <button type="button" class="link-button" onClick={() => enter("plain")}>
          {manifest.video_url ? t.start.withoutCameraWithVideo : t.start.withoutCamera}
        </button>
        {engine && <p class="fine-print">{t.start.privacy}</p>}
      </div>
    </main>
  );
}

function NotReady({ status }: { status: ViewerManifest["marker_status"] }) {
  if (status === "failed") {
    return (
      <p class="state is-warn" role="status">
        {t.start.failed}
      </p>
    );
  }
  return (
    <p class="state" role="status">
      <span class="spinner" />
      {t.start.preparing}
    </p>
  );
}
