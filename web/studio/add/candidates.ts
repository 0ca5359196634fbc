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

/** A photo that was chosen and is not uploaded yet. */
export interface Candidate {
  readonly key: number;
  readonly title: string;
  readonly original: File;
  /** Object URL of the original. */
  readonly originalUrl: string;
  /** Upright size of the original; null when the file cannot be used at all. */
  readonly size: Size | null;
  readonly draft: Signal<Draft>;
  readonly state: Signal<CandidateState>;
}

/** What would be uploaded. */
interface Draft {
  /** The original itself, or what was cut out of it. */
  readonly photo: File;
  /** Object URL of it. */
  readonly url: string;
  /** How it was cut; to go on from there. */
  readonly edit: Edit | null;
}

/** `unscored`: this browser could not do it; the photo may be good all the same. */
type CandidateState =
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "scoring" }
  | ({ readonly kind: "scored" } & Verdict)
  | { readonly kind: "unscored"; readonly message: string };

export const candidates = signal<readonly Candidate[]>([]);

/** The candidate in the editor. */
export const edited = signal<Candidate | null>(null);

/** Those that would become markers, as far as is known. */
export const usable = computed(() => candidates.value.filter(({ state }) => isUsable(state.value)));

const scoring = createSlots(compileCapacity(navigator.hardwareConcurrency));
const stops = new Map<Candidate, AbortController>();
let lastKey = 0;

function isUsable(state: CandidateState): boolean {
  return state.kind !== "refused" && !(state.kind === "scored" && state.refusal !== null);
}

/** Takes dropped, pasted or picked files for a look before they are uploaded. One photo goes to the editor. */
export async function consider(files: readonly File[]): Promise<void> {
  const headers = await Promise.all(files.map(readHeader));
  const added = files.map((file, i) => candidateOf(file, headers[i]));
  candidates.value = [...candidates.value, ...added];
  const [first, ...others] = candidates.value;
  if (others.length === 0 && first.size) edited.value = first;
  else for (const candidate of added) void rescore(candidate);
}

/** Leaves a photo out. */
export function drop(candidate: Candidate): void {
  stops.get(candidate)?.abort();
  stops.delete(candidate);
  release(candidate);
  URL.revokeObjectURL(candidate.originalUrl);
  candidates.value = candidates.value.filter((other) => other !== candidate);
  if (edited.value === candidate) edited.value = null;
}

export function dropAll(): void {
  for (const candidate of candidates.value) drop(candidate);
}

/** Uploads what is usable and forgets the rest. */
export function submit(): void {
  const photos = usable.value.map(({ title, draft }) => ({ title, photo: draft.value.photo }));
  dropAll();
  addPhotos(photos);
  toast(photos.length === 1 ? "Adding 1 photo." : `Adding ${photos.length} photos.`);
}

/**
 * Takes over what the editor did.
 *
 * @param made the new file; null for the original as it is
 * @param verdict what is known of it
 */
export function revise(
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

/** Scores what would be uploaded, from its file. */
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

/** Forgets the picture that was cut out. */
function release({ draft, originalUrl }: Candidate): void {
  if (draft.value.url !== originalUrl) URL.revokeObjectURL(draft.value.url);
}

/** Where an editor of this candidate begins. */
export function beginning({ draft, size }: Candidate): Edit {
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

/** What a file's headers say, or why it cannot be used. */
async function readHeader(file: File): Promise<ImageInfo | string> {
  if (file.size > MAX_IMAGE_BYTES) {
    return `The photo is ${megabytes(file.size)}; at most ${megabytes(MAX_IMAGE_BYTES)} can be used.`;
  }
  try {
    return inspectImage(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (error instanceof CompileError) return error.message;
    return "The file could not be read.";
  }
}
