import { useEffect, useMemo, useState } from "preact/hooks";
import type { ViewerManifest } from "../../client/client.ts";
import { createEngine } from "./engine.ts";
import { t } from "./language.ts";
import { Live } from "./live.tsx";
import { loadManifest, type ManifestResult } from "./manifest.ts";
import { isDebug, view } from "./navigation.ts";
import { Notice } from "./notice.tsx";
import { Plain } from "./plain.tsx";
import { Start } from "./start.tsx";

/** Pause between polls for a marker in progress. It grows by half after each poll, from `first` to `last`. */
const POLL_MILLISECONDS = { first: 2000, last: 15_000 };

/** The viewer page of one photo, whose manifest is loading. */
export function Viewer({ uniqueId, first }: { uniqueId: string; first: Promise<ManifestResult> }) {
  const [result, setResult] = useState<ManifestResult | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let unmounted = false;
    let isFirst = attempt === 0;
    let wait = POLL_MILLISECONDS.first;
    async function poll(shown: ViewerManifest | null): Promise<void> {
      const next = await (isFirst ? first : loadManifest(uniqueId));
      isFirst = false;
      if (unmounted) return;
      // A failed poll keeps the current page.
      const hasFailed = next.kind === "unreachable" || next.kind === "limited";
      if (!hasFailed || !shown) setResult(next);
      if (next.kind === "limited") {
        timer = setTimeout(() => poll(shown), next.seconds * 1000);
        return;
      }
      const manifest = next.kind === "found" ? next.manifest : shown;
      if (next.kind === "unknown" || !manifest || !isInProgress(manifest)) return;
      timer = setTimeout(() => poll(manifest), wait);
      wait = Math.min(wait * 1.5, POLL_MILLISECONDS.last);
    }
    poll(null);
    return () => {
      unmounted = true;
      clearTimeout(timer);
    };
  }, [uniqueId, attempt]);

  const manifest = result?.kind === "found" ? result.manifest : null;
  const markerUrl = manifest?.marker_status === "ready" ? manifest.marker_url : null;
  const engine = useMemo(() => (markerUrl ? createEngine(markerUrl, isDebug) : null), [markerUrl]);

  useEffect(() => {
    if (manifest) document.title = `${manifest.title} · Vivimark`;
  }, [manifest]);

  if (!result) {
    return (
      <main class="notice" aria-busy="true">
        <span class="spinner is-large" role="status" aria-label={t.loading} />
      </main>
    );
  }
  if (result.kind === "unknown") {
    return (
      <Notice title={t.notFound.title}>
        <p>{t.notFound.advice}</p>
      </Notice>
    );
  }
  if (result.kind === "limited") {
    return (
      <Notice title={t.limited.title}>
        <p>{t.limited.advice}</p>
        <span class="spinner is-large" role="status" aria-label={t.waiting} />
      </Notice>
    );
  }
  if (result.kind === "unreachable") {
    return (
      <Notice title={t.unreachable.title} tone="warn">
        <p>{t.unreachable.advice}</p>
        <div class="actions">
          <button
            type="button"
            class="button"
            onClick={() => {
              setResult(null);
              setAttempt(attempt + 1);
            }}
          >
            {t.tryAgain}
          </button>
        </div>
      </Notice>
    );
  }
  const found = result.manifest;
  if (view.value === "plain") return <Plain manifest={found} canTrack={engine !== null} />;
  if (view.value === "camera" && engine) return <Live manifest={found} engine={engine} />;
  return <Start manifest={found} engine={engine} />;
}

function isInProgress({ marker_status }: ViewerManifest): boolean {
  return marker_status === "pending" || marker_status === "processing";
}
