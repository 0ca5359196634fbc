import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/**
 * A modal dialog, open while it is rendered. The browser keeps the focus inside and closes it on Escape;
 * the focus then goes back to where it was. A tap outside closes it too, unless something was typed in it.
 */
export function Dialog(props: {
  title: string;
  /** Why what was asked for here failed: a toast would lie behind the dialog. */
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
      // A dialog that leaves the page with its parent does not give the focus back by itself.
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
