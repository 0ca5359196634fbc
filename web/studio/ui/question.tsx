import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Dialog } from "./dialog.tsx";

/** Asks for confirmation, then runs `work`. Shows its error in the dialog. */
export function Question(props: {
  title: string;
  text: string;
  /** The button that starts the work. */
  action: string;
  /** Default: Cancel. */
  cancel?: string;
  isDanger?: boolean;
  work: () => Promise<void>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const confirm = async () => {
    setBusy(true);
    try {
      await props.work();
    } catch (reason) {
      setError(messageOf(reason));
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} error={error} onClose={props.onClose}>
      <p>{props.text}</p>
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={props.onClose}>
          {props.cancel ?? "Cancel"}
        </button>
        <button
          type="button"
          class={`button ${props.isDanger ? "danger" : "primary"}`}
          disabled={busy}
          onClick={confirm}
        >
          {props.action}
        </button>
      </div>
    </Dialog>
  );
}
