import type { CompileTask } from "../../../client/client.ts";
import { t } from "../language.ts";
import { StatusBadge } from "../photos/status.tsx";
import { dateTime, duration } from "../ui/format.ts";

/** All compilations of a photo, newest first. */
export function HistoryPanel({ tasks }: { tasks: readonly CompileTask[] }) {
  return (
    <section class="history" aria-labelledby="history-title">
      <h3 id="history-title">{t.photo.history.title}</h3>
      <ol class="timeline">
        {tasks.map((task) => (
          <li key={task.task_id} class={`timeline-item ${task.state}`}>
            <p class="timeline-head">
              <StatusBadge status={task.state} />
              <span>{where(task)}</span>
            </p>
            <p class="timeline-when">{when(task)}</p>
            {task.error_message && <p class="timeline-error">{task.error_message}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function where({ executor, attempts, state }: CompileTask): string {
  if (!executor) return state === "ready" ? t.photo.history.reused : t.photo.history.notStarted;
  const place = t.photo.executors[executor];
  return attempts > 1 ? t.photo.history.attempt(place, attempts) : place;
}

function when({ created_at, started_at, finished_at }: CompileTask): string {
  if (!finished_at) return t.photo.history.requested(dateTime(created_at));
  const milliseconds = Date.parse(finished_at) - Date.parse(started_at ?? created_at);
  return t.photo.history.finished(dateTime(created_at), duration(milliseconds));
}
