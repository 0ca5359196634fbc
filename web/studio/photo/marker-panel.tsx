import { useState } from "preact/hooks";
import type { ArContent, CompileTask } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { contentProgressView, ProgressBar } from "../photos/status.tsx";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
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
        <h2 id="marker-title">Marker</h2>
        {!job && may("content:submit") && (
          <button type="button" class="button small" onClick={() => setAsking(true)}>
            <IconRetry />
            Retry compilation
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
        <ProgressBar view={jobProgressView(state.progress)} label="Compiling in this browser" />
        <div class="situation-foot">
          <p class="hint">If you close this tab, the server takes over.</p>
          <button type="button" class="button small" onClick={job.cancel}>
            Cancel compilation
          </button>
        </div>
      </div>
    );
  }
  if (state.kind === "cancelling") return <p class="hint">Canceling…</p>;
  return (
    <div class="situation bad" role="alert">
      <p>{state.message}</p>
      <div class="situation-foot">
        {state.kind === "retryable" && (
          <button type="button" class="button small primary" onClick={job.retry}>
            Retry compilation
          </button>
        )}
        <button type="button" class="button small" onClick={job.dismiss}>
          Dismiss
        </button>
      </div>
    </div>
  );
}

function Situation({ content, task }: Props) {
  if (content.marker_status === "failed") {
    return (
      <div class="situation bad">
        <p>{content.error_message ?? "The marker could not be compiled."}</p>
      </div>
    );
  }
  const view = contentProgressView(content);
  return (
    <div class="situation">
      {view && <ProgressBar view={view} label="Compiling" />}
      {task && <p class="hint">{expectation(content, task)}</p>}
      {content.marker_status === "pending" && may("content:submit") && (
        <button type="button" class="button small start" onClick={() => addTakeOver(content)}>
          Compile in this browser
        </button>
      )}
    </div>
  );
}

/** Returns what happens next, for a marker that is compiled elsewhere. */
function expectation({ marker_status }: ArContent, task: CompileTask): string {
  if (marker_status === "pending") {
    const last = task.error_message ? `${task.error_message} ` : "";
    if (!task.next_attempt_at) return `${last}Waiting for the server.`;
    return `${last}The next attempt is at ${time(task.next_attempt_at)}.`;
  }
  if (task.executor === "browser") {
    const until = task.lease_expires_at ? ` at ${time(task.lease_expires_at)}` : " soon";
    return `A browser tab is compiling the marker. If the tab stops responding, the server takes over${until}.`;
  }
  return "The server is compiling the marker.";
}

function time(iso: string): string {
  return new Date(iso).toLocaleTimeString("en", { hour: "numeric", minute: "2-digit", second: "2-digit" });
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
    toast(
      submission.reused
        ? "This marker was already compiled and was reused."
        : "The server will recompile the marker.",
    );
    onClose();
  };
  return (
    <Dialog title="Recompile marker" error={error} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          void run(() => start(form));
        }}
      >
        <fieldset class="choices">
          <legend>Where</legend>
          <label class="choice">
            <input type="radio" name="where" value="browser" checked />
            <span>
              <strong>In this browser</strong>
              Starts at once. Keep the tab open.
            </span>
          </label>
          <label class="choice">
            <input type="radio" name="where" value="server" />
            <span>
              <strong>On the server</strong>
              Queued. You can close the tab.
            </span>
          </label>
        </fieldset>
        <label class="field">
          <span>Feature points per keyframe</span>
          <input
            name="max_features"
            type="number"
            inputMode="numeric"
            min={20}
            max={5000}
            placeholder="All"
            defaultValue={content.max_features?.toString() ?? ""}
          />
          <small>Fewer points make a smaller file that loads faster, but the photo is harder to find.</small>
        </label>
        <DialogActions submit="Recompile marker" isRunning={isRunning} onClose={onClose} />
      </form>
    </Dialog>
  );
}
