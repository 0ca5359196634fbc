import { z } from "@hono/zod-openapi";
import { DEFAULTS } from "./defaults.ts";

/** The settings of each provider, as the API accepts them and as the database stores them, encrypted. */

/** A text that people paste, such as a key: without spaces, and trimmed. */
const pasted = (most: number, what: string) =>
  z
    .string()
    .trim()
    .min(1, `expected ${what}`)
    .max(most, `expected ${what} of at most ${most} characters`)
    .regex(/^[\x21-\x7e]*$/, `expected ${what}, without spaces, line breaks or letters beyond ASCII`);

const EXPECTED_ENDPOINT = "expected an address like https://storage.example.com, without ? and #";

const endpoint = z
  .string()
  .trim()
  .max(500)
  .regex(/^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\s?#]+$/, EXPECTED_ENDPOINT)
  .refine((text) => URL.canParse(text), EXPECTED_ENDPOINT)
  .overwrite((text) => text.replace(/\/+$/, ""));

/** A folder without slashes at its ends; "" is the root. */
const folder = z
  .string()
  .trim()
  .overwrite((text) => text.replace(/^\/+|\/+$/g, ""))
  .max(120)
  .refine(
    isFolder,
    "expected a folder such as photos/ar, without empty parts, . and .., or control characters",
  );

function isFolder(text: string): boolean {
  const parts = text.split("/");
  return text === "" || (!/\p{Control}/u.test(text) && !parts.some((part) => /^\.{0,2}$/.test(part)));
}

export const s3Settings = z
  .strictObject({
    endpoint: endpoint.openapi({
      description: "Without the bucket.",
      example: "https://storage.yandexcloud.net",
    }),
    region: pasted(64, "a region such as us-east-1").default(DEFAULTS.s3.region),
    bucket: z
      .string()
      .trim()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/,
        "expected the name of a bucket: 3 to 63 letters, digits, dots and hyphens",
      ),
    prefix: folder
      .default(DEFAULTS.s3.prefix)
      .openapi({ description: "A folder in the bucket. Empty: the root." }),
    access_key_id: pasted(200, "the id of an access key"),
    secret_access_key: pasted(500, "the secret of an access key"),
    session_token: pasted(4000, "the session token of a temporary access key")
      .optional()
      .openapi({ description: "Of a temporary access key. A new access key removes it." }),
    storage_class: z
      .string()
      .trim()
      .regex(/^[A-Z_]{0,40}$/, "expected a storage class such as STANDARD_IA, or nothing")
      .optional()
      .openapi({ description: "Of new files. Empty: the bucket's default.", example: "STANDARD_IA" }),
    encryption: z.enum(["", "AES256", "aws:kms"]).optional().openapi({
      description: "Of new files, by the server. Empty: the bucket's default.",
    }),
    encryption_key_id: z
      .string()
      .trim()
      .max(500)
      .optional()
      .openapi({ description: "The KMS key with `aws:kms`. Empty: the server's default key." }),
    style: z.enum(["path", "host"]).default(DEFAULTS.s3.style).openapi({
      description:
        "Addresses of files: `path` is https://endpoint/bucket/key, `host` is https://bucket.endpoint/key.",
    }),
  })
  .superRefine(({ endpoint, bucket, style, encryption, encryption_key_id: keyId }, context) => {
    if (keyId && encryption !== "aws:kms") {
      const message = "expected none, because encryption is not aws:kms";
      context.addIssue({ code: "custom", path: ["encryption_key_id"], message, input: keyId });
    }
    const host = URL.parse(endpoint)?.hostname ?? "";
    if (style === "host" && !/^[a-z0-9-]+$/.test(bucket)) {
      const message = "expected path, because this bucket's name cannot be part of a host name";
      context.addIssue({ code: "custom", path: ["style"], message, input: style });
    }
    if (style === "host" && /^[\d.]+$|^\[/.test(host)) {
      const message = "expected path, because the endpoint is an IP address, which has no subdomains";
      context.addIssue({ code: "custom", path: ["style"], message, input: style });
    }
  })
  .openapi("S3Settings");
export type S3SettingsBody = z.infer<typeof s3Settings>;

export const yandexDiskSettings = z
  .strictObject({
    token: pasted(2000, "an OAuth token"),
    refresh_token: pasted(2000, "the refresh token that came with the token").optional(),
    expires_at: z.iso.datetime().optional().openapi({ description: "When the token expires." }),
    root: z
      .string()
      .trim()
      .overwrite((text) => text.replace(/(?<=:\/.*)\/+$/, ""))
      .max(200)
      .regex(/^(app|disk):\//, "expected a folder that begins with app:/ or disk:/")
      .refine(
        (text) => isFolder(text.replace(/^\w+:\//, "")),
        "expected a folder without empty parts, . and ..",
      )
      .default(DEFAULTS.yandex_disk.root)
      .openapi({
        description:
          "app:/ is the application's own folder; disk:/… requires permissions for the whole Disk.",
      }),
  })
  .openapi("YandexDiskSettings");
export type YandexDiskSettingsBody = z.infer<typeof yandexDiskSettings>;

export const PROVIDERS = ["s3", "yandex_disk"] as const;
export type Provider = (typeof PROVIDERS)[number];

const SCHEMAS = { s3: s3Settings, yandex_disk: yandexDiskSettings };

export type ConnectionSettings =
  | { readonly provider: "s3"; readonly settings: S3SettingsBody }
  | { readonly provider: "yandex_disk"; readonly settings: YandexDiskSettingsBody };

/** Fields that no response of the API contains. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "secret_access_key",
  "session_token",
  "token",
  "refresh_token",
  "client_secret",
  "code",
]);

/** Parses the settings of a provider. */
export function parseSettings(provider: Provider, settings: unknown) {
  return SCHEMAS[provider].safeParse(settings);
}

/**
 * Returns settings with some fields changed. The other fields, secrets included, stay; a new token also removes the
 * former one's refresh token and expiry, and a new access key the former one's session token.
 */
export function mergeSettings(
  before: ConnectionSettings["settings"],
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { refresh_token, expires_at, session_token, ...rest } = before as Record<string, unknown>;
  const kept = {
    ...rest,
    ...("token" in change ? {} : { refresh_token, expires_at }),
    ...("access_key_id" in change ? {} : { session_token }),
  };
  return Object.fromEntries(
    Object.entries({ ...kept, ...change }).filter(([, value]) => value !== undefined),
  );
}

/** Returns the fields of settings that are not secret, and the names of those that are. */
export function withoutSecrets(settings: ConnectionSettings["settings"]) {
  const fields = Object.entries(settings).filter(([, value]) => value !== undefined);
  return {
    settings: Object.fromEntries(fields.filter(([name]) => !SECRET_FIELDS.has(name))),
    secrets: fields.map(([name]) => name).filter((name) => SECRET_FIELDS.has(name)),
  };
}

/** Initial settings of a form. Angle brackets mark what the person fills in. */
export const PRESETS = [
  {
    id: "minio",
    name: "MinIO",
    provider: "s3",
    settings: { endpoint: "https://<host>:9000", region: "us-east-1", prefix: "", style: "path" },
  },
  {
    id: "yandex_object_storage",
    name: "Yandex Object Storage",
    provider: "s3",
    settings: {
      endpoint: "https://storage.yandexcloud.net",
      region: "ru-central1",
      prefix: "",
      style: "path",
    },
  },
  {
    id: "cloudflare_r2",
    name: "Cloudflare R2 (S3)",
    provider: "s3",
    settings: {
      endpoint: "https://<account id>.r2.cloudflarestorage.com",
      region: "auto",
      prefix: "",
      style: "path",
    },
  },
  {
    id: "aws_s3",
    name: "Amazon S3",
    provider: "s3",
    settings: {
      endpoint: "https://s3.<region>.amazonaws.com",
      region: "<region>",
      prefix: "",
      style: "host",
    },
  },
  { id: "yandex_disk", name: "Yandex Disk", provider: "yandex_disk", settings: { root: "app:/" } },
] as const;
