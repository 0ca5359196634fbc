import type { StorageConnection } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import type { Preset, Provider, Settings } from "./api.ts";

/** The form of a storage connection: its fields, initial values, request and errors. */

export interface Field {
  /** The name of the setting in the API. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  /** Never shown again after it is saved. */
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
  /** Takes half the width. */
  readonly isHalf?: boolean;
  /** Few people need it: it is below "More settings", and is sent only if it has a value or had one. */
  readonly isRare?: boolean;
  /** The values to choose from, in place of a text. */
  readonly options?: readonly { readonly value: string; readonly words: string }[];
  /** Shown, and not sent as empty, only with these other values. */
  readonly isShown?: (values: Values) => boolean;
}

function s3Fields(): readonly Field[] {
  const texts = t.storage.form;
  return [
    {
      name: "endpoint",
      label: texts.endpoint,
      hint: texts.endpointHint,
      placeholder: "https://s3.example.com",
    },
    { name: "bucket", label: texts.bucket, placeholder: "photos", isHalf: true },
    { name: "region", label: texts.region, placeholder: "us-east-1", isHalf: true },
    {
      name: "prefix",
      label: texts.folder,
      hint: texts.folderHint,
      placeholder: "vivimark",
      isOptional: true,
    },
    { name: "access_key_id", label: texts.accessKeyId },
    { name: "secret_access_key", label: texts.secretAccessKey, isSecret: true },
    {
      name: "session_token",
      label: texts.sessionToken,
      hint: texts.sessionTokenHint,
      isSecret: true,
      isOptional: true,
      isRare: true,
    },
    {
      name: "storage_class",
      label: texts.storageClass,
      hint: texts.storageClassHint,
      placeholder: "STANDARD_IA",
      isOptional: true,
      isRare: true,
    },
    {
      name: "encryption",
      label: texts.encryption,
      hint: texts.encryptionHint,
      isOptional: true,
      isRare: true,
      options: [
        { value: "", words: texts.encryptionDefault },
        { value: "AES256", words: "AES256" },
        { value: "aws:kms", words: "aws:kms" },
      ],
    },
    {
      name: "encryption_key_id",
      label: texts.encryptionKey,
      hint: texts.encryptionKeyHint,
      isOptional: true,
      isRare: true,
      isShown: ({ encryption }) => encryption === "aws:kms",
    },
  ];
}

function yandexDiskFields(): readonly Field[] {
  const texts = t.storage.form;
  return [
    { name: "root", label: texts.folder, hint: texts.yandexFolderHint, placeholder: "app:/" },
    { name: "token", label: texts.token, isSecret: true },
  ];
}

/** Returns the fields of a provider, in the order of the form. */
export function fieldsOf(provider: Provider): readonly Field[] {
  return provider === "s3" ? s3Fields() : yandexDiskFields();
}

/** For S3 storages without a preset. Its name is that of a new connection. */
export const ANY_S3: Preset = {
  id: "any_s3",
  name: "S3",
  provider: "s3",
  settings: { endpoint: "", region: "us-east-1", prefix: "", style: "path" },
};

/** Inserts {@link ANY_S3} after the S3 presets. */
export function withAnyS3(presets: readonly Preset[]): Preset[] {
  const isS3 = ({ provider }: Preset) => provider === "s3";
  return [...presets.filter(isS3), ANY_S3, ...presets.filter((preset) => !isS3(preset))];
}

/** The text of every field, and `name`. */
export type Values = Readonly<Record<string, string>>;

export function valuesOfPreset({ name, provider, settings }: Preset): Values {
  const empty = Object.fromEntries(fieldsOf(provider).map((field) => [field.name, ""]));
  return { ...empty, ...settings, name };
}

export function valuesOfConnection({ name, provider, settings }: StorageConnection): Values {
  const empty = Object.fromEntries(fieldsOf(provider as Provider).map((field) => [field.name, ""]));
  const texts = Object.entries(settings ?? {}).map(([key, value]) => [key, String(value)]);
  return { ...empty, ...Object.fromEntries(texts), name };
}

/** Returns the settings to send: for a saved connection, only those that changed. */
export function settingsOf(provider: Provider, values: Values, saved: StorageConnection | null): Settings {
  const before = saved && valuesOfConnection(saved);
  const fields = fieldsOf(provider).map((field) => ({
    ...field,
    value: isShown(field, values) ? values[field.name] : "",
  }));
  const style = { name: "style", value: values.style, isRare: false };
  const sent = [...fields, ...(provider === "s3" ? [style] : [])].filter(({ name, value, isRare }) =>
    before ? value !== before[name] : !isRare || value !== "",
  );
  return Object.fromEntries(sent.map(({ name, value }) => [name, value]));
}

export function isShown({ isShown = () => true }: Field, values: Values): boolean {
  return isShown(values);
}

export type FieldErrors = Readonly<Record<string, string>>;

/** Finds missing values, and placeholders of a preset that were not replaced. */
export function checkValues(provider: Provider, values: Values, secretsSet: readonly string[]): FieldErrors {
  const errors: Record<string, string> = {};
  if (values.name.trim() === "") errors.name = t.storage.form.missing(t.storage.form.name);
  for (const { name, label, isSecret, isOptional } of fieldsOf(provider)) {
    const value = values[name].trim();
    const blank = /<([^>]*)>/.exec(value);
    if (blank) errors[name] = t.storage.form.replaceBlank(blank[0], blank[1]);
    else if (value === "" && !isOptional && !(isSecret && secretsSet.includes(name))) {
      errors[name] = t.storage.form.missing(label);
    }
  }
  return errors;
}

/** Splits an error into messages for fields and one for the whole form. */
export function errorsOf(
  error: unknown,
  provider: Provider,
): { readonly fields: FieldErrors; readonly rest: string | null } {
  const invalid = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  if (invalid.length === 0) return { fields: {}, rest: messageOf(error) };
  const known = new Set(["name", "style", ...fieldsOf(provider).map(({ name }) => name)]);
  const fields: Record<string, string> = {};
  let isAllShown = true;
  for (const { field, detail } of invalid) {
    const name = field.replace(/^settings\./, "");
    if (known.has(name)) fields[name] ??= capital(detail);
    else isAllShown = false;
  }
  return { fields, rest: isAllShown ? null : messageOf(error) };
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
