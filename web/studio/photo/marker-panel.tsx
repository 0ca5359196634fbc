import { useState } from "preact/hooks";
import type { ArContent, CompileTask } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { t } from "../language.ts";
import { contentProgressView, ProgressBar } from "../photos/status.tsx";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { moment } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { toast } from "../ui/toasts.tsx";
import { addRecompilation, addTakeOver, type Job } from "../upload/jobs.ts";
import { jobProgressView } from "../upload/progress.ts";

interface Props {
  content: ArContent;
  /** The newest compile task. */
  task: CompileTask | null;
  /** This tab's job for the content. */
  job: Job | undefined;
  onChange: (content: ArContent) => void;
}

/** The state of the marker, until it is ready. */
export function MarkerPanel(props: Props) {
  const { content, job } = props;
  const [asking, setAsking] = useState(false);
  if (!job && content.marker_status === "ready") return null;
  return (
    <section class="panel" aria-labelledby="marker-title">
      <div class="panel-head">
        <h2 id="marker-title">{t.photo.marker.title}</h2>
        {!job && may("content:submit") && (
          <button type="button" class="button small" onClick={() => setAsking(true)}>
            <IconRetry />
            {t.photo.marker.retry}
          </button>
        )}
      </div>
      {job ? <OwnJob job={job} /> : <Situation {...props} />}
      {asking && (
        <RecompileDialog content={content} onChange={props.onChange} onClose={() => setAsking(false)} />
      )}
    </section>
  );
}

function OwnJob({ job }: { job: Job }) {
  const state = job.state.value;
  if (state.kind === "running") {
    return (
      <div class="situation">
        <ProgressBar view={jobProgressView(state.progress)} label={t.photo.marker.compilingHere} />
        <div class="situation-foot">
          <p class="hint">{t.photo.marker.compilingHereHint}</p>
          <button type="button" class="button small" onClick={job.cancel}>
            {t.photo.marker.cancel}
          </button>
        </div>
      </div>
    );
  }
  if (state.kind === "cancelling") return <p class="hint">{t.photo.marker.canceling}</p>;
  return (
    <div class="situation bad" role="alert">
      <p>{state.message}</p>
      <div class="situation-foot">
        {state.kind === "retryable" && (
          <button type="button" class="button small primary" onClick={job.retry}>
            {t.photo.marker.retry}
          </button>
        )}
        <button type="button" class="button small" onClick={job.dismiss}>
          {t.photo.marker.dismiss}
        </button>
      </div>
    </div>
  );
}

function Situation({ content, task }: Props) {
  if (content.marker_status === "failed") {
    return (
      <div class="situation bad">
        <p>{content.error_message ?? t.photo.marker.failed}</p>
      </div>
    );
  }
  const view = contentProgressView(content);
  return (
    <div class="situation">
      {view && <ProgressBar view={view} label={t.photo.marker.compiling} />}
      {task && <p class="hint">{expectation(content, task)}</p>}
      {content.marker_status === "pending" && may("content:submit") && (
        <button type="button" class="button small start" onClick={() => addTakeOver(content)}>
          {t.photo.marker.compileHere}
        </button>
      )}
    </div>
  );
}

/** Returns what happens next, for a marker that is compiled elsewhere. */
function expectation({ marker_status }: ArContent, task: CompileTask): string {
  if (marker_status === "pending") {
    const next = task.next_attempt_at
      ? t.photo.marker.nextAttempt(time(task.next_attempt_at))
      : t.photo.marker.waiting;
    return task.error_message ? `${task.error_message} ${next}` : next;
  }
  if (task.executor === "browser") {
    return task.lease_expires_at
      ? t.photo.marker.inTabUntil(time(task.lease_expires_at))
      : t.photo.marker.inTab;
  }
  return t.photo.marker.onServer;
}

function time(iso: string): string {
  return moment(Date.parse(iso));
}

export function RecompileDialog(props: {
  content: ArContent;
  onChange: (content: ArContent) => void;
  onClose: () => void;
}) {
  const { content, onClose } = props;
  const { run, isRunning, error } = useAction();
  const start = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const maxFeatures = Number(fields.get("max_features")) || null;
    if (fields.get("where") === "browser") {
      addRecompilation(content, maxFeatures);
      return onClose();
    }
    const submission = await api.recompile(content.id, "server", maxFeatures);
    props.onChange(submission.content);
    toast(submission.reused ? t.photo.recompile.reused : t.photo.recompile.started);
    onClose();
  };
  return (
    <Dialog title={t.photo.recompile.title} error={error} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          void run(() => start(form));
        }}
      >
        <fieldset class="choices">
          <legend>{t.photo.recompile.where}</legend>
          <label class="choice">
            <input type="radio" name="where" value="browser" checked />
            <span>
              <strong>{t.photo.recompile.browser}</strong>
              {t.photo.recompile.browserHint}
            </span>
          </label>
          <label class="choice">
            <input type="radio" name="where" value="server" />
            <span>
              <strong>{t.photo.recompile.server}</strong>
              {t.photo.recompile.serverHint}
            </span>
          </label>
        </fieldset>
        <label class="field">
          <span>{t.photo.recompile.points}</span>
          <input
            name="max_features"
            type="number"
            inputMode="numeric"
            min={20}
            max={5000}
            placeholder={t.photo.recompile.allPoints}
            defaultValue={content.max_features?.toString() ?? ""}
          />
          <small>{t.photo.recompile.pointsHint}</small>
        </label>
        <DialogActions submit={t.photo.recompile.recompile} isRunning={isRunning} onClose={onClose} />
      </form>
    </Dialog>
  );
}
