import { createRoute, OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { assertAccounts } from "../accounts/auth.ts";
import { companiesOf } from "../accounts/companies.ts";
import { deviceCookie } from "../accounts/device.ts";
import { newResetMail, openReset, resetPassword } from "../accounts/password-resets.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { done, newReset, resetRequest } from "../accounts/schemas.ts";
import { assertStrong } from "../accounts/strength.ts";
import { countAttempt } from "../accounts/throttle.ts";
import type { AppEnv } from "../bindings.ts";
import { addressOf } from "../http/address.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { linkOriginOf, originOf } from "../http/origin.ts";
import { countPublic } from "../http/serve.ts";
import { logFailure } from "../log.ts";
import { attemptOf } from "./auth.ts";

/** New passwords by email. Paths and bodies are those of better-auth. */

const POST = {
  method: "post",
  security: [] as Record<string, string[]>[],
  middleware: [countPublic, readJson] as const,
} satisfies Partial<RouteConfig>;

const REFUSALS = ["too_many_requests", "secrets_unavailable", ...JSON_REFUSALS] as const;

const request = createRoute({
  ...POST,
  path: "/request-password-reset",
  operationId: "requestPasswordReset",
  summary: "Email a link to reset the password, if the address has an account",
  request: { body: jsonBody(resetRequest) },
  responses: {
    200: answers(done, "Sent, if the account exists"),
    ...problems("too_many_attempts", "public_url_missing", ...REFUSALS),
  },
});

const reset = createRoute({
  ...POST,
  path: "/reset-password",
  operationId: "resetPassword",
  summary: "Reset the password with the link; ends all sessions, passkeys and other links",
  request: { body: jsonBody(newReset) },
  responses: { 200: answers(done, "Reset"), ...problems(...REFUSALS) },
});

export const passwordResetRoutes = new OpenAPIHono<AppEnv>()
  .openapi(request, async (c) => {
    const { email } = c.req.valid("json");
    assertAccounts(c.env.accounts);
    const { db, now, later, accounts } = c.env;
    const link = { email, origin: linkOriginOf(c), now: now() };
    await countAttempt(db, await attemptOf(c, "reset", email), now());
    // After the response, whose time would otherwise tell whether there is an account.
    const send = async () => {
      const mail = await newResetMail(db, link);
      if (mail) await accounts.mailer.send(mail);
    };
    later(send().catch((error) => logFailure("The email to reset a password was not sent", error)));
    c.header("Cache-Control", "no-store");
    return c.json({ status: true as const }, 200);
  })
  .openapi(reset, async (c) => {
    const { token, newPassword } = c.req.valid("json");
    assertAccounts(c.env.accounts);
    const { db, now } = c.env;
    const opened = await openReset(db, token, now());
    const companies = await companiesOf(db, opened.userId);
    const about = [opened.name, opened.email, ...companies.map(({ name }) => name)];
    await assertStrong(newPassword, about, "newPassword");
    const passwordHash = await hashPassword(newPassword);
    await resetPassword(db, { opened, passwordHash, address: addressOf(c), now: now() });
    c.header("Set-Cookie", await deviceCookie(c, originOf(c), opened.email), { append: true });
    c.header("Cache-Control", "no-store");
    return c.json({ status: true as const }, 200);
  });
