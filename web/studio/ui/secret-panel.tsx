import { useEffect, useRef } from "preact/hooks";
import { copyText } from "./copy.ts";
import { IconCopy } from "./icons.tsx";
import "./secret-panel.css";

/** Shows a secret for the only time. */
export function SecretPanel(props: {
  /** Its name: "Secret". */
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
        <button type="button" class="button small" onClick={() => void copyText(secret, name, field.current)}>
          <IconCopy />
          Copy {name.toLowerCase()}
        </button>
        <button type="button" class="button small" onClick={props.onDone}>
          Done
        </button>
      </div>
    </div>
  );
}
