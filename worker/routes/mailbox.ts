import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { mailbox } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { bearerToken } from "../http/bearer.ts";
import { answers, problems } from "../http/openapi.ts";
import { matchesToken } from "../token.ts";

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getMailbox",
  summary: "List the emails in the development mailbox, newest first",
  description:
    "With `npm start`, emails go to this mailbox unless MAIL_URL is set. It requires the token in the link that " +
    "`npm start` prints, because the emails contain links that give access to accounts.",
  security: [{ mailbox: [] }],
  responses: { 200: answers(mailbox, "The emails"), ...problems("not_found", "too_many_requests") },
});

export const mailboxRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const box = c.env.accounts.mailbox;
  if (!box || !(await matchesToken(bearerToken(c), box.token))) {
    throw new Refusal(
      "not_found",
      "The development mailbox is disabled, or the token is invalid. Open the link that npm start prints.",
    );
  }
  const items = (await box.mails.list()).map(({ id, recipient, subject, body, createdAt }) => ({
    id,
    to: recipient,
    subject,
    body,
    created_at: new Date(createdAt).toISOString(),
  }));
  c.header("Cache-Control", "no-store");
  return c.json({ items }, 200);
});
