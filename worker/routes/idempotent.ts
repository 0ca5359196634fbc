import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../bindings.ts";
import * as idempotency from "../db/idempotency.ts";
import { Refusal } from "../errors.ts";
import { Fingerprint } from "../http/fingerprint.ts";
import { multipartBoundary } from "../http/multipart.ts";
import type { RequestBody } from "../http/request-body.ts";
import { logFailure } from "../log.ts";

/** What a POST does with an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). */

const MAX_KEY_LENGTH = 200;

/** Whoever waits for another request asks again this soon. */
const RETRY_SECONDS = 1;

/** Headers of an answer that belong to it. */
const KEPT_HEADERS = ["Content-Type", "Location", "ETag"] as const;

/** Parts of a query that change how long the answer takes, not what is asked. */
const UNIMPORTANT = ["wait"] as const;

/** An answer as it is kept, sealed: it may bring a secret that is shown once. */
interface Kept {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is set when there is a key. */
interface CreatingEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & { creation: idempotency.Creation };
}

/** @param ownerOf whose a request's key is, for which the request must have been let in */
export function idempotentFor<E extends AppEnv>(
  ownerOf: (c: Context<E>) => idempotency.KeyOwner | Promise<idempotency.KeyOwner>,
): MiddlewareHandler<E> {
  return async (c, next) => {
    const header = c.req.header("Idempotency-Key");
    if (header === undefined) return next();
    return answered(c as unknown as Context<CreatingEnv>, header, await ownerOf(c), next);
  };
}

async function answered(
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
      "Answers to requests with an Idempotency-Key are kept sealed; SECRETS_KEYS is not set.",
    );
  }
  const { body } = c.var;
  const fingerprint = fingerprintOf(c.req.url, body);
  const route = `${c.req.method} ${c.req.path}`;
  const claim = await idempotency.claim(db, owner, route, key, now());
  if (claim.kind === "running") throw inProgress();

  if (claim.kind === "answered") {
    body.observe({ write: (chunk) => fingerprint.write(chunk) });
    await body.drain();
    if ((await fingerprint.end()) !== claim.fingerprint) throw reused();
    const {
      status,
      headers,
      body: text,
    } = JSON.parse(await storages.openText(claim.answer, contextOf(claim.rowId))) as Kept;
    return new Response(text, { status, headers: { ...headers, "Idempotency-Replayed": "true" } });
  }

  const { held } = claim;
  c.set("creation", held);
  const note = async () => {
    const asked = await idempotency.noteFingerprint(db, held, await fingerprint.end());
    if (asked === undefined) throw inProgress();
    if (asked !== (await fingerprint.end())) throw reused();
  };
  // As soon as all of it is known: before anything is made, where the body is read first.
  body.observe({ write: (chunk) => fingerprint.write(chunk), end: note });
  const heartbeat = setInterval(() => {
    idempotency.prolong(db, held, now()).catch((error) => logFailure("A lease was not prolonged", error));
  }, idempotency.PROLONG_MILLISECONDS);
  try {
    await next();
  } finally {
    clearInterval(heartbeat);
  }
  try {
    const { status, headers } = c.res;
    if (status >= 400) {
      const mayBeMade = status >= 500 || held.isRepeated;
      await (mayBeMade ? idempotency.leave(db, held, now()) : idempotency.forget(db, held));
      return;
    }
    await body.drain();
    await note();
    const kept: Kept = {
      status,
      headers: Object.fromEntries(
        KEPT_HEADERS.map((name) => [name, headers.get(name) ?? ""]).filter(([, value]) => value !== ""),
      ),
      body: await c.res.clone().text(),
    };
    const sealed = await storages.sealText(JSON.stringify(kept), contextOf(held.rowId));
    await idempotency.keepAnswer(db, held, sealed);
  } catch (error) {
    // What was asked is done. Whoever asks again finds it under its id.
    logFailure("The answer to a request with an Idempotency-Key was not kept", error);
  }
}

function contextOf(rowId: string): string {
  return `idempotency_keys/${rowId}`;
}

function fingerprintOf(url: string, body: RequestBody): Fingerprint {
  const query = new URL(url).searchParams;
  for (const name of UNIMPORTANT) query.delete(name);
  query.sort();
  return new Fingerprint(query.toString(), body.mediaType ?? "", multipartBoundary(body) ?? "");
}

/** A string of RFC 8941 in its quotes; or, as most clients have it, without them. */
function keyOf(header: string): string {
  const quoted = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/.exec(header)?.[1].replace(/\\(["\\])/g, "$1");
  const key = quoted ?? (/^[!#-~]*$/.test(header) ? header : "");
  if (key.length >= 1 && key.length <= MAX_KEY_LENGTH) return key;
  throw new Refusal(
    "invalid_idempotency_key",
    `The Idempotency-Key has ${header.length} characters, some of which may be wrong; expected 1 to ` +
      `${MAX_KEY_LENGTH} printable characters of ASCII, such as a UUID, best in double quotes.`,
  );
}

function inProgress(): Refusal {
  return new Refusal(
    "request_in_progress",
    `Another request with this Idempotency-Key is being worked on; ask again in ${RETRY_SECONDS} s for its answer.`,
    { "Retry-After": String(RETRY_SECONDS) },
  );
}

function reused(): Refusal {
  return new Refusal(
    "idempotency_key_reused",
    "This Idempotency-Key came with another request before; a new request needs a new key.",
  );
}
