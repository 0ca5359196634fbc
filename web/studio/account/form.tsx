import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { isStrongPassword } from "./strength.ts";

const MIN_LENGTH = 10;

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
  onInput?: (event: { currentTarget: HTMLInputElement }) => void;
}) {
  const { label, hint, value, type = "text", ...input } = props;
  return (
    <label class="field">
      {label}
      <input required defaultValue={value} {...input} type={type as "text"} />
      {hint && <small aria-live="polite">{hint}</small>}
    </label>
  );
}

/**
 * The field of a new password, with a hint about its strength.
 *
 * @param about the person's name, email and company, besides those in the form's own fields
 */
export function NewPassword({ label, about = [] }: { label?: string; about?: string[] }) {
  const [strength, setStrength] = useState<"unknown" | "weak" | "strong">("unknown");
  const judge = async ({ value, form }: HTMLInputElement) => {
    if (value.length < MIN_LENGTH) return setStrength("unknown");
    const others = Array.from(form?.querySelectorAll<HTMLInputElement>("input:not([type=password])") ?? []);
    try {
      const isStrong = await isStrongPassword(value, [...about, ...others.map((input) => input.value)]);
      setStrength(isStrong ? "strong" : "weak");
    } catch {
      // The dictionary could not be loaded. The server judges the password.
      setStrength("unknown");
    }
  };
  return (
    <Field
      label={label ?? t.account.password}
      name="password"
      type="password"
      autocomplete="new-password"
      minLength={MIN_LENGTH}
      maxLength={128}
      hint={t.account.strength[strength]}
      onInput={({ currentTarget }) => void judge(currentTarget)}
    />
  );
}
