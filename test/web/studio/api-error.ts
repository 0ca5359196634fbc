import { ApiError, type ErrorCode, type Problem } from "../../../client/client.ts";

/** Returns the error that the client throws for an answer of the API. */
export function apiError(
  code: ErrorCode,
  status: number,
  detail: string,
  { errors, retryAfterSeconds }: { errors?: Problem["errors"]; retryAfterSeconds?: number } = {},
): ApiError {
  return new ApiError({ type: "about:blank", title: code, status, detail, code, errors }, retryAfterSeconds);
}
