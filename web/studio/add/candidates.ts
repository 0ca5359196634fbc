import { computed, type Signal, signal } from "@preact/signals";
import { CompileError } from "../../../compiler/types.ts";
import { compileCapacity, createSlots } from "../../compile/slots.ts";
import { type Edit, type Size, untouched } from "../../edit/geometry.ts";
import { scorePhoto, type Verdict } from "../../edit/open.ts";
import type { MadeFile } from "../../edit/protocol.ts";
import type { PhotoDetails } from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { titleOf } from "../ui/format.ts";
import { toast } from "../ui/toasts.tsx";
import { addPhotos } from "../upload/jobs.ts";
import { baseName, isTable, isVideo, pairByName } from "./pairs.ts";
import { type ReadablePhoto, readPhoto } from "./read-photo.ts";
import { type Details, decodeTable, readTable } from "./table.ts";

/** A photo that was chosen but is not uploaded yet. */
export interface Candidate {
  readonly key: number;
  readonly details: Signal<PhotoDetails>;
  /** The video that is attached after the upload; null: none. */
  readonly video: Signal<File | null>;
  readonly original: File;
  /** Object URL of the original. */
  readonly originalUrl: string;
  /** The upright size of the original; null if the file cannot be used. */
  readonly size: Size | null;
  readonly draft: Signal<Draft>;
  readonly state: Signal<CandidateState>;
}

/** The version of a photo that will be uploaded. */
interface Draft {
  /** The original or a crop of it. */
  readonly photo: File;
  /** Object URL of the photo. */
  readonly url: string;
  /** The crop, from which the editor continues. */
  readonly edit: Edit | null;
}

/** `unscored`: this browser could not score the photo, which may still be good. */
type CandidateState =
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "scoring" }
  | ({ readonly kind: "scored" } & Verdict)
  | { readonly kind: "unscored"; readonly message: string };

export const candidates = signal<readonly Candidate[]>([]);

/** The chosen videos that belong to no candidate. */
export const unpairedVideos = signal<readonly File[]>([]);

/** What could not be read of the chosen tables. */
export const tableProblems = signal<readonly string[]>([]);

/** The rows of the chosen tables. */
let rows: ReadonlyMap<string, Details> = new Map();

/** The candidate in the editor. */
export const edited = signal<Candidate | null>(null);

/** The candidates that can be uploaded. */
export const usable = computed(() => candidates.value.filter(({ state }) => isUsable(state.value)));

/** Whether there is a selection that would be a loss: several photos, or an edited one. */
export const isReviewed = computed(
  () => usable.value.length > 1 || candidates.value.some(({ draft }) => draft.value.edit !== null),
);

const scoring = createSlots(compileCapacity(navigator.hardwareConcurrency));
const stops = new Map<Candidate, AbortController>();
let lastKey = 0;

function isUsable(state: CandidateState): boolean {
  return state.kind !== "refused" && !(state.kind === "scored" && state.refusal !== null);
}

/**
 * Adds dropped, pasted or chosen files to the review: photos, videos that are paired with them by the names of their
 * files, and tables with their details. A single photo opens in the editor.
 */
export async function addCandidates(chosen: readonly File[]): Promise<void> {
  const tables = chosen.filter(isTable);
  const videos = chosen.filter((file) => isVideo(file));
  const files = chosen.filter((file) => !isTable(file) && !isVideo(file));
  for (const table of tables) await addTable(table);
  const added = await Promise.all(
    files.map((file) =>
      readPhoto(file).then(candidateOf, (error: unknown) => refusedCandidate(file, messageOf(error))),
    ),
  );
  candidates.value = [...candidates.value, ...added];
  if (candidates.value.length === 0) {
    toast(t.add.noPhotoChosen, "bad");
    return removeAllCandidates();
  }
  for (const { original, details } of candidates.value) {
    details.value = { ...details.value, ...rows.get(baseName(original.name)) };
  }
  pair([...unpairedVideos.value, ...videos]);
  const [first, ...others] = candidates.value;
  const isAlone = others.length === 0 && chosen.length === 1;
  if (isAlone && first.size) edited.value = first;
  else for (const candidate of added) void rescore(candidate);
}

async function addTable(file: File): Promise<void> {
  const table = readTable(decodeTable(new Uint8Array(await file.arrayBuffer())));
  rows = new Map([...rows, ...table.rows]);
  tableProblems.value = [...tableProblems.value, ...table.problems];
}

