import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";

/** A form that shows its error below the fields and resets itself after success. */
export function Form(props: {
  action: string;
  /** Fields are side by side if there is room. */
  isRow?: boolean;
  /** The button is not the most important one of the page. */
  isSecondary?: boolean;
  onSubmit: (fields: Record<string, string>) => Promise<void>;
  children: ComponentChildren;
}) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget as HTMLFormElement;
    const fields: Record<string, string> = {};
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") fields[name] = value;
    }
    setBusy(true);
    setError("");
    try {
      await props.onSubmit(fields);
      form.reset();
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class={props.isRow ? "account-form in-row" : "account-form"} onSubmit={submit}>
      {props.children}
      {error && (
        <p class="banner bad" role="alert">
          {error}
        </p>
      )}
      <button
        type="submit"
        class={props.isSecondary ? "button" : "button primary"}
        disabled={busy}
        aria-busy={busy}
      >
        {props.action}
      </button>
    </form>
  );
}

export function Field(props: {
  label: string;
  name: string;
  type?: "text" | "email" | "password";
  autocomplete?: string;
  hint?: string;
  /** The initial value. */
  value?: string;
  minLength?: number;
  maxLength?: number;
}) {
  const { label, hint, value, type = "text", ...input } = props;
  return (
    <label class="field">
      {label}
      <input required defaultValue={value} {...input} type={type as "text"} />
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** The field of a new password. */
export function NewPassword({ label = "Password" }: { label?: string }) {
  return (
    <Field
      label={label}
      name="password"
      type="password"
      autocomplete="new-password"
      minLength={10}
      maxLength={128}
      hint="At least 10 characters."
    />
  );
}
