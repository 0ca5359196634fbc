import { type Signal, signal } from "@preact/signals";
import type { ArContent } from "../../../worker/schemas.ts";
import { compileInWorker } from "../../compile/run.ts";
import { compileCapacity, createSlots } from "../../compile/slots.ts";
import * as api from "../api/client.ts";
import { messageOf } from "../api/client.ts";
import { waitUntil } from "../api/rate-limit.ts";
import { projectOf } from "../company/projects.ts";
import { contents } from "../photos/contents.ts";
import { toast } from "../ui/toasts.tsx";
import {
  compileStored,
  type Desk,
  firstProgress,
  type JobProgress,
  type Outcome,
  uploadPhoto,
} from "./job.ts";

/** A photo this tab is working on. It leaves the list when it is ready, handed over or dismissed. */
export interface Job {
  readonly key: number;
  readonly title: string;
  /** Object URL of a new photo; null for a recompilation, whose photo is stored. */
  readonly previewUrl: string | null;
  /** Set once the original is stored. */
  readonly contentId: Signal<string | null>;
  readonly state: Signal<JobState>;
  cancel(): void;
  /** Starts over; only after `put_off`. */
  retry(): void;
  dismiss(): void;
}

export type JobState =
  | { readonly kind: "running"; readonly progress: JobProgress }
  | { readonly kind: "cancelling" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "put_off"; readonly message: string };

const sending = createSlots(3);
const compiling = createSlots(compileCapacity(navigator.hardwareConcurrency));

/** New photos go to the project that was looked at when they were added. */
const deskOf = (projectId: string): Desk => ({
  api: {
    ...api,
    submitPhoto: (photo, title, onSent, signal) => api.submitPhoto(photo, title, projectId, onSent, signal),
  },
  maxFeatures: projectOf(projectId)?.max_features ?? null,
  compile: compileInWorker,
  sending,
  compiling,
  pause: (repetition) => new Promise((resume) => setTimeout(resume, 1_000 * 2 ** repetition)),
  until: waitUntil,
});

export const jobs = signal<readonly Job[]>([]);

let lastKey = 0;

/** Uploads photos and compiles them here; each becomes a job. */
export function addPhotos(photos: Iterable<{ readonly photo: File; readonly title: string }>): void {
  const desk = deskOf(contents.filter.value.project);
  for (const { photo, title } of photos) {
    start(title, URL.createObjectURL(photo), (watch, stop) => uploadPhoto(photo, title, desk, watch, stop));
  }
}

/** Compiles a stored photo again in this tab. */
export function addRecompilation(content: ArContent, maxFeatures: number | null): void {
  compileHere(content, maxFeatures, () => api.recompile(content.id, "browser", maxFeatures));
}

/** Does in this tab what waits for the server's compiler. */
export function addTakeOver(content: ArContent): void {
  compileHere(content, content.max_features, async () => {
    const lease = await api.takeLease(content.id);
    return { content: await api.getContent(content.id), lease, reused: false };
  });
}

function compileHere(
  content: ArContent,
  maxFeatures: number | null,
  take: Parameters<typeof compileStored>[2],
): void {
  const work: Work = (watch, stop) =>
    compileStored(content, maxFeatures, take, deskOf(content.project_id), watch, stop);
  start(content.title, null, work, content.id);
}

/** The job that works on this content, if this tab has one. */
export function jobOf(contentId: string): Job | undefined {
  return jobs.value.find((job) => job.contentId.value === contentId);
}

/** True while an original has not left completely: closing the tab would lose that photo. */
export function isSending(): boolean {
  return jobs.value.some(
    ({ contentId, state: { value } }) =>
      contentId.value === null && (value.kind === "running" || value.kind === "put_off"),
  );
}

type Work = (watch: JobWatch, stop: AbortSignal) => Promise<Outcome>;

interface JobWatch {
  onProgress(progress: JobProgress): void;
  onStored(content: ArContent): void;
}

function start(title: string, previewUrl: string | null, work: Work, knownId: string | null = null): void {
  const contentId = signal<string | null>(knownId);
  const begun: JobState = { kind: "running", progress: firstProgress(previewUrl ? 0 : null) };
  const state = signal<JobState>(begun);
  let controller = new AbortController();

  const leave = () => {
    jobs.value = jobs.value.filter((other) => other !== job);
    if (previewUrl) URL.revokeObjectURL(previewUrl);
  };
  const watch: JobWatch = {
    onProgress(progress) {
      if (state.value.kind === "running") state.value = { kind: "running", progress };
    },
    onStored(content) {
      contentId.value = content.id;
      contents.put(content);
    },
  };
  const run = async () => {
    try {
      conclude(await work(watch, controller.signal));
    } catch (error) {
      state.value = { kind: "put_off", message: messageOf(error) };
    }
  };
  const conclude = (outcome: Outcome) => {
    switch (outcome.kind) {
      case "ready":
        contents.put(outcome.content);
        if (outcome.reused) toast(`“${title}” was compiled before; its marker is used again.`);
        return leave();
      case "handed_over":
        contents.put(outcome.content);
        toast(`“${title}”: ${outcome.reason}`);
        return leave();
      case "cancelled":
        if (contentId.value && !knownId) contents.remove(contentId.value);
        return leave();
      case "refused":
        if (contentId.value && !knownId) contents.remove(contentId.value);
        state.value = outcome;
        return;
      case "put_off":
        state.value = outcome;
        return;
    }
  };

  const job: Job = {
    key: (lastKey += 1),
    title,
    previewUrl,
    contentId,
    state,
    cancel() {
      state.value = { kind: "cancelling" };
      controller.abort();
    },
    retry() {
      controller = new AbortController();
      state.value = begun;
      void run();
    },
    dismiss: leave,
  };
  jobs.value = [job, ...jobs.value];
  void run();
}
