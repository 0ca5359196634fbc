import { type Signal, signal } from "@preact/signals";
import type { ArContent, Lease } from "../../../client/client.ts";
import { compileInWorker } from "../../compile/run.ts";
import { compileCapacity, createSlots } from "../../compile/slots.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { waitUntil } from "../api/rate-limit.ts";
import { projectOf } from "../company/projects.ts";
import { t } from "../language.ts";
import { contents } from "../photos/contents.ts";
import { toast } from "../ui/toasts.tsx";
import { type Attachment, attachments, attachVideo, inTurn } from "../video/attachments.ts";
import {
  compileStored,
  firstProgress,
  type JobContext,
  type JobDependencies,
  type JobProgress,
  type Outcome,
  replacePhoto,
  type StoredPhoto,
  uploadPhoto,
} from "./job.ts";

/** A photo that this tab works on. It leaves the list when it is ready, handed over or dismissed. */
export interface Job {
  readonly key: number;
  readonly title: string;
  /** Object URL of a new photo; null for a recompilation, whose photo is stored. */
  readonly previewUrl: string | null;
  /** Set once the original is stored. */
  readonly contentId: Signal<string | null>;
  readonly state: Signal<JobState>;
  cancel(): void;
  /** Starts again; only after `retryable`. */
  retry(): void;
  dismiss(): void;
}

type JobState =
  | { readonly kind: "running"; readonly progress: JobProgress }
  | { readonly kind: "cancelling" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "retryable"; readonly message: string };

const sending = createSlots(3);
const compiling = createSlots(compileCapacity(navigator.hardwareConcurrency));

/** @param projectId where new photos go; empty: the default project */
const dependenciesFor = (projectId: string): JobDependencies => ({
  api: { ...api, submitPhoto: (photo) => api.submitPhoto({ ...photo, projectId }) },
  maxFeatures: projectOf(projectId)?.max_features ?? null,
  compile: compileInWorker,
  sending,
  compiling,
  pause: (retry) => new Promise((resume) => setTimeout(resume, 1_000 * 2 ** retry)),
  until: waitUntil,
});

export const jobs = signal<readonly Job[]>([]);

/** The leases that this tab holds, by the id of the content. */
const leases = new Map<string, Lease>();

/** In the tab's session: the photos that it was compiling when it was left. */
const UNFINISHED_KEY = "vivimark-unfinished-photos";

addEventListener("pagehide", () => {
  sessionStorage.setItem(UNFINISHED_KEY, JSON.stringify([...leases.keys()]));
  // The server's compiler need not wait until they expire.
  for (const [id, lease] of leases) api.releaseOnLeave(id, lease);
});

/** Goes on with the photos that this tab was compiling before it was reloaded, unless the server has begun. */
export async function resumeUnfinished(): Promise<void> {
  const ids: string[] = JSON.parse(sessionStorage.getItem(UNFINISHED_KEY) ?? "[]");
  sessionStorage.removeItem(UNFINISHED_KEY);
  for (const id of ids) {
    const lease = await api.takeLease(id).catch(() => null);
    if (!lease) continue;
    const content = await api.getContent(id);
    const take = async () => ({ content, lease, reused: false });
    compileHere({ content, maxFeatures: content.max_features, take });
  }
}

let lastKey = 0;

/** A photo to upload, and the video that is attached to it then. */
export interface NewPhoto extends Pick<api.PhotoUpload, "photo" | "details"> {
  readonly video: File | null;
}

/** Uploads photos to the project that is shown, and compiles them here. Each becomes a job. */
export function addPhotos(photos: readonly NewPhoto[]): void {
  const deps = dependenciesFor(contents.filter.value.project);
  for (const { photo, details, video } of photos) {
    const work: Work = async (events) => {
      const outcome = await uploadPhoto({ photo, details }, { ...events, deps });
      const isStored = outcome.kind === "ready" || outcome.kind === "handed_over";
      if (isStored && video) attachVideo(outcome.content, video, { turns: inTurn });
      return outcome;
    };
    start(details.title, URL.createObjectURL(photo), work);
  }
}

