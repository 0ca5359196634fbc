import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { StorageConnection, StorageConnectionReport } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { Dialog } from "../ui/dialog.tsx";
import { toast } from "../ui/toasts.tsx";
import type { Preset, Provider } from "./api.ts";
import * as api from "./api.ts";
import {
  ANY_S3,
  checkValues,
  errorsOf,
  type Field,
  type FieldErrors,
  fieldsOf,
  isShown,
  settingsOf,
  type Values,
  valuesOfConnection,
  valuesOfPreset,
  withAnyS3,
} from "./connection-form.ts";
import { TestReport } from "./test-report.tsx";

/** Adds a storage connection, or changes a saved one. */
export function ConnectionDialog(props: {
  saved: StorageConnection | null;
  onSaved: (connection: StorageConnection) => void;
  onClose: () => void;
}) {
  const { saved } = props;
  const [presets, setPresets] = useState<readonly Preset[]>([ANY_S3]);
  const [preset, setPreset] = useState<Preset>(ANY_S3);
  const provider: Provider = saved ? (saved.provider as Provider) : preset.provider;
  const [values, setValues] = useState<Values>(() =>
    saved ? valuesOfConnection(saved) : valuesOfPreset(ANY_S3),
  );
  const [fields, setFields] = useState<FieldErrors>({});
  const [error, setError] = useState<string | null>(null);
  const isSet = (name: string) => saved?.secrets.includes(name) ?? false;
  const isFilled = ({ name }: Field) => isSet(name) || values[name] !== "";
  const [busy, setBusy] = useState<"saving" | "testing" | "leaving" | null>(null);
  const [report, setReport] = useState<StorageConnectionReport | null>(null);
  const [isMoreOpen, setMoreOpen] = useState(() =>
    fieldsOf(provider).some((field) => field.isRare && isFilled(field)),
  );
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    if (saved) return;
    api.listPresets().then(
      (found) => setPresets(withAnyS3(found)),
      (reason) => setError(messageOf(reason)),
    );
  }, [saved]);

  useEffect(() => {
    if (Object.keys(fields).length === 0) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [fields]);

  const choose = (chosen: Preset) => {
    setPreset(chosen);
    setValues(valuesOfPreset(chosen));
    setFields({});
    setError(null);
    setReport(null);
  };
  const set = (name: string, value: string) => {
    setValues({ ...values, [name]: value });
    const { [name]: _, ...others } = fields;
    setFields(others);
    setReport(null);
  };

  /** Validates the form, then runs `work`. Shows errors at their fields. */
  const attempt = async (
    doing: NonNullable<typeof busy>,
    work: () => Promise<void>,
    ignored: string[] = [],
  ) => {
    const wrong = { ...checkValues(provider, values, saved?.secrets ?? []) };
    for (const name of ignored) delete wrong[name];
    setFields(wrong);
    setError(null);
    setReport(null);
    if (Object.keys(wrong).length > 0) return;
    setBusy(doing);
    try {
      await work();
    } catch (reason) {
      const found = errorsOf(reason, provider);
      setFields(found.fields);
      setError(found.rest);
    } finally {
      setBusy(null);
    }
  };

  const save = () =>
    attempt("saving", async () => {
      const settings = settingsOf(provider, values, saved);
      const connection = saved
        ? await api.updateConnection(saved.id, values.name, settings)
        : await api.createConnection(values.name, provider, settings);
      toast(saved ? t.storage.form.saved : t.storage.form.added(connection.name));
      props.onSaved(connection);
    });

  const test = () =>
    attempt("testing", async () => {
      const tested = await api.testSettings({
        provider,
        settings: settingsOf(provider, values, saved),
        connection_id: saved?.id,
      });
      setReport(tested);
      const failed = tested.steps.find((step) => step.error?.field)?.error;
      if (failed?.field) setFields({ [failed.field]: failed.message });
    });

  const allow = () =>
    attempt("leaving", async () => {
      location.assign(await api.yandexPermissionUrl(values.name, values.root, saved?.id));
    }, ["token"]);

  const shown = fieldsOf(provider).filter((field) => isShown(field, values));
  const [usual, rare] = [shown.filter(({ isRare }) => !isRare), shown.filter(({ isRare }) => isRare)];
  const inputOf = (field: Field) => (
    <FieldInput
      key={field.name}
      field={field}
      value={values[field.name]}
      error={fields[field.name]}
      isSet={isSet(field.name)}
      onInput={set}
    />
  );
  return (
    <Dialog
      title={saved ? t.storage.form.edit(saved.name) : t.storage.add}
      error={error}
      onClose={props.onClose}
    >
      <form
        ref={form}
        class="connection-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {!saved && <PresetChoice presets={presets} chosen={preset} onChoose={choose} />}
        <FieldInput
          field={{ name: "name", label: t.storage.form.name, placeholder: t.storage.form.nameExample }}
          value={values.name}
          error={fields.name}
          isSet={false}
          onInput={set}
        />
        {usual.map(inputOf)}
        {provider === "s3" && <StyleChoice value={values.style} error={fields.style} onInput={set} />}
        {rare.length > 0 && (
          <details
            class="more-settings"
            open={isMoreOpen || rare.some(({ name }) => fields[name])}
            onToggle={({ currentTarget }) => setMoreOpen(currentTarget.open)}
          >
            <summary>{t.storage.form.moreSettings}</summary>
            <div class="connection-form">{rare.map(inputOf)}</div>
          </details>
        )}
        {provider === "yandex_disk" && (
          <div class="permission">
            <p>{t.storage.form.signInAdvice}</p>
            <button type="button" class="button" disabled={busy !== null} onClick={allow}>
              {t.storage.form.signIn}
            </button>
          </div>
        )}
        {report && <TestReport report={report} />}
        <div class="dialog-actions connection-actions">
          <button type="button" class="button" disabled={busy !== null} onClick={test}>
            {busy === "testing" ? t.storage.testingConnection : t.storage.testConnection}
          </button>
          <span class="spacer" />
          <button type="button" class="button" onClick={props.onClose}>
            {t.ui.cancel}
          </button>
          <button type="submit" class="button primary" disabled={busy !== null}>
            {saved ? t.storage.form.saveChanges : t.storage.form.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function PresetChoice(props: {
  presets: readonly Preset[];
  chosen: Preset;
  onChoose: (preset: Preset) => void;
}) {
  return (
    <fieldset class="choices presets">
      <legend>{t.storage.form.provider}</legend>
      {props.presets.map((preset) => (
        <label key={preset.id} class="choice">
          <input
            type="radio"
            name="preset"
            checked={preset.id === props.chosen.id}
            onChange={() => props.onChoose(preset)}
          />
          <span>{preset.id === ANY_S3.id ? t.storage.form.anyS3 : preset.name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function FieldInput(props: {
  field: Field;
  value: string;
  error: string | undefined;
  /** The secret is already saved. */
  isSet: boolean;
  onInput: (name: string, value: string) => void;
}) {
  const { field, error } = props;
  const id = useId();
  const hint = props.isSet ? t.storage.form.keepSecret : field.hint;
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  const common = {
    id,
    name: field.name,
    value: props.value,
    "aria-invalid": error !== undefined,
    "aria-describedby": described || undefined,
  };
  return (
    <div class={field.isHalf ? "field half" : "field"}>
      <label for={id}>
        {field.label}
        {field.isOptional && !field.options && <span class="optional"> {t.storage.form.optional}</span>}
      </label>
      {field.options ? (
        <select {...common} onInput={({ currentTarget }) => props.onInput(field.name, currentTarget.value)}>
          {field.options.map(({ value, words }) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          {...(field.isSecret ? ({ type: "password" } as const) : ({ type: "text" } as const))}
          placeholder={props.isSet ? "••••••••" : field.placeholder}
          autoComplete={field.isSecret ? "new-password" : "off"}
          autoCapitalize="none"
          spellcheck={false}
          onInput={({ currentTarget }) => props.onInput(field.name, currentTarget.value)}
        />
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  );
}

function StyleChoice(props: {
  value: string;
  error: string | undefined;
  onInput: (name: string, value: string) => void;
}) {
  const id = useId();
  const { style, styles } = t.storage.form;
  const choices = [
    { value: "path", words: styles.path, example: "https://endpoint/bucket/file" },
    { value: "host", words: styles.host, example: "https://bucket.endpoint/file" },
  ];
  return (
    <fieldset class="choices styles" aria-describedby={props.error ? `${id}-error` : undefined}>
      <legend>{style}</legend>
      {choices.map(({ value, words, example }) => (
        <label key={value} class="choice">
          <input
            type="radio"
            name="style"
            checked={props.value === value}
            aria-invalid={props.error !== undefined}
            onChange={() => props.onInput("style", value)}
          />
          <span>
            {words}
            <small>{example}</small>
          </span>
        </label>
      ))}
      {props.error && (
        <p class="field-error" id={`${id}-error`}>
          {props.error}
        </p>
      )}
    </fieldset>
  );
}
