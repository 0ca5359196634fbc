import { count, timeLeft } from "../ui/format.ts";
import { pairedVideos } from "../upload/paired-videos.ts";
import { cancelRun, run } from "../upload/run.ts";
import { Alternatives } from "../video/preparation.tsx";
import "./run-bar.css";

/** The progress of several uploads together, and the videos that could not be attached. */
export function RunBar() {
  return (
    <>
      <Progress />
      <FailedVideos />
    </>
  );
}

/** Hidden for a single upload, which shows its own progress. */
function Progress() {
  const progress = run.value;
  if (!progress || progress.total < 2) return null;
  const { total, done, fraction, secondsLeft } = progress;
  return (
    <section class="run-bar" aria-label="Uploads">
      <p role="status">
        {count(done)} of {count(total)} uploads finished
        {secondsLeft !== null && <span class="run-time">, {timeLeft(secondsLeft)} left</span>}
      </p>
      <progress aria-label="All uploads" value={fraction} max={1} />
      <button type="button" class="button small" onClick={cancelRun}>
        Cancel all
      </button>
    </section>
  );
}

function FailedVideos() {
  const failed = pairedVideos.value.flatMap((video) => {
    const state = video.state.value;
    return state.kind === "failed" ? [{ ...state, video }] : [];
  });
  if (failed.length === 0) return null;
  return (
    <ul class="banner bad failed-videos" aria-label="Videos that are not attached">
      {failed.map(({ video, message, isRetryable, plan }) => (
        <li key={video.contentId}>
          <p>
            The video “{video.name}” is not attached to{" "}
            <a href={`/content/${video.contentId}`}>{video.title}</a>. {message}
          </p>
          <Alternatives plan={plan} onKeep={video.keep} onDropSound={video.dropSound} />
          {isRetryable && (
            <button type="button" class="button small" onClick={video.retry}>
              Retry upload
            </button>
          )}
          <button type="button" class="button small" onClick={video.dismiss}>
            Dismiss
          </button>
        </li>
      ))}
    </ul>
  );
}
