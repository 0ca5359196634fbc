import type { ArContent, CompileTask, MarkerStatus } from "../../../client/client.ts";
import { t } from "../language.ts";
import { compileProgressView, type ProgressView } from "../upload/progress.ts";

export function StatusBadge({ status }: { status: MarkerStatus | CompileTask["state"] }) {
  return <span class={`badge ${status}`}>{t.photos.status[status]}</span>;
}

/** Returns the progress of a compilation that runs elsewhere; null if none runs. */
export function contentProgressView({ marker_status, progress, executor }: ArContent): ProgressView | null {
  if (marker_status !== "processing") return null;
  if (progress) return compileProgressView(progress);
  const label = executor === "browser" ? t.photos.waitingForBrowser : t.photos.waitingForServer;
  return { label, fraction: 0 };
}

export function ProgressBar({ view, label }: { view: ProgressView; label: string }) {
  const percent = Math.round(view.fraction * 100);
  const shownPercent = t.photos.percent(percent);
  return (
    <div class="progress">
      <div
        class="progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={t.photos.progressValue(view.label, shownPercent)}
      >
        <div class="progress-fill" style={{ transform: `scaleX(${view.fraction})` }} />
      </div>
      <p class="progress-text">
        <span>{view.label}</span>
        <span class="progress-percent">{shownPercent}</span>
      </p>
    </div>
  );
}
