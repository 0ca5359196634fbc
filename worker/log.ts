/// <reference path="./node-async-hooks.d.ts" />
import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The log: one line of JSON per event on the console, which the platform stores. It contains ids and codes, but
 * never secrets, bodies, queries or URLs that are secrets themselves.
 */

/** The fields that every line of a request or job has. */
export interface LogContext {
  /** The id in X-Request-Id: of a request to us, or of ours to the Node compiler. */
  request_id?: string;
  /** The compilation of an attempt. */
  task_id?: string;
  company_id?: string;
  actor?: { readonly kind: "person" | "key"; readonly id: string };
  /** The error code of the response. */
  code?: string;
  /** The queue's message. */
  message?: object;
  /** The scheduled job. */
  job?: "sweep";
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs `work`; all its log lines have the fields of `context`. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
  return contexts.run({ ...context }, work);
}

/** Adds fields to all later lines of the running request or job. */
export function addLogContext(facts: Partial<LogContext>): void {
  Object.assign(contexts.getStore() ?? {}, facts);
}

export function logEvent(event: string, facts: Readonly<Record<string, unknown>>): void {
  console.log(line("info", event, facts));
}

/**
 * Logs a failure.
 *
 * @param what happened, and what follows from it
 * @param error is logged with its causes, without secrets
 */
export function logFailure(
  what: string,
  error: unknown = null,
  facts: Readonly<Record<string, unknown>> = {},
): void {
  console.error(line("error", "failure", { what, ...facts, error: error && described(error) }));
}

function line(level: "info" | "error", event: string, facts: object): string {
  const time = new Date().toISOString();
  return JSON.stringify({ time, level, event, ...contexts.getStore(), ...facts });
}

interface Described {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly at: readonly string[];
  readonly cause?: Described;
}

const MAX_CAUSES = 4;
const MAX_FRAMES = 12;

function described(error: unknown, depth = 0): Described {
  if (!(error instanceof Error)) return { name: typeof error, message: redacted(String(error)), at: [] };
  const { name, stack = "", cause } = error;
  return {
    name,
    message: redacted(messageOf(error)),
    ...("code" in error ? { code: error.code } : {}),
    // Without the message, which the stack starts with.
    at: (stack.match(/^ {4}at .*$/gm) ?? []).slice(0, MAX_FRAMES).map((frame) => frame.trim()),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: described(cause, depth + 1) } : {}),
  };
}

/** Leaves out the bound parameters of a failed query: hashes, encrypted settings, personal data. */
function messageOf(error: Error): string {
  if ("query" in error && "params" in error) return `Failed query: ${String(error.query)}`;
  return error.message;
}

/** Cuts signed URLs, keys and tokens out of a message. */
export function redacted(text: string): string {
  return text
    .replace(/(https?:\/\/[^\s"'?#]*)[?#][^\s"']*/gi, "$1?…")
    .replace(/\b(Bearer|OAuth|Basic) +[^\s"',;]+/gi, "$1 …")
    .replace(/\b(vivi_|whsec_)[\w+/=-]+/g, "$1…");
}
