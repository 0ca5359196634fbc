// What the two forms of markers, `.mind` files and compact ones, have in common. Apart from them, because pages need no
// decoder.

import { CompileError } from "./types.ts";

/** Most targets of a marker of unknown origin. */
export const MAX_TARGETS = 256;

/** The fault of a file: a well-known one by name, or `malformed` for any other. */
export type MarkerFault =
  | "empty"
  | "html"
  | "json"
  | "foreign_file"
  | "wrong_version"
  | "null_descriptors"
  | "truncated"
  | "malformed";

/** An `invalid_marker` error; `fault` is the kind of fault. */
export class InvalidMarkerError extends CompileError {
  readonly fault: MarkerFault;

  constructor(fault: MarkerFault, message: string) {
    super("invalid_marker", message);
    this.fault = fault;
  }
}