/** Compiles a stored photo again in this tab. */
export function addRecompilation(content: ArContent, maxFeatures: number | null): void {
  const take = () => api.recompile(content.id, "browser", maxFeatures);
  compileHere({ content, maxFeatures, take });
}

/** Replaces the photo of a content, and compiles the new one in this tab. */
export function addReplacement({ id, title, project_id, max_features }: ArContent, photo: File): void {
  const deps = dependenciesFor(project_id);
  const send = (progress: Parameters<typeof api.replaceImage>[2]) => api.replaceImage(id, photo, progress);
  const work: Work = (events) =>
    replacePhoto(photo, { maxFeatures: max_features, send }, { ...events, deps });
  start(title, null, work, id);
}

/** Compiles a photo in this tab that waits for the server's compiler. */
export function addTakeOver(content: ArContent): void {
  const take = async () => {
    const lease = await api.takeLease(content.id);
    return { content: await api.getContent(content.id), lease, reused: false };
  };
  compileHere({ content, maxFeatures: content.max_features, take });
}

function compileHere(photo: StoredPhoto): void {
  const { id, title, project_id } = photo.content;
  const deps = dependenciesFor(project_id);
  start(title, null, (events) => compileStored(photo, { ...events, deps }), id);
}

/** Returns this tab's job for a content. */
export function jobOf(contentId: string): Job | undefined {
  return jobs.value.find((job) => job.contentId.value === contentId);
}

/** Returns true while closing the tab would lose a photo or a video that is not stored yet. */
export function isSending(): boolean {
  // A transfer can be continued, and warns by itself.
  const isLost = ({ state: { value } }: Attachment) =>
    value.kind !== "failed" && value.kind !== "transferring";
  if (attachments.value.some(isLost)) return true;
  return jobs.value.some(
    ({ contentId, state: { value } }) =>
      contentId.value === null && (value.kind === "running" || value.kind === "retryable"),
  );
}

type Work = (events: Omit<JobContext, "deps">) => Promise<Outcome>;

function start(title: string, previewUrl: string | null, work: Work, knownId: string | null = null): void {
  const contentId = signal<string | null>(knownId);
  const begun: JobState = { kind: "running", progress: firstProgress(previewUrl ? 0 : null) };
  const state = signal<JobState>(begun);
  let controller = new AbortController();

  const leave = () => {
    jobs.value = jobs.value.filter((other) => other !== job);
    if (previewUrl) URL.revokeObjectURL(previewUrl);
  };
  const onProgress = (progress: JobProgress) => {
    if (state.value.kind === "running") state.value = { kind: "running", progress };
  };
  const onLease = (lease: Lease | null) => {
    const id = contentId.value;
    if (id === null) return;
    if (lease) leases.set(id, lease);
    else leases.delete(id);
  };
  const onStored = (content: ArContent) => {
    contentId.value = content.id;
    contents.put(content);
  };
  const run = async () => {
    try {
      conclude(await work({ onProgress, onStored, onLease, signal: controller.signal }));
    } catch (error) {
      state.value = { kind: "retryable", message: messageOf(error) };
    }
  };
  const conclude = (outcome: Outcome) => {
    switch (outcome.kind) {
      case "ready":
        contents.put(outcome.content);
        if (outcome.reused) toast(t.upload.reused(title));
        return leave();
      case "handed_over":
        contents.put(outcome.content);
        toast(t.upload.handedOver(title, outcome.reason));
        return leave();
      case "cancelled":
        if (contentId.value && !knownId) contents.remove(contentId.value);
        return leave();
      case "refused":
        if (contentId.value && !knownId) contents.remove(contentId.value);
        state.value = outcome;
        return;
      case "retryable":
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
