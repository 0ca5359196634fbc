import { eq, getTableName, is, like } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { beforeAll, describe, expect, test } from "vitest";
import { createCompany, MAX_COMPANIES } from "../../../worker/accounts/companies.ts";
import { sweepInvitations } from "../../../worker/accounts/invitations.ts";
import { MAX_PASSKEYS } from "../../../worker/accounts/passkeys.ts";
import { MAX_SESSIONS, MAX_USER_AGENT_LENGTH, sweepSessions } from "../../../worker/accounts/sessions.ts";
import { FIRST_COMPANY_ID, MAX_VIDEO_UPLOADS } from "../../../worker/content/store.ts";
import * as tables from "../../../worker/db/tables.ts";
import { MAX_TASKS } from "../../../worker/marker/life.ts";
import type { CompileTask } from "../../../worker/schemas.ts";
import { MAX_CONNECTIONS } from "../../../worker/storage/connection-store.ts";
import { sweepFinished } from "../../../worker/storage-migration/life.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, json, refusal, s3 } from "../edge.ts";

/** What keeps each table from growing without end by what one company or person does. */
const BOUNDS: Readonly<Record<string, string>> = {
  accounts: "one per user",
  alerts: "3",
  api_keys: "100 per company",
  ar_content: "quota; of the photos deleted in 24 hours, as many bytes and files as the quota allows",
  attempts: "15 minutes, and the rate limit of public requests",
  audit_log: "100,000 per company",
  companies: "20 per person",
  compilation_days: "one per day, for 400 days",
  compile_tasks: "20 per content",
  content_counts: "4 per project",
  dead_letters: "one per compilation and webhook delivery",
  file_moves: "one per file and storage migration",
  idempotency_keys: "50,000 per company, 24 hours",
  invitations: "100 pending per company; others are deleted by the sweep",
  mails: "development only, 7 days",
  move_counts: "4 per storage migration",
  members: "1,000 per company",
  orphaned_files:
    "one per file that was replaced or moved, for 24 hours, as many bytes and files as the quota allows; " +
    "one per file that was stored or replaced and cannot be deleted, for 30 days",
  passkeys: "20 per person",
  platform_counts: "15",
  projects: "1,000 per company",
  sessions: "50 per person",
  storage_connections: "50 per company",
  storage_migrations: "20 finished and one running per company",
  stored_files: "2 per storage connection",
  sweep_runs: "1",
  usage_counts: "4 per company or person",
  // No hard bound: people without a company keep their account, so that they can be invited again or create one.
  users: "one per address that accepted an invitation; each person sends 60 invitations in 15 minutes",
  verifications: "one hour, and the rate limit of public requests",
  video_upload_parts: "10,000 per upload",
  video_uploads: "500 per company",
  webhook_attempts: "20 per delivery",
  webhook_deliveries: "20,000 per company",
  webhook_endpoints: "20 per company",
  webhook_events: "20,000 per company",
};

const edge = new Edge();
let owner: Browser;
let userId: string;

beforeAll(async () => {
  edge.clock = Date.now();
  await setUp(edge);
  owner = await Browser.signedIn(edge, OWNER);
  [{ id: userId }] = await edge.db.select().from(tables.users).where(eq(tables.users.email, OWNER.email));
});

test("every table has a bound", () => {
  const names = Object.values(tables)
    .filter((value) => is(value, SQLiteTable))
    .map(getTableName);
  expect(names.sort()).toEqual(Object.keys(BOUNDS).sort());
});

