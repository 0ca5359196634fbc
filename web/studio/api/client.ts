import { type AnswerOf, type Operations, type RequestOf, Vivimark } from "../../../client/client.ts";
import { Unreachable } from "./errors.ts";
import { afterRateLimits } from "./rate-limit.ts";
import { type Transfer, transfer } from "./transfer.ts";

/** The API, called as the person who is signed in. */
export const vivimark = clientOf((request) =>
  request.method === "GET" ? afterRateLimits(() => send(request), request.signal) : send(request),
);

/** Calls `onEnd` when the API answers that the session has ended. */
export const sessionEnded = { onEnd: () => {} };

/** Returns a client for a page whose link contains a key of its own. */
export function clientWith(key: string): Vivimark {
  return new Vivimark({ url: location.origin, key, fetch: send });
}

function clientOf(fetch: (request: Request) => Promise<Response>): Vivimark {
  return new Vivimark({ url: location.origin, fetch: async (request) => checked(await fetch(request)) });
}

/** Sends a request. @throws Unreachable if nothing answers */
export async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw error instanceof TypeError ? new Unreachable() : error;
  }
}

/** Statuses of a proxy whose server is down. */
const GATEWAY_ERRORS = [502, 503, 504];

/** @throws Unreachable if a proxy answered in place of Vivimark */
function checked(response: Response): Response {
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  if (response.status === 401 && isProblem) sessionEnded.onEnd();
  if (GATEWAY_ERRORS.includes(response.status) && !isProblem) throw new Unreachable();
  return response;
}

/** Operations that upload a file. */
type Upload =
  | "POST /api/ar-content"
  | "PUT /api/ar-content/{id}/image"
  | "PUT /api/ar-content/{id}/video"
  | "PUT /api/ar-content/{id}/video-uploads/{upload_id}/parts/{number}";

/** Calls an operation and reports how much of its body has been sent. Aborts as {@link transfer} does. */
export function upload<Name extends Upload>(
  name: Name,
  request: Omit<RequestOf<Name>, "body" | "signal"> & { readonly body: FormData | Blob },
  { onSent, signal }: Pick<Transfer, "onSent" | "signal">,
): Promise<AnswerOf<Name>> {
  const { body } = request;
  const client = clientOf(({ method, url, headers }) => {
    // For a form, the browser sets the Content-Type with the boundary.
    const type = body instanceof FormData ? null : headers.get("Content-Type");
    return transfer({ method, url, body, type, onSent, signal });
  });
  // biome-ignore lint/suspicious/noExplicitAny: TypeScript cannot tell that the request is complete
  return client.call<Upload>(name, request as any) as Promise<Operations[Name]["answer"]>;
}
