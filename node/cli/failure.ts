import { CompileError } from "../../compiler/types.ts";

/** The exit codes, which `vivimark --help` lists. A signal ends the process as usual. */
export const EXIT = {
  ok: 0,
  /** An image or a .mind file was refused. */
  refused: 1,
  /** The command line is invalid. */
  usage: 2,
  /** A file is missing, or cannot be read or written. */
  file: 3,
  /** A bug in Vivimark. */
  bug: 70,
} as const;

export interface FailureReport {
  /** A CompileErrorCode, `usage`, or Node's code of a file error in lower case. */
  readonly code: string;
  readonly message: string;
  /** The file, as given on the command line; null for the whole command. */
  readonly file: string | null;
}

/** The reasons why a command did nothing, one per input. The first one determines the exit code. */
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
 * Converts an error that was thrown while processing `file` to a Failure. Throws an unexpected error again.
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
