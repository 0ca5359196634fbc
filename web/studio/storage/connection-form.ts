import type { StorageConnection } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import type { Preset, Provider, Settings } from "./api.ts";

/** The form of a connection: what it asks, what it begins with, what it sends, and where errors belong. */

export interface Field {
  /** The setting's name on the wire. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  /** Never shown again once it is saved. */
  readonly isSecret?: boolean;
  readonly isOptional?: boolean;
  /** Short enough to stand beside its neighbour. */
  readonly isHalf?: boolean;
}

const S3_FIELDS: readonly Field[] = [
  {
    name: "endpoint",
    label: "Endpoint",
    hint: "The storage's address, without the bucket.",
    placeholder: "https://s3.example.com",
  },
  { name: "bucket", label: "Bucket", placeholder: "photos", isHalf: true },
  { name: "region", label: "Region", placeholder: "us-east-1", isHalf: true },
  {
    name: "prefix",
    label: "Folder",
    hint: "In the bucket. Leave empty for its root.",
    placeholder: "vivimark",
    isOptional: true,
  },
  { name: "access_key_id", label: "Access key ID" },
  { name: "secret_access_key", label: "Secret access key", isSecret: true },
];

const YANDEX_DISK_FIELDS: readonly Field[] = [
  {
    name: "root",
    label: "Folder",
    hint: "app:/ is the application's own folder; disk:/… needs a token with wider rights.",
    placeholder: "app:/",
  },
  { name: "token", label: "OAuth token", isSecret: true },
];

export const FIELDS: Readonly<Record<Provider, readonly Field[]>> = {
  s3: S3_FIELDS,
  yandex_disk: YANDEX_DISK_FIELDS,
};

/** For a storage that has no preset of its own. */
export const ANY_S3: Preset = {
  id: "any_s3",
  name: "Any other S3",
  provider: "s3",
  settings: { endpoint: "", region: "us-east-1", prefix: "", style: "path" },
};

/** The presets of the API and the way out, before Yandex Disk, which is no S3. */
export function withAnyS3(presets: readonly Preset[]): Preset[] {
  const isS3 = ({ provider }: Preset) => provider === "s3";
  return [...presets.filter(isS3), ANY_S3, ...presets.filter((preset) => !isS3(preset))];
}

/** A text for every field of the form, and `name`. */
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

/** What is sent: of a saved connection only what changed, and secrets only when they were typed. */
export function settingsOf(provider: Provider, values: Values, saved: StorageConnection | null): Settings {
  const names = FIELDS[provider].map(({ name }) => name);
  if (provider === "s3") names.push("style");
  const before = saved ? valuesOfConnection(saved) : null;
  const sent = names.filter((name) => !before || values[name] !== before[name]);
  return Object.fromEntries(sent.map((name) => [name, values[name]]));
}

export type FieldErrors = Readonly<Record<string, string>>;

/** What can be said before anything is sent: what is missing, and what a preset left to fill in. */
export function checkValues(provider: Provider, values: Values, secretsSet: readonly string[]): FieldErrors {
  const errors: Record<string, string> = {};
  if (values.name.trim() === "") errors.name = "Give it a name that you will recognise.";
  for (const { name, label, isSecret, isOptional } of FIELDS[provider]) {
    const value = values[name].trim();
    const blank = /<([^>]*)>/.exec(value);
    if (blank) errors[name] = `Put your own ${blank[1]} in the place of ${blank[0]}.`;
    else if (value === "" && !isOptional && !(isSecret && secretsSet.includes(name))) {
      errors[name] = `${label} is missing.`;
    }
  }
  return errors;
}

/** Which fields the API names, and what is left for the form as a whole. */
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
