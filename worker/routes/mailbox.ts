import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { mailbox } from "../accounts/schemas.ts";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { answers, problems } from "../http/openapi.ts";
import { isSame } from "../sha256.ts";

const read = createRoute({
  method: "get",
  path: "/",
  operationId: "getMailbox",
  summary: "The development mailbox, newest first",
  description:
    "What the platform would have mailed, where no mailer is set up but this one: under `npm start`. Opened by the " +
    "token that `npm start` prints a link with, for the mails themselves open accounts.",
  security: [{ mailbox: [] }],
  responses: { 200: answers(mailbox, "The mails"), ...problems("not_found", "too_many_requests") },
});

export const mailboxRoutes = new OpenAPIHono<AppEnv>().openapi(read, async (c) => {
  const box = c.env.accounts.mailbox;
  const [, token = ""] = /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "") ?? [];
  if (!box || !(await isSame(token, box.token))) {
    throw new Refusal("not_found", "There is no development mailbox here, or this is not its link.");
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
