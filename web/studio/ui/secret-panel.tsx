import { useEffect, useRef } from "preact/hooks";
import { IconCopy } from "./icons.tsx";
import { toast } from "./toasts.tsx";
import "./secret-panel.css";

/** A secret, the only time that it is shown. */
export function SecretPanel(props: {
  /** What it is called in a sentence: "secret". */
  name: string;
  /** What it is for. */
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
      toast(`The ${name} is copied.`);
    } catch {
      // No permission, or no secure context: the person copies the selection.
      field.current!.select();
      toast(`Press Ctrl+C or ⌘C to copy the ${name}.`);
    }
  };
  return (
    <div class="secret-panel" role="status">
      <label class="field">
        {props.label} Copy it now; it is not shown again.
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
          Copy
        </button>
        <button type="button" class="button small" onClick={props.onDone}>
          I have it
        </button>
      </div>
    </div>
  );
}
