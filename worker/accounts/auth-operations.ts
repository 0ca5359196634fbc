import { type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { AppEnv } from "../bindings.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { PASSKEY_SIGN_IN } from "./passkeys.ts";

/**
 * better-auth's operations under /api/auth that are exposed, as the API document describes them; all others answer
 * 404. The library checks the bodies itself and names their fields in its own way.
 */

const email = z.email().max(254);

const credentials = z.object({ email, password: z.string() }).openapi("Credentials");

const account = z.object({ id: z.string(), name: z.string(), email: z.string() });

/** The session itself is in the cookie. */
const signedInAs = z.object({ user: account }).openapi("SignedInAs");

const currentSession = z
  .union([
    z.object({ session: z.object({ id: z.string(), expiresAt: z.iso.datetime() }), user: account }),
    z.null(),
  ])
  .openapi("CurrentSession");

/** The argument of a browser's `navigator.credentials.get`, as JSON with WebAuthn's names. */
const passkeyChallenge = z
  .looseObject({ challenge: z.string(), rpId: z.string() })
  .openapi("PasskeyChallenge");

/** The result of `navigator.credentials.get`, as JSON with WebAuthn's names. */
const passkeyAnswer = z
  .object({
    response: z.looseObject({
      id: z.string(),
      rawId: z.string(),
      type: z.literal("public-key"),
      response: z.looseObject({
        clientDataJSON: z.string(),
        authenticatorData: z.string(),
        signature: z.string(),
      }),
    }),
  })
  .openapi("PasskeyAnswer");

const signedOut = z.object({ success: z.literal(true) }).openapi("SignedOut");

/** Operations that begin or end a session, and so do not require one. */
const OPEN: RouteConfig["security"] = [];

/** The library refuses every body with a foreign address to redirect to, as `forbidden`. */
const ALWAYS = [
  "forbidden",
  "foreign_origin",
  "secrets_unavailable",
  "too_many_requests",
  ...JSON_REFUSALS,
] as const;

const OPERATIONS: readonly RouteConfig[] = [
  {
    method: "post",
    path: "/sign-in/email",
    operationId: "signIn",
    summary: "Sign in",
    description: "Sets the session cookie. The session selects the company that the person joined first.",
    security: OPEN,
    request: { body: jsonBody(credentials) },
    responses: {
      200: answers(signedInAs, "Signed in"),
      ...problems("unauthenticated", "too_many_attempts", ...ALWAYS),
    },
  },
  {
    method: "get",
    path: "/passkey/generate-authenticate-options",
    operationId: "beginPasskeySignIn",
    summary: "Start signing in with a passkey",
    description:
      "Pass the response to `navigator.credentials.get`. It and its cookie are valid for five minutes.",
    security: OPEN,
    responses: {
      200: answers(passkeyChallenge, "The WebAuthn options"),
      ...problems("no_passkeys_here", "public_url_missing", "secrets_unavailable", "too_many_requests"),
    },
  },
  {
    method: "post",
    path: PASSKEY_SIGN_IN,
    operationId: "signInWithPasskey",
    summary: "Sign in with a passkey's signature",
    description: "Sets the session cookie. The session selects the company that the person joined first.",
    security: OPEN,
    request: { body: jsonBody(passkeyAnswer) },
    responses: {
      200: answers(signedInAs, "Signed in"),
      ...problems(
        "no_passkeys_here",
        "public_url_missing",
        "unauthenticated",
        "too_many_attempts",
        ...ALWAYS,
      ),
    },
  },
  {
    method: "post",
    path: "/sign-out",
    operationId: "signOut",
    summary: "Sign out",
    security: OPEN,
    responses: {
      200: answers(signedOut, "Signed out"),
      ...problems(...ALWAYS),
    },
  },
  {
    method: "get",
    path: "/get-session",
    operationId: "prolongSession",
    summary: "Get and extend the session; null without a session",
    security: OPEN,
    responses: {
      200: answers(currentSession, "The session"),
      ...problems("secrets_unavailable", "too_many_requests"),
    },
  },
];

const EXPOSED = new Set(OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`));

/** @param path below /api/auth */
export function isExposed(path: string, method: string): boolean {
  return EXPOSED.has(`${method} ${path}`);
}

/** Adds the exposed operations to the API document. */
export function describeAuth(registry: OpenAPIHono<AppEnv>["openAPIRegistry"]): void {
  for (const operation of OPERATIONS) {
    registry.registerPath({ ...operation, path: `/api/auth${operation.path}` });
  }
}
