import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";

/** The database migration after which ids of invitations are no longer the secrets of their links. */
const MIGRATION = "0018_invitation_tokens.sql";
const DAY_MS = 86_400_000;
const COMPANY = "00000000-0000-4000-8000-000000000001";

const rows = async (query: string) => (await env.DB.prepare(query).all()).results;

beforeAll(async () => {
  await reset();
  const at = env.TEST_MIGRATIONS.findIndex(({ name }) => name === MIGRATION);
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS.slice(0, at));
  const soon = Date.now() + DAY_MS;
  const person = (id: string) =>
    `INSERT INTO users VALUES ('${id}', 'N', '${id}@example.net', 1, NULL, 0, 0)`;
  const invitation = (id: string, status: string, expiresAt: number) =>
    `INSERT INTO invitations VALUES ('${id}', '${COMPANY}', '${id.replace("secret-of-", "")}@example.net', 'admin', '${status}', 'ada', ${expiresAt}, 0)`;
  const entry = (action: string, object: string) =>
    `INSERT INTO audit_log VALUES ('${action} ${object.replace("secret-of-", "")}', '${COMPANY}', 0, 'person', 'ada', 'Ada', '', '${action}', '${object}', 'N', NULL)`;
  const verification = (id: string, identifier: string) =>
    `INSERT INTO verifications VALUES ('${id}', '${identifier}', 'ada', ${soon}, 0, 0)`;
  const mail = (id: string, body: string) =>
    `INSERT INTO mails VALUES ('${id}', 'to', 'subject', '${body}', 0)`;
  await env.DB.batch(
    [
      person("ada"),
      person("grace"),
      entry("person.password_reset", "grace"),
      invitation("secret-of-open", "pending", soon),
      invitation("secret-of-late", "pending", 0),
      invitation("secret-of-used", "accepted", soon),
      invitation("secret-of-unlogged", "pending", soon),
      entry("member.invited", "secret-of-open"),
      entry("member.invited", "secret-of-used"),
      entry("member.invited", "secret-of-deleted"),
      entry("invitation.withdrawn", "secret-of-deleted"),
      verification("reset", "reset-password:secret-of-a-reset"),
      verification("challenge", "challenge"),
      mail("old", "http://edge.test/invitation#secret-of-open"),
      mail("older", "http://edge.test/reset-password#secret-of-a-reset"),
      mail("other", "Hello"),
    ].map((statement) => env.DB.prepare(statement)),
  );
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
});

test("no secret of a link remains", async () => {
  const tables = ["invitations", "audit_log", "verifications", "mails"];
  const everything = await Promise.all(tables.map((table) => rows(`SELECT * FROM ${table}`)));
  expect(JSON.stringify(everything)).not.toContain("secret-of-");
  expect(await rows("SELECT id FROM mails")).toEqual([{ id: "other" }]);
  expect(await rows("SELECT id FROM verifications")).toEqual([{ id: "challenge" }]);
});

test("open invitations are withdrawn, and the activity log says so", async () => {
  expect(await rows("SELECT DISTINCT status FROM invitations ORDER BY status")).toEqual([
    { status: "accepted" },
    { status: "canceled" },
  ]);
  const withdrawn = await rows(
    "SELECT object_name, detail FROM audit_log WHERE actor_kind = 'platform' ORDER BY object_name",
  );
  expect(withdrawn).toEqual(
    ["open", "unlogged"].map((name) => ({
      object_name: `${name}@example.net`,
      detail: '{"role":"admin"}',
    })),
  );
});

test("the entries of one invitation keep one id, which is that of its row", async () => {
  const deleted = await rows("SELECT DISTINCT object_id FROM audit_log WHERE id LIKE '%deleted'");
  expect(deleted).toHaveLength(1);
  const open = "SELECT email FROM invitations JOIN audit_log ON object_id = invitations.id";
  expect(await rows(`${open} WHERE audit_log.id = 'member.invited open'`)).toHaveLength(1);
});

test("only people who have reset their password by email have a verified address", async () => {
  expect(await rows("SELECT id, email_verified FROM users ORDER BY id")).toEqual([
    { id: "ada", email_verified: 0 },
    { id: "grace", email_verified: 1 },
  ]);
});
