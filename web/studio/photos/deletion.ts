import { deleteOnLeave } from "../api/content.ts";
import { t } from "../language.ts";
import { toast } from "../ui/toasts.tsx";
import { contents } from "./contents.ts";

/** Deletes photos after a time in which that can be undone. Until then, nothing is sent, so nothing can be lost. */

const UNDO_MS = 10_000;

interface Deletion {
  readonly ids: readonly string[];
  /** Ends the wait. */
  readonly stop: () => void;
}

const waiting = new Set<Deletion>();

/**
 * Hides photos now, and calls `work` when they can no longer be brought back. If the page is closed before, the request
 * is sent then.
 */
export function deleteLater(ids: readonly string[], text: string, work: () => Promise<void>): void {
  contents.hide(ids);
  const timer = setTimeout(() => {
    waiting.delete(deletion);
    void work().finally(() => contents.unhide(ids));
  }, UNDO_MS);
  const deletion = { ids, stop: () => clearTimeout(timer) };
  waiting.add(deletion);
  const undo = () => {
    if (!waiting.delete(deletion)) return;
    deletion.stop();
    contents.unhide(ids);
  };
  toast(text, "plain", { label: t.photos.selection.undo, run: undo, milliseconds: UNDO_MS });
}

addEventListener("pagehide", () => {
  for (const { ids, stop } of waiting) {
    stop();
    deleteOnLeave(ids);
    // If the browser shows the page again, the list tells what was deleted.
    contents.unhide(ids);
  }
  waiting.clear();
});
