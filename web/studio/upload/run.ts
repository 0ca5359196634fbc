import { computed, effect, signal } from "@preact/signals";
import { type Attachment, attachments, doneOf } from "../video/attachments.ts";
import { type Job, jobs } from "./jobs.ts";
import { jobProgressView, type RunProgress, runProgress } from "./progress.ts";

/** The photos and videos that are uploaded together: from the first one until nothing is left to do. */

/** Everything that was added to the run. */
const members = signal<ReadonlySet<Job | Attachment>>(new Set());
let startedAt = 0;

const uploads = computed(() => jobs.value.filter(({ previewUrl }) => previewUrl !== null));

/** What is not finished, with the fraction of it that is; null: it failed. */
const unfinished = computed(
  () =>
    new Map<Job | Attachment, number | null>([
      ...uploads.value.map((job) => [job, fractionOf(job)] as const),
      ...attachments.value.map((attachment) => [attachment, doneOf(attachment)] as const),
    ]),
);

function fractionOf({ state: { value } }: Job): number | null {
  if (value.kind === "running") return jobProgressView(value.progress).fraction;
  return value.kind === "cancelling" ? 0 : null;
}

effect(() => {
  const before = members.peek();
  const isRunning = [...unfinished.value.values()].some((fraction) => fraction !== null);
  if (!isRunning) {
    if (before.size > 0) members.value = new Set();
    return;
  }
  // A failed upload of an earlier run belongs to this one when it is retried.
  const added = Array.from(unfinished.value).filter(
    ([work, fraction]) => fraction !== null && !before.has(work),
  );
  if (added.length === 0) return;
  if (before.size === 0) startedAt = performance.now();
  members.value = new Set([...before, ...added.map(([work]) => work)]);
});

/** The progress of the run; null while nothing runs. */
export const run = computed<RunProgress | null>(() => {
  if (members.value.size === 0) return null;
  const fractions = Array.from(members.value, (work) => unfinished.value.get(work))
    // Work that has left the list is finished, and failed work is not tried again by itself.
    .map((fraction) => fraction ?? 1);
  return runProgress(fractions, (performance.now() - startedAt) / 1_000);
});

/** Cancels all uploads. Photos that are added already stay. */
export function cancelRun(): void {
  for (const job of uploads.value) if (job.state.value.kind === "running") job.cancel();
  for (const attachment of attachments.value) attachment.dismiss();
}
