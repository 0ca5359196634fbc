import { ApiError, type ErrorCode } from "../../../client/client.ts";
import { t } from "../language.ts";
import { dateTime, moment } from "../ui/format.ts";

/** The request got no answer: the browser is offline, or the server is down. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor() {
    super(t.api.unreachable);
  }
}

/** Matches the times in the API's messages. */
const UTC_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Returns the message of an error, with its times in the browser's time zone. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const retryAt = retryTimeOf(error);
  if (retryAt === null) return error.message.replace(UTC_TIME, dateTime);
  // The API's message counts seconds from now. This one stays on the page for longer.
  const time = moment(retryAt);
  return error.code === "too_many_attempts" ? t.api.tooManyAttempts(time) : t.api.rateLimited(time);
}

/** Returns when a rate limit allows the next try, in milliseconds of the epoch; null for all other errors. */
export function retryTimeOf({ status, retryAfterSeconds }: ApiError): number | null {
  if (status !== 429 || retryAfterSeconds === undefined) return null;
  return Date.now() + retryAfterSeconds * 1_000;
}

export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof ApiError && error.code === code;
}
