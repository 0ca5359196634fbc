import { count, timeLeft } from "../ui/format.ts";
import { cancelRun, run } from "../upload/run.ts";
import { Alternatives } from "../video/attachment-status.tsx";
import { attachments } from "../video/attachments.ts";
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
  const failed = attachments.value.flatMap((attachment) => {
    const state = attachment.state.value;
    return state.kind === "failed" ? [{ attachment, state }] : [];
  });
  if (failed.length === 0) return null;
  return (
    <ul class="banner bad failed-videos" aria-label="Videos that are not attached">
      {failed.map(({ attachment, state }) => (
        <li key={attachment.contentId}>
          <p>
            The video “{attachment.name}” is not attached to{" "}
            <a href={`/content/${attachment.contentId}`}>{attachment.title}</a>. {state.message}
          </p>
          <Alternatives attachment={attachment} state={state} />
          <button type="button" class="button small" onClick={attachment.dismiss}>
            Dismiss
          </button>
        </li>
      ))}
    </ul>
  );
}
