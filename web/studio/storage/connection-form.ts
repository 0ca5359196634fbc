import type { StorageConnection } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
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

const S3_FIELDS: readonly Field[] = [
  {
    name: "endpoint",
    label: "Endpoint",
    hint: "The URL of the storage, without the bucket.",
    placeholder: "https://s3.example.com",
  },
  { name: "bucket", label: "Bucket", placeholder: "photos", isHalf: true },
  { name: "region", label: "Region", placeholder: "us-east-1", isHalf: true },
  {
    name: "prefix",
    label: "Folder",
    hint: "A folder in the bucket. Leave empty for the root.",
    placeholder: "vivimark",
    isOptional: true,
  },
  { name: "access_key_id", label: "Access key ID" },
  { name: "secret_access_key", label: "Secret access key", isSecret: true },
  {
    name: "session_token",
    label: "Session token",
    hint: "Required for temporary access keys. Replace the key and the token before they expire.",
    isSecret: true,
    isOptional: true,
    isRare: true,
  },
  {
    name: "storage_class",
    label: "Storage class",
    hint: "Applies to new files. Leave empty for the bucket's default.",
    placeholder: "STANDARD_IA",
    isOptional: true,
    isRare: true,
  },
  {
    name: "encryption",
    label: "Encryption on the server",
    hint: "Applies to new files.",
    isOptional: true,
    isRare: true,
    options: [
      { value: "", words: "Bucket's default" },
      { value: "AES256", words: "AES256" },
      { value: "aws:kms", words: "aws:kms" },
    ],
  },
  {
    name: "encryption_key_id",
    label: "KMS key ID",
    hint: "Leave empty for the server's default key.",
    isOptional: true,
    isRare: true,
    isShown: ({ encryption }) => encryption === "aws:kms",
  },
];

const YANDEX_DISK_FIELDS: readonly Field[] = [
  {
    name: "root",
    label: "Folder",
    hint: "app:/ is the application's own folder. disk:/… requires a token with more permissions.",
    placeholder: "app:/",
  },
  { name: "token", label: "OAuth token", isSecret: true },
];

export const FIELDS: Readonly<Record<Provider, readonly Field[]>> = {
  s3: S3_FIELDS,
  yandex_disk: YANDEX_DISK_FIELDS,
};

/** For S3 storages without a preset. */
export const ANY_S3: Preset = {
  id: "any_s3",
  name: "Any other S3",
  provider: "s3",
  settings: { endpoint: "", region: "us-east-1", prefix: "", style: "path" },
};

/** Inserts "Any other S3" after the S3 presets. */
export function withAnyS3(presets: readonly Preset[]): Preset[] {
  const isS3 = ({ provider }: Preset) => provider === "s3";
  return [...presets.filter(isS3), ANY_S3, ...presets.filter((preset) => !isS3(preset))];
}

/** The text of every field, and `name`. */
export type Values = Readonly<Record<string, string>>;

export function valuesOfPreset({ name, provider, settings }: Preset): Values {
  const empty = Object.fromEntries(FIELDS[provider].map((field) => [field.name, ""]));
  return { ...empty, ...settings, name: name.replace(/^Any other /, "") };
}

export function valuesOfConnection({ name, provider, settings }: StorageConnection): Values {
  const empty = Object.fromEntries(FIELDS[provider as Provider].map((field) => [field.name, ""]));
  const texts = Object.entries(settings ?? {}).map(([key, value]) => [key, String(value)]);
  return { ...empty, ...Object.fromEntries(texts), name };
}

/** Returns the settings to send: for a saved connection, only those that changed. */
export function settingsOf(provider: Provider, values: Values, saved: StorageConnection | null): Settings {
  const before = saved && valuesOfConnection(saved);
  const fields = FIELDS[provider].map((field) => ({
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
  if (values.name.trim() === "") errors.name = "Name is missing.";
  for (const { name, label, isSecret, isOptional } of FIELDS[provider]) {
    const value = values[name].trim();
    const blank = /<([^>]*)>/.exec(value);
    if (blank) errors[name] = `Replace ${blank[0]} with your ${blank[1]}.`;
    else if (value === "" && !isOptional && !(isSecret && secretsSet.includes(name))) {
      errors[name] = `${label} is missing.`;
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
  const known = new Set(["name", "style", ...FIELDS[provider].map(({ name }) => name)]);
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
