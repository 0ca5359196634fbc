import { t } from "../language.ts";
import { toast } from "./toasts.tsx";

/**
 * Copies text to the clipboard. Without permission or a secure context, the person copies it instead: the text is
 * selected in its field, or shown.
 */
export async function copyText(text: string, name: string, field?: HTMLInputElement | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(t.ui.copied(name));
  } catch {
    field?.select();
    toast(field ? t.ui.copyYourself(name) : text);
  }
}
