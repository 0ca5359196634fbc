import { useEffect, useRef } from "preact/hooks";
import { IconCopy } from "./icons.tsx";
import { toast } from "./toasts.tsx";
import "./secret-panel.css";

/** Shows a secret for the only time. */
export function SecretPanel(props: {
  /** Its name in a sentence: "secret". */
  name: string;
  /** A sentence that describes it. */
  label: string;
  secret: string;
  onDone: () => void;
}) {
  const { name, secret } = props;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current!.focus();
    field.current!.scrollIntoView({ block: "center" });
  }, []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      toast("Copied.");
    } catch {
      // Without permission or a secure context, the person copies the selection.
      field.current!.select();
      toast(`Press Ctrl+C or ⌘C to copy the ${name}.`);
    }
  };
  return (
    <div class="secret-panel" role="status">
      <label class="field">
        {props.label} Copy it now. It is not shown again.
        <input
          ref={field}
          readOnly
          value={secret}
          spellcheck={false}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      </label>
      <div class="secret-actions">
        <button type="button" class="button small" onClick={copy}>
          <IconCopy />
          Copy {name}
        </button>
        <button type="button" class="button small" onClick={props.onDone}>
          Done
        </button>
      </div>
    </div>
  );
}
