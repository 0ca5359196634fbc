/// <reference path="./node-async-hooks.d.ts" />
import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The log: one line of JSON an event, on the console, which the platform keeps. Ids and codes only: no secret,
 * no body, no query and no address that is a secret itself gets here.
 */

/** What is known of the work during which something happens; each line has it. It grows as it is found out. */
export interface Scope {
  /** As the answer's X-Request-Id says it. */
  request_id?: string;
  company_id?: string;
  actor?: { readonly kind: "person" | "key"; readonly id: string };
  /** Of the refusal. */
  code?: string;
  /** The queue's message. */
  message?: object;
  /** What runs without anybody asking. */
  job?: "sweep";
}

const scopes = new AsyncLocalStorage<Scope>();

/** Does some work, all of whose lines in the log have what is known of it. */
export function during<T>(scope: Scope, work: () => T): T {
  return scopes.run({ ...scope }, work);
}

/** Adds to what is known. */
export function addLogContext(facts: Partial<Scope>): void {
  Object.assign(scopes.getStore() ?? {}, facts);
}

export function logEvent(event: string, facts: Readonly<Record<string, unknown>>): void {
  console.log(line("info", event, facts));
}

/**
 * @param what happened, and what becomes of it
 * @param error told without what could be a secret, and its causes
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
  return JSON.stringify({ time, level, event, ...scopes.getStore(), ...facts });
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
    // Without the message, with which a stack begins.
    at: (stack.match(/^ {4}at .*$/gm) ?? []).slice(0, MAX_FRAMES).map((frame) => frame.trim()),
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: described(cause, depth + 1) } : {}),
  };
}

/** The message of a failed query lists what was bound to it: hashes, sealed settings, what people wrote. */
function messageOf(error: Error): string {
  if ("query" in error && "params" in error) return `Failed query: ${String(error.query)}`;
  return error.message;
}

/** For messages that others wrote: signed addresses, keys and tokens are cut. */
export function redacted(text: string): string {
  return text
    .replace(/(https?:\/\/[^\s"'?#]*)[?#][^\s"']*/gi, "$1?…")
    .replace(/\b(Bearer|OAuth|Basic) +[^\s"',;]+/gi, "$1 …")
    .replace(/\b(vivi_|whsec_)[\w+/=-]+/g, "$1…");
}
