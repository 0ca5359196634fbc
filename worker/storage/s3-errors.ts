import { codeOfStatus, type Reply } from "./http.ts";
import { StorageError, type StorageErrorCode, unknownUpload } from "./provider.ts";
import type { S3SettingsBody } from "./settings.ts";
import { readXml, textOf, type XmlElement } from "./xml.ts";

/** Longer messages of a server are cut. */
const MAX_MESSAGE_CHARACTERS = 300;

interface Meaning {
  readonly code: StorageErrorCode;
  readonly sentence: string;
  readonly field?: keyof S3SettingsBody;
}

const clocks: Meaning = {
  code: "unavailable",
  sentence:
    "The storage's clock differs from Vivimark's by more than the storage allows. Correct the storage's clock.",
};
const unknownKey: Meaning = {
  code: "invalid_config",
  sentence: "The storage does not know this access key.",
  field: "access_key_id",
};
const denied: Meaning = {
  code: "denied",
  sentence: "The access key does not have permission for this operation in this bucket.",
};
const full: Meaning = { code: "quota_exceeded", sentence: "The storage is full." };
const tooLarge: Meaning = { code: "quota_exceeded", sentence: "The file is too large for the storage." };
const invalidPart: Meaning = {
  code: "conflict",
  sentence: "A part is missing, has a different ETag, or is too small.",
};
const precondition: Meaning = {
  code: "conflict",
  sentence: "The stored file is not the one that the request expects.",
};

/**
 * Error codes of S3 and of compatible servers.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: "not_found", sentence: "The file does not exist." },
  NoSuchUpload: { code: "not_found", sentence: unknownUpload().message },
  InvalidBucketName: {
    code: "invalid_config",
    sentence: "The storage does not allow a bucket with this name.",
    field: "bucket",
  },
  InvalidAccessKeyId: unknownKey,
  Unauthorized: unknownKey,
  ExpiredToken: unknownKey,
  InvalidToken: unknownKey,
  InvalidSecurity: unknownKey,
  SignatureDoesNotMatch: {
    code: "invalid_config",
    sentence: "The secret does not match the access key.",
    field: "secret_access_key",
  },
  RequestTimeTooSkewed: clocks,
  RequestExpired: clocks,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
  // Yandex Object Storage's limits of a bucket and of a cloud.
  BucketMaxSizeExceeded: full,
  CloudTotalAliveSizeQuotaExceed: full,
  EntityTooLarge: tooLarge,
  PreconditionFailed: precondition,
  ConditionalRequestConflict: precondition,
  OperationAborted: precondition,
  InvalidPart: invalidPart,
  InvalidPartOrder: invalidPart,
  EntityTooSmall: invalidPart,
};

/** Codes of a wrong region or endpoint. */
const WRONG_PLACE: ReadonlySet<string> = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "Redirect",
  "AuthorizationHeaderMalformed",
  "AuthorizationQueryParametersError",
  "IllegalLocationConstraintException",
  "InvalidRegion",
  "InvalidRegionName",
]);

/** Returns the StorageError that a response of an S3 server means. */
export function s3Error(settings: S3SettingsBody, refusal: Reply): StorageError {
  const root = readXml(refusal.text);
  const code = root?.name === "Error" ? textOf(root, "Code") : null;
  if (!root || code === null) return errorOfStatus(settings, refusal);
  const message = textOf(root, "Message")?.trim();
  const providerMessage = withoutKeys(settings, message ? `${code}: ${message}` : code);
  if (settings.session_token && /^(ExpiredToken|InvalidToken)$/.test(code)) {
    const sentence = "The session token has expired or is invalid. Enter a new temporary access key.";
    return new StorageError("invalid_config", sentence, { field: "session_token", providerMessage });
  }
  const meaning = WRONG_PLACE.has(code)
    ? wrongPlace(settings, refusal, root)
    : meaningOf(code, message ?? "");
  if (code === "NoSuchBucket") return notABucket(settings, providerMessage);
  if (meaning) return new StorageError(meaning.code, meaning.sentence, { ...meaning, providerMessage });
  return new StorageError(codeOfStatus(refusal.status), sentenceOf(refusal.status), { providerMessage });
}

