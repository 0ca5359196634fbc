import { CompileError } from "../../compiler/types.ts";

/** What a script can tell apart; `vivimark --help` lists them. A signal ends the process as it always does. */
export const EXIT = {
  ok: 0,
  /** An image or a .mind file is not what it should be. */
  refused: 1,
  /** The command itself makes no sense. */
  usage: 2,
  /** A file is not there, or cannot be read or written. */
  file: 3,
  /** A fault of Vivimark's own. */
  bug: 70,
} as const;

export interface FailureReport {
  /** A CompileErrorCode, `usage`, or Node's code of a file error in lower case. */
  readonly code: string;
  readonly message: string;
  /** What it is about, as it was given; null for the command as a whole. */
  readonly file: string | null;
}

/** Why a command did nothing. Several inputs may each have their reason; the first one decides the exit code. */
export class Failure extends Error {
  readonly exit: number;
  readonly reports: readonly FailureReport[];

  constructor(exit: number, reports: readonly FailureReport[]) {
    super(reports.map(({ message }) => message).join("\n"));
    this.exit = exit;
    this.reports = reports;
  }
}

export function usageFailure(message: string, file: string | null = null): Failure {
  return new Failure(EXIT.usage, [{ code: "usage", message, file }]);
}

/**
 * Turns what was thrown while working on `file` into a failure.
 *
 * @throws the error itself when it is not an expected one
 */
export function failureOf(error: unknown, file: string | null): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CompileError) {
    const exit = error.code === "invalid_option" ? EXIT.usage : EXIT.refused;
    return new Failure(exit, [{ code: error.code, message: error.message, file }]);
  }
  if (isFileError(error)) {
    const message = FILE_ERRORS[error.code] ?? error.message;
    return new Failure(EXIT.file, [{ code: error.code.toLowerCase(), message, file }]);
  }
  throw error;
}

/** Throws one failure that combines all; does nothing for an empty list. */
export function throwFailures(failures: readonly Failure[]): void {
  if (failures.length > 0) {
    throw new Failure(
      failures[0].exit,
      failures.flatMap(({ reports }) => reports),
    );
  }
}

const FILE_ERRORS: Record<string, string> = {
  ENOENT: "The file or folder does not exist.",
  ENOTDIR: "A part of the path is not a folder.",
  EISDIR: "This is a folder, expected a file.",
  EACCES: "Permission denied.",
  EPERM: "The operation is not permitted.",
  EROFS: "The file system is read-only.",
  ENOSPC: "No space is left on the device.",
  EDQUOT: "The disk quota is used up.",
  EFBIG: "The file would be too large.",
  ENAMETOOLONG: "The name is too long.",
  ELOOP: "The path is a loop of symbolic links.",
  EMFILE: "Too many files are open.",
  ERR_FS_FILE_TOO_LARGE: "The file is larger than 2 GiB.",
};

function isFileError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return "syscall" in error || error.code in FILE_ERRORS;
}
