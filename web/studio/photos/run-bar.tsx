import { t } from "../language.ts";
import { count, timeLeft } from "../ui/format.ts";
import { rich } from "../ui/rich.tsx";
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
  const texts = t.photos.uploads;
  const finished = texts.finished(count(done), total);
  return (
    <section class="run-bar" aria-label={texts.heading}>
      <p role="status">
        {secondsLeft === null
          ? finished
          : rich(texts.finishedAndTimeLeft(finished, timeLeft(secondsLeft)), {
              time: (part) => <span class="run-time">{part}</span>,
            })}
      </p>
      <progress aria-label={texts.all} value={fraction} max={1} />
      <button type="button" class="button small" onClick={cancelRun}>
        {texts.cancelAll}
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
  const texts = t.photos.uploads;
  return (
    <ul class="banner bad failed-videos" aria-label={texts.videosNotAttached}>
      {failed.map(({ attachment, state }) => (
        <li key={attachment.contentId}>
          <p>
            {rich(texts.videoNotAttached, {
              video: () => attachment.name,
              photo: () => <a href={`/content/${attachment.contentId}`}>{attachment.title}</a>,
            })}{" "}
            {state.message}
          </p>
          <Alternatives attachment={attachment} state={state} />
          <button type="button" class="button small" onClick={attachment.dismiss}>
            {texts.dismiss}
          </button>
        </li>
      ))}
    </ul>
  );
}
