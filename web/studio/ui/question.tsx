import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { Dialog } from "./dialog.tsx";

/** Asks before it does something; why that failed is said in the dialog. */
export function Question(props: {
  title: string;
  words: string;
  no: string;
  yes: string;
  isDanger?: boolean;
  work: () => Promise<void>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const answerYes = async () => {
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
      <p>{props.words}</p>
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={props.onClose}>
          {props.no}
        </button>
        <button
          type="button"
          class={`button ${props.isDanger ? "danger" : "primary"}`}
          disabled={busy}
          onClick={answerYes}
        >
          {props.yes}
        </button>
      </div>
    </Dialog>
  );
}
