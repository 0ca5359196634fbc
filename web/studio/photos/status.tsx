import type { ArContent, CompileTask, MarkerStatus } from "../../../client/client.ts";
import { compileShown, type Shown } from "../upload/progress.ts";

export const STATUS_WORDS: Record<MarkerStatus, string> = {
  pending: "Waiting",
  processing: "Compiling",
  ready: "Ready",
  failed: "Failed",
};

export function StatusBadge({ status }: { status: MarkerStatus | CompileTask["state"] }) {
  const words = status === "superseded" ? "Superseded" : STATUS_WORDS[status];
  return <span class={`badge ${status}`}>{words}</span>;
}

/** Returns the progress of a compilation that runs elsewhere; null if none runs. */
export function contentShown({ marker_status, progress, executor }: ArContent): Shown | null {
  if (marker_status !== "processing") return null;
  if (progress) return compileShown(progress);
  const words = executor === "browser" ? "Waiting for the browser" : "Waiting for the server";
  return { words, fraction: 0 };
}

export function ProgressBar({ shown, label }: { shown: Shown; label: string }) {
  const percent = Math.round(shown.fraction * 100);
  return (
    <div class="progress">
      <div
        class="progress-track"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${shown.words}, ${percent}%`}
      >
        <div class="progress-fill" style={{ transform: `scaleX(${shown.fraction})` }} />
      </div>
      <p class="progress-words">
        <span>{shown.words}</span>
        <span class="progress-percent">{percent}%</span>
      </p>
    </div>
  );
}
