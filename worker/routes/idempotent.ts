import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../bindings.ts";
import * as idempotency from "../db/idempotency.ts";
import { Refusal } from "../errors.ts";
import { Fingerprint } from "../http/fingerprint.ts";
import { multipartBoundary } from "../http/multipart.ts";
import type { RequestBody } from "../http/request-body.ts";
import { logFailure } from "../log.ts";

/** Handles the Idempotency-Key of POST requests (draft-ietf-httpapi-idempotency-key-header). */

const MAX_KEY_LENGTH = 200;

/** `Retry-After` for a client whose first request is still running. */
const RETRY_SECONDS = 1;

/** Response headers that are stored and replayed. */
const REPLAYED_HEADERS = ["Content-Type", "Location", "ETag"] as const;

/** Query parameters that change how long the response takes, not what the request does. */
const IGNORED_PARAMETERS = ["wait"] as const;

/** Longest body of a response that is kept, as UTF-8. One photo has up to 10 kB, 500 photos of a batch 120 kB. */
const MAX_KEPT_BODY_BYTES = 10_000;

/**
 * A response as it is stored, encrypted. For a long one, what its handler needs to make it again; otherwise, as for one
 * with a secret, only the refusal of the requests that repeat it.
 */
type StoredResponse =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly summary: string }
  | StoredRefusal;

interface StoredRefusal {
  readonly refusal: string;
  readonly code: "secret_shown_once" | "response_not_kept";
  readonly headers?: Readonly<Record<string, string>>;
}

interface CreatingEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & { creation: idempotency.Creation };
}

/**
 * Returns a middleware that runs a request with an Idempotency-Key at most once. It belongs after the guard.
 *
 * @param ownerOf returns the company or person whose keys the request's key is one of
 */
export function idempotentFor<E extends AppEnv>(
  ownerOf: (c: Context<E>) => idempotency.KeyOwner | Promise<idempotency.KeyOwner>,
): MiddlewareHandler<E> {
  return async (c, next) => {
    const header = c.req.header("Idempotency-Key");
    if (header === undefined) return next();
    return runOnce(c as unknown as Context<CreatingEnv>, header, await ownerOf(c), next);
  };
}

async function runOnce(
  c: Context<CreatingEnv>,
  header: string,
  owner: idempotency.KeyOwner,
  next: () => Promise<void>,
): Promise<Response | undefined> {
  const key = keyOf(header);
  const { db, storages, now } = c.env;
  if (storages.newestKeyId === null) {
    throw new Refusal(
      "secrets_unavailable",
      "An Idempotency-Key needs encrypted storage for the response, and SECRETS_KEYS is not set. Ask the operator to set it, or send no key.",
    );
  }
  const { body } = c.var;
  const fingerprint = fingerprintOf(c.req.url, body);
  const route = `${c.req.method} ${c.req.path}`;
  const claim = await idempotency.claim(db, { owner, route, key, now: now() });
  if (claim.kind === "running") throw inProgress();
  if (claim.kind === "full") throw noRoom(claim.max);

  if (claim.kind === "answered") {
    body.observe({ write: (chunk) => fingerprint.write(chunk) });
    await body.skip();
    if ((await fingerprint.end()) !== claim.fingerprint) throw reused();
    const text = await storages.openText(claim.answer, contextOf(claim.rowId));
    const stored = JSON.parse(text) as StoredResponse;
    if ("refusal" in stored) throw new Refusal(stored.code, stored.refusal, stored.headers);
    if ("summary" in stored) {
      c.set("creation", { id: claim.creationId, isRepeated: true, summary: stored.summary });
      await next();
      c.res.headers.set("Idempotency-Replayed", "true");
      return;
    }
    const { status, headers } = stored;
    return new Response(stored.body, { status, headers: { ...headers, "Idempotency-Replayed": "true" } });
  }

  const { lease } = claim;
  c.set("creation", lease);
  const noteFingerprint = async () => {
    const first = await idempotency.saveFingerprint(db, lease, await fingerprint.end());
    if (first === undefined) throw inProgress();
    if (first !== (await fingerprint.end())) throw reused();
  };
  // At the end of the body: routes that read it first have created nothing yet.
  body.observe({ write: (chunk) => fingerprint.write(chunk), end: noteFingerprint });
  const heartbeat = setInterval(() => {
    idempotency
      .extendLease(db, lease, now())
      .catch((error) => logFailure("The lease of an Idempotency-Key could not be extended", error));
  }, idempotency.EXTEND_MILLISECONDS);
  try {
    await next();
  } finally {
    clearInterval(heartbeat);
  }
  try {
    const { status } = c.res;
    if (status >= 400) {
      const mayBeCreated = status >= 500 || lease.isRepeated;
      await (mayBeCreated ? idempotency.expireLease(db, lease, now()) : idempotency.deleteKey(db, lease));
      return;
    }
    await body.skip();
    await noteFingerprint();
    const sealed = (stored: StoredResponse) =>
      storages.sealText(JSON.stringify(stored), contextOf(lease.rowId));
    const short = refusalOf(c);
    await idempotency.saveAnswer(db, lease, {
      answer: await sealed((await storedResponse(c)) ?? short),
      short: await sealed(short),
    });
  } catch (error) {
    // The request has succeeded. A retry finds the created object under its id.
    logFailure("The response to a request with an Idempotency-Key could not be stored", error);
    // If this fails too, the lease ends within a minute.
    await idempotency.expireLease(db, lease, now()).catch(() => {});
  }
}

