import { codeOfStatus, type Reply } from "./http.ts";
import { StorageError, type StorageErrorCode } from "./provider.ts";
import type { S3SettingsBody } from "./settings.ts";
import { readXml, textOf, type XmlElement } from "./xml.ts";

/** The backend's words are a sentence, not a page. */
const MAX_MESSAGE_CHARACTERS = 300;

interface Meaning {
  readonly code: StorageErrorCode;
  readonly sentence: string;
  readonly field?: keyof S3SettingsBody;
}

const clocks: Meaning = {
  code: "unavailable",
  sentence: "The storage's clock and ours differ by more than it allows; one of them is wrong.",
};
const unknownKey: Meaning = {
  code: "invalid_config",
  sentence: "The storage does not know this access key.",
  field: "access_key_id",
};
const denied: Meaning = { code: "denied", sentence: "The access key may not do this in this bucket." };
const full: Meaning = { code: "quota_exceeded", sentence: "The storage is full." };
const tooLarge: Meaning = { code: "quota_exceeded", sentence: "The storage takes no file of this size." };
const otherParts: Meaning = {
  code: "conflict",
  sentence: "A part is missing, is another one, or is too small.",
};
const precondition: Meaning = {
  code: "conflict",
  sentence: "What is stored under this name is not what the request expects.",
};

/**
 * The codes of S3 and of those who speak like it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: "not_found", sentence: "There is no such file." },
  NoSuchUpload: {
    code: "not_found",
    sentence: "This upload in parts is finished or was never begun.",
  },
  NoSuchBucket: {
    code: "invalid_config",
    sentence: "There is no bucket of this name at this endpoint.",
    field: "bucket",
  },
  InvalidBucketName: {
    code: "invalid_config",
    sentence: "The storage takes no bucket of this name.",
    field: "bucket",
  },
  InvalidAccessKeyId: unknownKey,
  Unauthorized: unknownKey,
  ExpiredToken: unknownKey,
  InvalidToken: unknownKey,
  SignatureDoesNotMatch: {
    code: "invalid_config",
    sentence: "The secret does not belong to this access key.",
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
  EntityTooLarge: tooLarge,
  PreconditionFailed: precondition,
  ConditionalRequestConflict: precondition,
  OperationAborted: precondition,
  InvalidPart: otherParts,
  InvalidPartOrder: otherParts,
  EntityTooSmall: otherParts,
};

/** Codes that say: another region, or another address. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "Redirect",
  "AuthorizationHeaderMalformed",
  "AuthorizationQueryParametersError",
  "IllegalLocationConstraintException",
  "InvalidRegion",
  "InvalidRegionName",
]);

/** A refusal in the words that all storages share. */
export function s3Error(settings: S3SettingsBody, refusal: Reply): StorageError {
  const root = readXml(refusal.text);
  const code = root?.name === "Error" ? textOf(root, "Code") : null;
  if (!root || code === null) return withoutWords(settings, refusal);
  const message = textOf(root, "Message")?.trim();
  const providerMessage = spoken(settings, message ? `${code}: ${message}` : code);
  const meaning = ELSEWHERE.has(code) ? elsewhere(settings, refusal, root) : meaningOf(code, message ?? "");
  if (meaning) return new StorageError(meaning.code, meaning.sentence, { ...meaning, providerMessage });
  return new StorageError(codeOfStatus(refusal.status), general(refusal.status), { providerMessage });
}

function meaningOf(code: string, message: string): Meaning | undefined {
  // Swift's words for a quota, and R2's for a key that cannot be one.
  if (code === "EntityTooLarge" && /quota/i.test(message)) return full;
  if (code === "InvalidArgument" && /access key/i.test(message)) return unknownKey;
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;
}

function elsewhere(settings: S3SettingsBody, { headers }: Reply, root: XmlElement): Meaning {
  const region = textOf(root, "Region") ?? headers.get("x-amz-bucket-region");
  const endpoint = textOf(root, "Endpoint");
  const answersAt = endpoint ? ` It answers at ${endpoint}.` : "";
  if (region && region !== settings.region) {
    const sentence = `The storage expects the region "${region}", not "${settings.region}".${answersAt}`;
    return { code: "invalid_config", sentence, field: "region" };
  }
  if (endpoint) {
    const sentence = `The bucket is not at this endpoint.${answersAt}`;
    return { code: "invalid_config", sentence, field: "endpoint" };
  }
  return {
    code: "invalid_config",
    sentence: `The storage does not take the region "${settings.region}".`,
    field: "region",
  };
}

/** A page, an empty body, a proxy's own words: not repeated, for nobody knows what is in them. */
function withoutWords(settings: S3SettingsBody, { status, headers }: Reply): StorageError {
  if (status >= 300 && status < 400) {
    const target = URL.parse(headers.get("location") ?? "", settings.endpoint);
    const sentence = `The endpoint redirects${target ? ` to ${target.origin}` : ""}, which S3's does not.`;
    return new StorageError("invalid_config", sentence, { field: "endpoint" });
  }
  const code = codeOfStatus(status);
  if (code === "unavailable" && status < 500 && status !== 429) return noS3(status);
  if (code === "not_found") return noS3(status);
  return new StorageError(code, general(status));
}

/** The endpoint is something, but no S3. */
export function noS3(status: number): StorageError {
  const sentence = `The endpoint does not answer as S3 does (status ${status}, and no XML that it would send).`;
  return new StorageError("invalid_config", sentence, { field: "endpoint" });
}

function general(status: number): string {
  switch (codeOfStatus(status)) {
    case "denied":
      return denied.sentence;
    case "not_found":
      return "The storage does not have what was asked for.";
    case "conflict":
      return precondition.sentence;
    case "quota_exceeded":
      return full.sentence;
    default:
      return status === 429 || status >= 500
        ? `The storage is in trouble or asks for patience (status ${status}).`
        : `The storage refuses this (status ${status}).`;
  }
}

function spoken({ access_key_id, secret_access_key }: S3SettingsBody, message: string): string {
  const words = message
    .replace(/\s+/g, " ")
    .replaceAll(secret_access_key, "…")
    .replaceAll(access_key_id, "…");
  return words.length > MAX_MESSAGE_CHARACTERS ? `${words.slice(0, MAX_MESSAGE_CHARACTERS)}…` : words;
}
