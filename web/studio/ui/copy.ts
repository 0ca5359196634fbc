import { toast } from "./toasts.tsx";

/**
 * Copies text to the clipboard. Without permission or a secure context, the person copies it instead: the text is
 * selected in its field, or shown.
 */
export async function copyText(text: string, name: string, field?: HTMLInputElement | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${name} copied.`);
  } catch {
    field?.select();
    toast(field ? `Press Ctrl+C or ⌘C to copy the ${name.toLowerCase()}.` : text);
  }
}
