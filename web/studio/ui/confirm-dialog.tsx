import type { ComponentChildren } from "preact";
import { t } from "../language.ts";
import { useAction } from "./action.ts";
import { Dialog } from "./dialog.tsx";

/** Asks for confirmation, then runs `work`. Shows its error in the dialog. */
export function ConfirmDialog(props: {
  title: string;
  children: ComponentChildren;
  /** The button that starts the work. */
  action: string;
  /** The same button while the work runs. Default: `action`. */
  actionRunning?: string;
  /** Default: Cancel. */
  cancel?: string;
  isDanger?: boolean;
  /** Whether the work cannot start yet. */
  isDisabled?: boolean;
  work: () => Promise<void>;
  onClose: () => void;
}) {
  const { run, isRunning, error } = useAction();
  return (
    <Dialog title={props.title} error={error} onClose={props.onClose}>
      <p>{props.children}</p>
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={props.onClose}>
          {props.cancel ?? t.ui.cancel}
        </button>
        <button
          type="button"
          class={`button ${props.isDanger ? "danger" : "primary"}`}
          disabled={isRunning || props.isDisabled}
          onClick={() => run(props.work)}
        >
          {(isRunning && props.actionRunning) || props.action}
        </button>
      </div>
    </Dialog>
  );
}