function meaningOf(code: string, message: string): Meaning | undefined {
  // Swift's error for a quota, and R2's for a malformed access key.
  if (code === "EntityTooLarge" && /quota/i.test(message)) return full;
  if (code === "InvalidArgument" && /access key/i.test(message)) return unknownKey;
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
}

function wrongPlace(settings: S3SettingsBody, { headers }: Reply, root: XmlElement): Meaning {
  const region = textOf(root, "Region") ?? headers.get("x-amz-bucket-region");
  const endpoint = textOf(root, "Endpoint");
  const suggestion = endpoint ? ` Its endpoint is ${endpoint}.` : "";
  if (region && region !== settings.region) {
    const sentence = `The storage expects the region "${region}", not "${settings.region}".${suggestion}`;
    return { code: "invalid_config", sentence, field: "region" };
  }
  if (endpoint) {
    const sentence = `The bucket is not at this endpoint.${suggestion}`;
    return { code: "invalid_config", sentence, field: "endpoint" };
  }
  return {
    code: "invalid_config",
    sentence: `The storage does not accept the region "${settings.region}".`,
    field: "region",
  };
}

/** Judges a response without an S3 error by its status. Its body (a page, a proxy's text) is not repeated. */
function errorOfStatus(settings: S3SettingsBody, { status, headers }: Reply): StorageError {
  if (status >= 300 && status < 400) {
    const target = URL.parse(headers.get("location") ?? "", settings.endpoint);
    const sentence = `The endpoint redirects${target ? ` to ${target.origin}` : ""}; expected the address of the S3 server itself.`;
    return new StorageError("invalid_config", sentence, { field: "endpoint" });
  }
  const code = codeOfStatus(status);
  if (code === "unavailable" && status < 500 && status !== 429) return notS3(status);
  if (code === "not_found") return notS3(status);
  return new StorageError(code, sentenceOf(status));
}

/** Returns the error for an endpoint that does not have the bucket. */
export function notABucket({ endpoint, bucket }: S3SettingsBody, providerMessage?: string): StorageError {
  const { protocol, host } = new URL(endpoint);
  const hint = host.startsWith(`${bucket}.`)
    ? ` If the endpoint includes the bucket, enter ${protocol}//${host.slice(bucket.length + 1)} instead.`
    : "";
  const sentence = `The bucket does not exist at this endpoint.${hint}`;
  return new StorageError("invalid_config", sentence, { field: "bucket", providerMessage });
}

/** Returns the error for an endpoint that is not an S3 server. */
export function notS3(status: number): StorageError {
  const sentence = `The endpoint is not an S3 server: it responded with status ${status} and without S3's XML.`;
  return new StorageError("invalid_config", sentence, { field: "endpoint" });
}

function sentenceOf(status: number): string {
  switch (codeOfStatus(status)) {
    case "denied":
      return denied.sentence;
    case "not_found":
      return "The storage does not have the file.";
    case "conflict":
      return precondition.sentence;
    case "quota_exceeded":
      return full.sentence;
    default:
      return status === 429 || status >= 500
        ? `The storage failed or is overloaded (status ${status}).`
        : `The storage rejected the request (status ${status}).`;
  }
}

/** Returns a server's message without the access key and its secrets, and cut if it is long. */
function withoutKeys(
  { access_key_id, secret_access_key, session_token }: S3SettingsBody,
  message: string,
): string {
  const words = message
    .replace(/\s+/g, " ")
    .replaceAll(secret_access_key, "…")
    .replaceAll(access_key_id, "…")
    .replaceAll(session_token ?? secret_access_key, "…");
  return words.length > MAX_MESSAGE_CHARACTERS ? `${words.slice(0, MAX_MESSAGE_CHARACTERS)}…` : words;
}
