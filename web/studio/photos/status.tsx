import type { ArContent, CompileTask, MarkerStatus } from "../../../client/client.ts";
import { compileProgressView, type ProgressView } from "../upload/progress.ts";

export const STATUS_LABELS: Record<MarkerStatus, string> = {
  pending: "Waiting",
  processing: "Compiling",
  ready: "Ready",
  failed: "Failed",
};

export function StatusBadge({ status }: { status: MarkerStatus | CompileTask["state"] }) {
  const words = status === "superseded" ? "Superseded" : STATUS_LABELS[status];
  return <span class={`badge ${status}`}>{words}</span>;
}

/** Returns the progress of a compilation that runs elsewhere; null if none runs. */
export function contentProgressView({ marker_status, progress, executor }: ArContent): ProgressView | null {
  if (marker_status !== "processing") return null;
  if (progress) return compileProgressView(progress);
  const label = executor === "browser" ? "Waiting for the browser" : "Waiting for the server";
  return { label, fraction: 0 };
}

export function ProgressBar({ view, label }: { view: ProgressView; label: string }) {
  const percent = Math.round(view.fraction * 100);
  return (
    <div class="progress">
      <div
        class="progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${view.label}, ${percent}%`}
      >
        <div class="progress-fill" style={{ transform: `scaleX(${view.fraction})` }} />
      </div>
      <p class="progress-text">
        <span>{view.label}</span>
        <span class="progress-percent">{percent}%</span>
      </p>
    </div>
  );
}
