import { useEffect, useRef } from "preact/hooks";
import { t } from "../language.ts";
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
        {t.ui.copyNow(props.label)}
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
          {t.ui.copy(name)}
        </button>
        <button type="button" class="button small" onClick={props.onDone}>
          {t.ui.done}
        </button>
      </div>
    </div>
  );
}
