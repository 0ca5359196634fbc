import { CompileError } from "../../compiler/types.ts";
import { Refusal, STORAGE_CODES } from "../errors.ts";
import { logFailure } from "../log.ts";
import { StorageError } from "../storage/provider.ts";
import { VaultError } from "../storage/secrets.ts";

/** Returns the API error for an expected error; null for a bug, whose details stay internal. */
export function refusalFor(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof CompileError) return new Refusal(error.code, error.message);
  if (error instanceof StorageError) {
    const { code, message, field } = error;
    const fields = field === undefined ? [] : [{ field: `settings.${field}`, detail: message }];
    return new Refusal(STORAGE_CODES[code], message, {}, fields);
  }
  if (error instanceof VaultError) {
    logFailure("Secrets could not be encrypted or decrypted", error);
    return new Refusal(
      "secrets_unavailable",
      "Stored secrets cannot be read: SECRETS_KEYS is missing or does not match. Ask the operator to set it.",
    );
  }
  if (isForeignKeyError(error)) {
    logFailure("The database refused a change for a reference", error);
    return new Refusal(
      "conflict",
      "At the same moment, another request deleted what this request refers to, or began to use what it deletes. " +
        "Reload and try again.",
    );
  }
  return null;
}

/** Tells whether the database refused a change because a row would refer to one that does not exist. */
function isForeignKeyError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("FOREIGN KEY constraint failed") || isForeignKeyError(error.cause);
}
