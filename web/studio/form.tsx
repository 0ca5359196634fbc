import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "./api.ts";

/** A form that says under its fields why it was refused, and takes one answer at a time. */
export function Form(props: {
  action: string;
  onSubmit: (fields: Record<string, string>) => Promise<void>;
  children: ComponentChildren;
}) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    const fields: Record<string, string> = {};
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement)) {
      if (typeof value === "string") fields[name] = value;
    }
    setBusy(true);
    setError("");
    try {
      await props.onSubmit(fields);
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="account-form" onSubmit={submit}>
      {props.children}
      {error && (
        <p class="banner bad" role="alert">
          {error}
        </p>
      )}
      <button type="submit" class="button primary" disabled={busy} aria-busy={busy}>
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
  value?: string;
  minLength?: number;
  maxLength?: number;
}) {
  const { label, hint, type = "text", ...input } = props;
  return (
    <label class="field">
      {label}
      <input required {...input} type={type as "text"} />
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** A password that is being chosen. */
export function NewPassword({ name = "password" }: { name?: string }) {
  return (
    <Field
      label="Password"
      name={name}
      type="password"
      autocomplete="new-password"
      minLength={10}
      maxLength={128}
      hint="At least 10 characters."
    />
  );
}