describe("a person", () => {
  const at = (time: number) => new Date(time);

  test("has at most 50 sessions: a sign-in ends the one that was used least recently", async () => {
    const times = (n: number) => ({ createdAt: at(n), updatedAt: at(n), expiresAt: at(edge.clock + 1e6) });
    for (let n = 0; n < MAX_SESSIONS + 5; n++)
      await edge.db.insert(tables.sessions).values({ id: `s${n}`, userId, token: `t${n}`, ...times(n) });
    const fresh = await Browser.signedIn(edge, OWNER);
    expect((await fresh.fetch("/api/me")).status).toBe(200);
    expect((await owner.fetch("/api/me")).status).toBe(200);
    const rows = await edge.db.select().from(tables.sessions).where(eq(tables.sessions.userId, userId));
    expect(rows).toHaveLength(MAX_SESSIONS);
    expect(rows.map(({ id }) => id)).toContain(`s${MAX_SESSIONS + 4}`);
    expect(rows.map(({ id }) => id)).not.toContain("s0");
  });

  test("has no expired sessions after a sweep, and none with a long User-Agent", async () => {
    const expired = { createdAt: at(1), updatedAt: at(1), expiresAt: at(edge.clock) };
    await edge.db.insert(tables.sessions).values({ id: "expired", userId, token: "expired", ...expired });
    await sweepSessions(edge.db, edge.clock);
    expect(await edge.db.select().from(tables.sessions).where(eq(tables.sessions.id, "expired"))).toEqual([]);
    const agent = "Long/1.0 ".repeat(500);
    const headers = { "User-Agent": agent, "Content-Type": "application/json" };
    const response = await owner.fetch("/api/auth/sign-in/email", json("POST", OWNER, headers));
    expect(response.status).toBe(200);
    const [row] = await edge.db
      .select()
      .from(tables.sessions)
      .where(like(tables.sessions.userAgent, "Long%"));
    expect(row.userAgent).toBe(agent.slice(0, MAX_USER_AGENT_LENGTH));
  });

  test("has at most 20 passkeys", async () => {
    const passkey = { userId, name: "Key", publicKey: "", counter: 0, deviceType: "", backedUp: false };
    for (let n = 0; n < MAX_PASSKEYS; n++)
      await edge.db
        .insert(tables.passkeys)
        .values({ ...passkey, id: `p${n}`, credentialId: `c${n}`, createdAt: at(n) });
    const proof = json("POST", { current_password: OWNER.password });
    const problem = await refusal(await owner.fetch("/api/me/passkeys/options", proof));
    expect([problem.status, problem.code]).toEqual([403, "quota_exceeded"]);
    await edge.db.delete(tables.passkeys);
    expect((await owner.fetch("/api/me/passkeys/options", proof)).status).toBe(200);
  });

  test("creates at most 20 companies, also when others own them afterwards", async () => {
    const create = (name: string) =>
      createCompany(edge.db, {
        owner: { id: userId, name: "Ada" },
        ...{ name, address: "", now: edge.clock },
      });
    for (let n = 0; n < MAX_COMPANIES; n++) {
      const id = await create(`Company ${n}`);
      expect(id).toBeDefined();
      // The company stays when its owner leaves it to somebody else.
      const other = { id: `u${n}`, name: "Other", email: `${n}@example.net` };
      const times = { createdAt: at(1), updatedAt: at(1) };
      await edge.db.insert(tables.users).values({ ...other, ...times });
      await edge.db
        .insert(tables.members)
        .values({ id: `m${n}`, companyId: id!, userId: other.id, role: "owner", createdAt: at(1) });
      const left = await owner.fetch(
        "/api/auth/organization/leave",
        json("POST", { organizationId: id }, { "Content-Type": "application/json" }),
      );
      expect(left.status).toBe(200);
    }
    expect(await create("One more")).toBeUndefined();
  });
});

