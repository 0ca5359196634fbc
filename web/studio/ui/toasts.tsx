import { signal } from "@preact/signals";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { IconClose } from "./icons.tsx";

interface Toast {
  readonly key: number;
  readonly text: string;
  readonly tone: "plain" | "bad";
  readonly action: ToastAction | null;
}

/** A button in a message. */
export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
  /** How long the message is shown. */
  readonly milliseconds: number;
}

/** Milliseconds to read the text. */
const readingTime = (text: string) => 4_000 + 60 * text.length;

const toasts = signal<readonly Toast[]>([]);
let lastKey = 0;

/** Shows a message, and announces it to screen readers. */
export function toast(text: string, tone: Toast["tone"] = "plain", action: ToastAction | null = null): void {
  const key = (lastKey += 1);
  toasts.value = [...toasts.value, { key, text, tone, action }];
  setTimeout(() => dismiss(key), action?.milliseconds ?? readingTime(text));
}

/** Shows an error as a message. */
export function toastError(error: unknown): void {
  toast(messageOf(error), "bad");
}

function dismiss(key: number): void {
  toasts.value = toasts.value.filter((other) => other.key !== key);
}

export function Toasts() {
  return (
    <section class="toasts" aria-label={t.ui.messages} aria-live="polite">
      {toasts.value.map(({ key, text, tone, action }) => (
        <div key={key} class={`toast ${tone}`}>
          <p>{text}</p>
          {action && (
            <button
              type="button"
              class="toast-action"
              onClick={() => {
                action.run();
                dismiss(key);
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t.ui.dismiss} onClick={() => dismiss(key)}>
            <IconClose />
          </button>
        </div>
      ))}
    </section>
  );
}
