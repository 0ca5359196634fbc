import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";

/** A form that says under its fields why it was refused, takes one answer at a time, and is as at first afterwards. */
export function Form(props: {
  action: string;
  /** With the fields side by side where there is room. */
  isRow?: boolean;
  /** Beside one that matters more. */
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
  /** What it begins with. */
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

/** A password that is being chosen. */
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
