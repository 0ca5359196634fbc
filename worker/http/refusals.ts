import { CompileError } from "../../compiler/types.ts";
import { Refusal, STORAGE_CODES } from "../errors.ts";
import { logFailure } from "../log.ts";
import { StorageError } from "../storage/provider.ts";
import { VaultError } from "../storage/secrets.ts";

/** What an error means to a caller; null: it is a bug, of which nothing is told. */
export function refusalFor(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof CompileError) return new Refusal(error.code, error.message);
  if (error instanceof StorageError) {
    const { code, message, field } = error;
    const fields = field === undefined ? [] : [{ field: `settings.${field}`, detail: message }];
    return new Refusal(STORAGE_CODES[code], message, {}, fields);
  }
  if (error instanceof VaultError) {
    logFailure("Settings could not be sealed or opened", error);
    return new Refusal(
      "secrets_unavailable",
      "What is kept secret cannot be decrypted or encrypted here: SECRETS_KEYS is missing, or another one.",
    );
  }
  return null;
}