describe("a company", () => {
  test("has at most 50 storage connections", async () => {
    const [row] = [await edge.connection("second")];
    const [stored] = await edge.db
      .select()
      .from(tables.storageConnections)
      .where(eq(tables.storageConnections.id, row.id));
    for (let n = 1; n < MAX_CONNECTIONS; n++)
      await edge.db.insert(tables.storageConnections).values({ ...stored, id: `connection ${n}` });
    const problem = await refusal(await edge.fetch("/api/storage-connections", json("POST", s3("third"))));
    expect([problem.status, problem.code]).toEqual([403, "quota_exceeded"]);
    await edge.db.delete(tables.storageConnections);
    expect((await edge.fetch("/api/storage-connections", json("POST", s3("third")))).status).toBe(201);
  });

  test("has at most 500 unfinished video uploads", async () => {
    const { content } = await edge.submit();
    const begin = () =>
      edge.fetch(
        `/api/ar-content/${content.id}/video-uploads`,
        json("POST", { length: 12_000_000, content_type: "video/mp4" }),
      );
    expect((await begin()).status).toBe(201);
    const [row] = await edge.db.select().from(tables.videoUploads);
    for (let n = 1; n < MAX_VIDEO_UPLOADS; n++)
      await edge.db.insert(tables.videoUploads).values({ ...row, id: `upload ${n}` });
    const problem = await refusal(await begin());
    expect([problem.status, problem.code]).toEqual([403, "quota_exceeded"]);
    expect(problem.detail).toContain("500 unfinished video uploads");
    await edge.db.delete(tables.videoUploads).where(eq(tables.videoUploads.id, "upload 1"));
    expect((await begin()).status).toBe(201);
    await edge.db.delete(tables.videoUploads);
  });

  test("keeps 20 compile tasks of a photo, the newest", async () => {
    const { content } = await edge.submit();
    for (let n = 0; n < MAX_TASKS + 4; n++)
      await edge.json(`/api/ar-content/${content.id}/marker/recompile`, json("POST", {}));
    const { items } = await edge.json<{ items: CompileTask[] }>(`/api/ar-content/${content.id}/tasks`);
    expect(items).toHaveLength(MAX_TASKS);
    expect(items.map(({ generation }) => generation)).toEqual(
      Array.from({ length: MAX_TASKS }, (_, i) => MAX_TASKS + 5 - i),
    );
    expect((await edge.content(content.id)).task_id).toBe(items[0].task_id);
  });

  test("keeps its newest finished storage migrations, and every one with a copy to delete", async () => {
    const migration = (id: string, createdAt: number, change: object = {}) => ({
      ...{ id, companyId: FIRST_COMPANY_ID, state: "done" as const, nextMessageAt: 0 },
      ...{ createdAt, updatedAt: createdAt, finishedAt: createdAt, ...change },
    });
    const move = (migrationId: string, hasOrphanedCopy: boolean) => ({
      ...{
        id: `of ${migrationId}`,
        migrationId,
        contentId: "c",
        kind: "image" as const,
        state: "moved" as const,
      },
      ...{ fromPath: "a", toPath: "b", hasOrphanedCopy, parts: [], attempts: 0, createdAt: 0 },
    });
    await edge.db.insert(tables.storageMigrations).values(migration("with copy", 1));
    await edge.db.insert(tables.storageMigrations).values(migration("oldest", 2));
    await edge.db.insert(tables.storageMigrations).values(migration("video", 3, { videoOf: "c" }));
    await edge.db.insert(tables.storageMigrations).values(migration("old", 4, { state: "cancelled" }));
    await edge.db.insert(tables.storageMigrations).values(migration("newest", 5));
    await edge.db
      .insert(tables.storageMigrations)
      .values(migration("running", 0, { state: "running", finishedAt: null }));
    await edge.db.insert(tables.fileMoves).values([move("with copy", true)]);
    await edge.db.insert(tables.fileMoves).values([move("oldest", false)]);
    await sweepFinished(edge.db, 1);
    const left = await edge.db.select().from(tables.storageMigrations);
    expect(left.map(({ id }) => id).sort()).toEqual(["newest", "running", "video", "with copy"]);
    expect((await edge.db.select().from(tables.fileMoves)).map(({ id }) => id)).toEqual(["of with copy"]);
    await edge.db.delete(tables.storageMigrations);
  });

  test("has at most 100 pending invitations", async () => {
    await edge.db.delete(tables.invitations);
    const invitation = { companyId: FIRST_COMPANY_ID, role: "viewer" as const, inviterId: userId };
    const times = { createdAt: new Date(1), expiresAt: new Date(edge.clock + 86_400_000) };
    for (let n = 0; n < 100; n++)
      await edge.db
        .insert(tables.invitations)
        .values({ id: `i${n}`, email: `${n}@example.net`, status: "pending", ...invitation, ...times });
    const send = () =>
      owner.post("/api/auth/organization/invite-member", { email: "one.more@example.net", role: "viewer" });
    const problem = await refusal(await send());
    expect([problem.code, problem.detail]).toEqual(["forbidden", expect.stringContaining("100")]);
    await edge.db.delete(tables.invitations).where(eq(tables.invitations.id, "i1"));
    expect((await send()).status).toBe(200);
    await edge.db.delete(tables.invitations);
  });

  test("has no closed or expired invitations after a sweep", async () => {
    await edge.db.delete(tables.invitations);
    const invitation = { companyId: FIRST_COMPANY_ID, role: "viewer" as const, inviterId: userId };
    const times = { createdAt: new Date(1), expiresAt: new Date(edge.clock + 1000) };
    for (const status of ["pending", "accepted", "rejected", "canceled"] as const)
      await edge.db
        .insert(tables.invitations)
        .values({ id: status, email: `${status}@example.net`, status, ...invitation, ...times });
    const expired = { ...invitation, ...times, expiresAt: new Date(edge.clock), status: "pending" as const };
    await edge.db.insert(tables.invitations).values({ id: "expired", email: "e@example.net", ...expired });
    await sweepInvitations(edge.db, edge.clock);
    expect((await edge.db.select().from(tables.invitations)).map(({ id }) => id)).toEqual(["pending"]);
  });
});
