import { computed, type Signal, signal } from "@preact/signals";
import { type ImageInfo, inspectImage, MAX_IMAGE_BYTES } from "../../../compiler/image/inspect.ts";
import { CompileError } from "../../../compiler/types.ts";
import { compileCapacity, createSlots } from "../../compile/slots.ts";
import { type Edit, type Size, untouched } from "../../edit/geometry.ts";
import { scorePhoto, type Verdict } from "../../edit/open.ts";
import type { MadeFile } from "../../edit/protocol.ts";
import { messageOf } from "../api/errors.ts";
import { megabytes, titleOf } from "../ui/format.ts";
import { toast } from "../ui/toasts.tsx";
import { addPhotos } from "../upload/jobs.ts";

/** A photo that was chosen but is not uploaded yet. */
export interface Candidate {
  readonly key: number;
  readonly title: string;
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

/** The candidate in the editor. */
export const edited = signal<Candidate | null>(null);

/** The candidates that can be uploaded. */
export const usable = computed(() => candidates.value.filter(({ state }) => isUsable(state.value)));

const scoring = createSlots(compileCapacity(navigator.hardwareConcurrency));
const stops = new Map<Candidate, AbortController>();
let lastKey = 0;

function isUsable(state: CandidateState): boolean {
  return state.kind !== "refused" && !(state.kind === "scored" && state.refusal !== null);
}

/** Adds dropped, pasted or chosen files to the review. A single photo opens in the editor. */
export async function addCandidates(files: readonly File[]): Promise<void> {
  const headers = await Promise.all(files.map(readHeader));
  const added = files.map((file, i) => candidateOf(file, headers[i]));
  candidates.value = [...candidates.value, ...added];
  const [first, ...others] = candidates.value;
  if (others.length === 0 && first.size) edited.value = first;
  else for (const candidate of added) void rescore(candidate);
}

/** Removes a photo from the review. */
export function removeCandidate(candidate: Candidate): void {
  stops.get(candidate)?.abort();
  stops.delete(candidate);
  release(candidate);
  URL.revokeObjectURL(candidate.originalUrl);
  candidates.value = candidates.value.filter((other) => other !== candidate);
  if (edited.value === candidate) edited.value = null;
}

export function removeAllCandidates(): void {
  for (const candidate of candidates.value) removeCandidate(candidate);
}

/** Uploads the usable photos and closes the review. */
export function submitCandidates(): void {
  const photos = usable.value.map(({ title, draft }) => ({ title, photo: draft.value.photo }));
  removeAllCandidates();
  addPhotos(photos);
  toast(photos.length === 1 ? "Adding 1 photo." : `Adding ${photos.length} photos.`);
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
    const info = photo === candidate.original ? size : await readHeader(photo);
    if (typeof info === "string") throw new CompileError("not_an_image", info);
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

function candidateOf(file: File, header: ImageInfo | string): Candidate {
  const refused = typeof header === "string";
  const originalUrl = URL.createObjectURL(file);
  return {
    key: (lastKey += 1),
    title: titleOf(file.name),
    original: file,
    originalUrl,
    size: refused ? null : header,
    draft: signal({ photo: file, url: originalUrl, edit: null }),
    state: signal<CandidateState>(refused ? { kind: "refused", message: header } : { kind: "scoring" }),
  };
}

function fileOf({ bytes, type }: MadeFile, originalName: string): File {
  const name = originalName.replace(/\.[^.]*$/, "");
  return new File([bytes], `${name}.${type === "image/png" ? "png" : "jpg"}`, { type });
}

/** Returns what the file header says, or why the file cannot be used. */
async function readHeader(file: File): Promise<ImageInfo | string> {
  if (file.size > MAX_IMAGE_BYTES) {
    return `The photo is ${megabytes(file.size)}. The limit is ${megabytes(MAX_IMAGE_BYTES)}.`;
  }
  try {
    return inspectImage(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (error instanceof CompileError) return error.message;
    return "The file could not be read.";
  }
}