/** Returns what is stored of a response; undefined for one that has a secret or is too long. */
async function storedResponse({ res, var: { shownOnce, summary } }: Context<CreatingEnv>) {
  if (shownOnce !== undefined) return undefined;
  const body = await res.clone().text();
  const isLong = new TextEncoder().encode(body).length > MAX_KEPT_BODY_BYTES;
  if (isLong) return summary === undefined ? undefined : { summary };
  const replayed = REPLAYED_HEADERS.map((name) => [name, res.headers.get(name) ?? ""]);
  const headers = Object.fromEntries(replayed.filter(([, value]) => value !== ""));
  return { status: res.status, headers, body };
}

/** Returns the refusal of requests that repeat one whose response is not stored: what it created, or where. */
function refusalOf({ res: { status, headers }, var: { shownOnce } }: Context<CreatingEnv>): StoredRefusal {
  if (shownOnce !== undefined) {
    return { refusal: `${shownOnce} The secret was only in the first response.`, code: "secret_shown_once" };
  }
  const location = headers.get("Location");
  const advice = location ? `Read what it created at ${location}.` : "It was not run again.";
  return {
    refusal: `The first request with this Idempotency-Key succeeded with status ${status}, but there was no space to keep its response. ${advice}`,
    code: "response_not_kept",
    headers: location ? { Location: location } : {},
  };
}

function noRoom(max: number): Refusal {
  return new Refusal(
    "quota_exceeded",
    `${max.toLocaleString("en")} Idempotency-Keys are in use, the maximum. Each is kept for 24 hours. Send the request without a key, or try again later.`,
  );
}

function contextOf(rowId: string): string {
  return `idempotency_keys/${rowId}`;
}

function fingerprintOf(url: string, body: RequestBody): Fingerprint {
  const query = new URL(url).searchParams;
  for (const name of IGNORED_PARAMETERS) query.delete(name);
  query.sort();
  return new Fingerprint(query.toString(), body.mediaType ?? "", multipartBoundary(body) ?? "");
}

/** Returns the key: a quoted string (RFC 8941) or, as most clients send it, the bare characters. */
function keyOf(header: string): string {
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(header)?.[1].replace(/\\(["\\])/g, "$1");
  const key = quoted ?? (/^[!#-~]*$/.test(header) ? header : "");
  if (key.length >= 1 && key.length <= MAX_KEY_LENGTH) return key;
  throw new Refusal(
    "invalid_idempotency_key",
    `The Idempotency-Key is invalid (${header.length} characters received); expected 1 to ${MAX_KEY_LENGTH} printable ` +
      "ASCII characters, such as a UUID in double quotes.",
  );
}

function inProgress(): Refusal {
  return new Refusal(
    "request_in_progress",
    `Another request with this Idempotency-Key is still running. Try again in ${RETRY_SECONDS} s to get its response.`,
    { "Retry-After": String(RETRY_SECONDS) },
  );
}

function reused(): Refusal {
  return new Refusal(
    "idempotency_key_reused",
    "This Idempotency-Key was used for a different request. Use a new key for a new request.",
  );
}
