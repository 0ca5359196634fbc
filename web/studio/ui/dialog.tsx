import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../language.ts";

/**
 * A modal dialog, open while it is rendered. Escape closes it. A tap outside closes it too, unless something was
 * typed. The focus then returns to where it was.
 */
export function Dialog(props: {
  title: string;
  /** Shown in the dialog: a toast would be behind it. */
  error?: string | null;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isTouched = useRef(false);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current!;
    const opener = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      // The browser does not return the focus of a dialog that is removed with its parent.
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onInput={() => {
        isTouched.current = true;
      }}
      onPointerDown={({ target }) => target === dialog.current && !isTouched.current && props.onClose()}
    >
      <div class="dialog-body">
        <h2 id={titleId}>{props.title}</h2>
        {props.error && (
          <p class="dialog-error" role="alert">
            {props.error}
          </p>
        )}
        {props.children}
      </div>
    </dialog>
  );
}

/** The buttons at the end of a dialog's form: `children`, Cancel, and the submit button. */
export function DialogActions(props: {
  /** The label of the submit button. */
  submit: string;
  isRunning: boolean;
  isDanger?: boolean;
  onClose: () => void;
  children?: ComponentChildren;
}) {
  return (
    <div class="dialog-actions">
      {props.children}
      <button type="button" class="button" onClick={props.onClose}>
        {t.ui.cancel}
      </button>
      <button
        type="submit"
        class={`button ${props.isDanger ? "danger" : "primary"}`}
        disabled={props.isRunning}
      >
        {props.submit}
      </button>
    </div>
  );
}
