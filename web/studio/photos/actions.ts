import { signal } from "@preact/signals";
import * as api from "../api/content.ts";
import { waitUntil } from "../api/rate-limit.ts";
import { t } from "../language.ts";
import { save } from "../ui/save.ts";
import { toast, toastError } from "../ui/toasts.tsx";
import { type BulkAction, runBulk } from "./bulk.ts";
import { contents } from "./contents.ts";
import { deleteLater } from "./deletion.ts";
import { type QrFormat, qrArchive } from "./qr-archive.ts";
import { type SelectedPhoto, selection } from "./selection.ts";

/** The action that runs on the selected photos, and its result. */

interface Running {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly cancel: () => void;
}

/** Photos that an action did not change, and why. */
export interface Failures {
  readonly title: string;
  readonly items: readonly { readonly id: string; readonly title: string; readonly message: string }[];
}

export const running = signal<Running | null>(null);
export const failures = signal<Failures | null>(null);

/** Runs an action on photos and reports the result. Deselects the photos that it changed. */
export async function perform(action: BulkAction, photos: readonly SelectedPhoto[]): Promise<void> {
  const texts = t.photos.actions[action.action];
  await whileRunning(texts.running, photos.length, async ({ signal, onProgress }) => {
    const titles = new Map(photos.map(({ id, title }) => [id, title]));
    const outcome = await runBulk(action, [...titles.keys()], {
      send: api.bulk,
      pause: (retry) => new Promise((resume) => setTimeout(resume, 1_000 * 2 ** retry)),
      until: waitUntil,
      signal,
      onProgress,
    });
    selection.remove(outcome.done);
    if (action.action === "delete") for (const id of outcome.done) contents.remove(id);
    else await contents.refresh(new AbortController().signal).catch(() => {});
    if (outcome.done.length > 0 && action.action !== "delete") toast(texts.done(outcome.done.length));
    if (outcome.refused.size === 0) return;
    failures.value = {
      title: texts.failed(outcome.refused.size),
      items: Array.from(outcome.refused, ([id, message]) => ({ id, title: titles.get(id) ?? "", message })),
    };
  });
}

/** Deletes photos once that can no longer be undone. */
export function performDeletion(photos: readonly SelectedPhoto[]): void {
  const ids = photos.map(({ id }) => id);
  selection.remove(ids);
  deleteLater(ids, t.photos.actions.delete.done(ids.length), () => perform({ action: "delete" }, photos));
}

/** Saves a ZIP archive with the QR codes of photos. */
export async function downloadQrCodes(photos: readonly SelectedPhoto[], format: QrFormat): Promise<void> {
  await whileRunning(t.photos.selection.downloadingQrCodes, photos.length, async (run) => {
    save(await qrArchive(photos, format, run), "qr-codes.zip");
  });
}

async function whileRunning(
  label: string,
  total: number,
  work: (run: { readonly signal: AbortSignal; readonly onProgress: (done: number) => void }) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const show = (done: number) => {
    running.value = { label, done, total, cancel: () => controller.abort() };
  };
  show(0);
  try {
    await work({ signal, onProgress: show });
  } catch (error) {
    if (!signal.aborted) toastError(error);
  } finally {
    running.value = null;
  }
}
