import { OpenAPIHono, z } from "@hono/zod-openapi";
import { APIError } from "better-auth/api";
import { authOf } from "../accounts/auth.ts";
import {
  assertPasskeys,
  assertRoomForPasskey,
  findPasskey,
  passkeyMessage,
  passkeysOf,
  removePasskey,
} from "../accounts/passkeys.ts";
import { confirmPassword } from "../accounts/people.ts";
import { newPasskey, passkey, passkeyList, passkeyOptions, passwordProof } from "../accounts/schemas.ts";
import { personEntry } from "../audit/log.ts";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { linkOriginOf, originOf } from "../http/origin.ts";
import { personRoute } from "./guarded.ts";

/** A person's own passkeys. better-auth handles signing in with one: worker/routes/auth.ts. */

const proof = jsonBody(passwordProof);

const list = personRoute({
  method: "get",
  path: "/",
  operationId: "listPasskeys",
  summary: "List your passkeys, oldest first",
  responses: { 200: answers(passkeyList, "The passkeys") },
});

const begin = personRoute({
  method: "post",
  path: "/options",
  operationId: "beginPasskey",
  summary: "Start adding a passkey",
  description:
    "Pass the response to `navigator.credentials.create` and send the result within five minutes. The response sets a " +
    "cookie. The password is required, because a passkey gives access without a password.",
  middleware: [readJson] as const,
  request: { body: proof },
  responses: {
    200: answers(passkeyOptions, "The WebAuthn options"),
    ...problems("no_passkeys_here", "public_url_missing", "too_many_attempts", ...JSON_REFUSALS),
  },
});

const add = personRoute({
  method: "post",
  path: "/",
  operationId: "addPasskey",
  summary: "Add the passkey that the browser created",
  middleware: [readJson] as const,
  request: { body: jsonBody(newPasskey) },
  responses: {
    201: answers(passkey, "The new passkey"),
    ...problems("no_passkeys_here", "public_url_missing", ...JSON_REFUSALS),
  },
});

const remove = personRoute({
  method: "delete",
  path: "/{id}",
  operationId: "removePasskey",
  summary: "Remove a passkey",
  description: "The password is required. Sessions that the passkey started continue.",
  middleware: [readJson] as const,
  request: {
    params: z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) }),
    body: proof,
  },
  responses: {
    204: { description: "Removed" },
    ...problems("not_found", "too_many_attempts", ...JSON_REFUSALS),
  },
});

export const passkeyRoutes = new OpenAPIHono<AppEnv>()
  .openapi(list, async (c) => {
    const items = (await passkeysOf(c.env.db, c.var.person.id)).map(passkeyBody);
    return c.json({ items }, 200);
  })
  .openapi(begin, async (c) => {
    assertPasskeys(linkOriginOf(c));
    const { current_password: password } = c.req.valid("json");
    await confirmPassword(c.env.db, {
      person: c.var.person,
      password,
      now: c.env.now(),
    });
    await assertRoomForPasskey(c.env.db, c.var.person.id);
    const { headers, response } = await libraryOf(c).generatePasskeyRegistrationOptions({
      headers: c.req.raw.headers,
      returnHeaders: true,
    });
    for (const cookie of headers.getSetCookie()) c.header("Set-Cookie", cookie, { append: true });
    return c.json({ ...response }, 200);
  })
  .openapi(add, async (c) => {
    assertPasskeys(linkOriginOf(c));
    const { person, creation } = c.var;
    const { name, response } = c.req.valid("json");
    const existing = creation.isRepeated && (await findPasskey(c.env.db, person.id, response.id));
    if (existing) return c.json(passkeyBody(existing), 201);
    await assertRoomForPasskey(c.env.db, person.id);
    const added = await libraryOf(c)
      .verifyPasskeyRegistration({ headers: c.req.raw.headers, body: { name, response } })
      .catch((error) => {
        if (!(error instanceof APIError)) throw error;
        throw new Refusal("invalid_input", passkeyMessage(error.body?.code) ?? error.message);
      });
    await personEntry(c.env.db, {
      userId: person.id,
      action: "person.passkey_added",
      address: addressOf(c),
      now: c.env.now(),
    });
    return c.json(passkeyBody({ ...added, name }), 201);
  })
  .openapi(remove, async (c) => {
    const { person } = c.var;
    const { id } = c.req.valid("param");
    const { current_password: password } = c.req.valid("json");
    const request = { address: addressOf(c), now: c.env.now() };
    await confirmPassword(c.env.db, { person, password, ...request });
    if (!(await removePasskey(c.env.db, { userId: person.id, id, ...request }))) {
      throw new Refusal("not_found", `None of your passkeys has the id "${id.slice(0, 100)}".`);
    }
    return c.body(null, 204);
  });

function libraryOf(c: { env: AppEnv["Bindings"]; req: { url: string } }) {
  return authOf(c.env, originOf(c), new URL(c.req.url).origin).api;
}

function passkeyBody({ id, name, createdAt }: { id: string; name: string; createdAt: Date }) {
  return { id, name, created_at: createdAt.toISOString() };
}
