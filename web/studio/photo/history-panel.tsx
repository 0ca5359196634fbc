import type { CompileTask } from "../../../client/client.ts";
import { StatusBadge } from "../photos/status.tsx";
import { dateTime, duration } from "../ui/format.ts";

/** All compilations of a photo, newest first. */
export function HistoryPanel({ tasks }: { tasks: readonly CompileTask[] }) {
  return (
    <section class="history" aria-labelledby="history-title">
      <h3 id="history-title">Compilation history</h3>
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
  const place = executor === "browser" ? "In a browser" : executor === "node" ? "On the server" : "";
  if (!place) return state === "ready" ? "Reused an earlier marker" : "Not started";
  return attempts > 1 ? `${place}, attempt ${attempts}` : place;
}

function when({ created_at, started_at, finished_at }: CompileTask): string {
  const requested = `Requested ${dateTime(created_at)}`;
  if (!finished_at) return requested;
  return `${requested}, finished after ${duration(Date.parse(finished_at) - Date.parse(started_at ?? created_at))}`;
}
