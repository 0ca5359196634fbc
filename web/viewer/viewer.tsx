import { useEffect, useMemo, useState } from "preact/hooks";
import { createEngine } from "./engine.ts";
import { Live } from "./live.tsx";
import { loadManifest, type ManifestAnswer, type ViewerManifest } from "./manifest.ts";
import { view } from "./navigation.ts";
import { Notice } from "./notice.tsx";
import { Plain } from "./plain.tsx";
import { MANY_ASK } from "./refusals.ts";
import { Start } from "./start.tsx";

/** How often a page asks for a marker that is being made; each time half as long again, up to the last. */
const POLL_MILLISECONDS = { first: 2000, last: 15_000 };

/** The whole page of one content. */
export function Viewer({ uniqueId }: { uniqueId: string }) {
  const [answer, setAnswer] = useState<ManifestAnswer | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    let wait = POLL_MILLISECONDS.first;
    async function ask(shown: ViewerManifest | null): Promise<void> {
      const next = await loadManifest(uniqueId);
      if (left) return;
      // A poll that fails leaves on the page what is there.
      const hasFailed = next.kind === "unreachable" || next.kind === "limited";
      if (!hasFailed || !shown) setAnswer(next);
      if (next.kind === "limited") {
        timer = setTimeout(() => ask(shown), next.seconds * 1000);
        return;
      }
      const manifest = next.kind === "found" ? next.manifest : shown;
      if (next.kind === "unknown" || !manifest || !isBeingMade(manifest)) return;
      timer = setTimeout(() => ask(manifest), wait);
      wait = Math.min(wait * 1.5, POLL_MILLISECONDS.last);
    }
    ask(null);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [uniqueId, attempt]);

  const manifest = answer?.kind === "found" ? answer.manifest : null;
  const markerUrl = manifest?.marker_status === "ready" ? manifest.marker_url : null;
  const engine = useMemo(() => (markerUrl ? createEngine(markerUrl) : null), [markerUrl]);

  useEffect(() => {
    if (manifest) document.title = `${manifest.title} · Vivimark`;
  }, [manifest]);

  if (!answer) {
    return (
      <main class="notice" aria-busy="true">
        <span class="spinner is-large" role="status" aria-label="Loading" />
      </main>
    );
  }
  if (answer.kind === "unknown") {
    return (
      <Notice title="There is no picture here">
        <p>It may have been removed, or the address is not complete. Scan the code once more.</p>
      </Notice>
    );
  }
  if (answer.kind === "limited") {
    return (
      <Notice title="One moment, please">
        <p>{MANY_ASK} The picture comes by itself, within a minute.</p>
        <span class="spinner is-large" role="status" aria-label="Waiting" />
      </Notice>
    );
  }
  if (answer.kind === "unreachable") {
    return (
      <Notice title="The picture cannot be loaded" tone="warn">
        <p>Check your connection and try again.</p>
        <div class="actions">
          <button
            type="button"
            class="button"
            onClick={() => {
              setAnswer(null);
              setAttempt(attempt + 1);
            }}
          >
            Try again
          </button>
        </div>
      </Notice>
    );
  }
  const found = answer.manifest;
  if (view.value === "plain") return <Plain manifest={found} canTrack={engine !== null} />;
  if (view.value === "camera" && engine) return <Live manifest={found} engine={engine} />;
  return <Start manifest={found} engine={engine} />;
}

function isBeingMade({ marker_status }: ViewerManifest): boolean {
  return marker_status === "pending" || marker_status === "processing";
}