/** Gives videos to the candidates that have none and the same name. */
function pair(videos: readonly File[]): void {
  const free = candidates.value.filter(({ video, size }) => video.value === null && size !== null);
  const pairs = pairByName(
    free.map(({ original }) => original),
    videos,
  );
  for (const [at, video] of pairs) free[at].video.value = video;
  const paired = new Set(pairs.values());
  unpairedVideos.value = videos.filter((video) => !paired.has(video));
}

/** Changes the video of a candidate. The video before can be given to another one. */
export function setVideo(candidate: Candidate, video: File | null): void {
  const before = candidate.video.value;
  const others = unpairedVideos.value.filter((other) => other !== video);
  candidate.video.value = video;
  unpairedVideos.value = before ? [...others, before] : others;
}

/** Removes a photo from the review. */
export function removeCandidate(candidate: Candidate): void {
  stops.get(candidate)?.abort();
  stops.delete(candidate);
  release(candidate);
  URL.revokeObjectURL(candidate.originalUrl);
  candidates.value = candidates.value.filter((other) => other !== candidate);
  setVideo(candidate, null);
  if (edited.value === candidate) edited.value = null;
}

export function removeAllCandidates(): void {
  for (const candidate of candidates.value) removeCandidate(candidate);
  unpairedVideos.value = [];
  tableProblems.value = [];
  rows = new Map();
}

/** Uploads the usable photos and closes the review. */
export function submitCandidates(): void {
  const photos = usable.value.map(({ details, draft, video }) => ({
    details: details.value,
    photo: draft.value.photo,
    video: video.value,
  }));
  removeAllCandidates();
  addPhotos(photos);
  toast(t.add.adding(photos.length));
}

/**
 * Saves the result of the editor.
 *
 * @param made the new file; null for the unchanged original
 * @param verdict its score, if it is known
 */
export function updateDraft(
  candidate: Candidate,
  edit: Edit | null,
  made: MadeFile | null,
  verdict: Verdict | null,
): void {
  const { original, originalUrl, draft, state } = candidate;
  release(candidate);
  const photo = made ? fileOf(made, original.name) : original;
  draft.value = { photo, url: made ? URL.createObjectURL(photo) : originalUrl, edit };
  if (verdict) state.value = { kind: "scored", ...verdict };
}

/** Scores the version that will be uploaded. */
export async function rescore(candidate: Candidate): Promise<void> {
  const { draft, state, size } = candidate;
  if (!size) return;
  stops.get(candidate)?.abort();
  const stop = new AbortController();
  stops.set(candidate, stop);
  if (state.value.kind !== "scored") state.value = { kind: "scoring" };
  const { photo } = draft.value;
  try {
    const info = photo === candidate.original ? size : (await readPhoto(photo)).info;
    const verdict = await scoring.run(() => scorePhoto(photo, info, stop.signal), stop.signal);
    state.value = { kind: "scored", ...verdict };
  } catch (error) {
    if (stop.signal.aborted) return;
    const kind = error instanceof CompileError ? "refused" : "unscored";
    state.value = { kind, message: messageOf(error) };
  }
}

/** Releases the memory of a crop. */
function release({ draft, originalUrl }: Candidate): void {
  if (draft.value.url !== originalUrl) URL.revokeObjectURL(draft.value.url);
}

/** Returns the edit with which the editor starts. */
export function initialEdit({ draft, size }: Candidate): Edit {
  return draft.value.edit ?? untouched(size!);
}

function candidateOf({ file, info }: ReadablePhoto): Candidate {
  return newCandidate(file, info, { kind: "scoring" });
}

function refusedCandidate(file: File, message: string): Candidate {
  return newCandidate(file, null, { kind: "refused", message });
}

function newCandidate(file: File, size: Size | null, state: CandidateState): Candidate {
  const originalUrl = URL.createObjectURL(file);
  return {
    key: (lastKey += 1),
    details: signal<PhotoDetails>({ title: titleOf(file.name) }),
    video: signal<File | null>(null),
    original: file,
    originalUrl,
    size,
    draft: signal({ photo: file, url: originalUrl, edit: null }),
    state: signal(state),
  };
}

function fileOf({ bytes, type }: MadeFile, originalName: string): File {
  const name = originalName.replace(/\.[^.]*$/, "");
  return new File([bytes], `${name}.${type === "image/png" ? "png" : "jpg"}`, { type });
}
