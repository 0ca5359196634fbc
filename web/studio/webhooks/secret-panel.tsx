import { useEffect, useRef } from "preact/hooks";
import { IconCopy } from "../icons.tsx";
import { toast } from "../toasts.tsx";

/** A secret, the only time that it is shown. */
export function SecretPanel({ secret, onDone }: { secret: string; onDone: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current!.focus();
    field.current!.scrollIntoView({ block: "center" });
  }, []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      toast("The secret is copied.");
    } catch {
      // No permission, or no secure context: the person copies the selection.
      field.current!.select();
      toast("Press Ctrl+C or ⌘C to copy the secret.");
    }
  };
  return (
    <div class="webhook-secret" role="status">
      <label class="field">
        The secret, which verifies signatures. Copy it now; it is not shown again.
        <input
          ref={field}
          readOnly
          value={secret}
          spellcheck={false}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      </label>
      <div class="webhook-actions">
        <button type="button" class="button small" onClick={copy}>
          <IconCopy />
          Copy
        </button>
        <button type="button" class="button small" onClick={onDone}>
          I have it
        </button>
      </div>
    </div>
  );
}
