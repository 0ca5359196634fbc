import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { CreatedApiKey, Me, Member, PendingInvitation } from "../../../worker/accounts/schemas.ts";
import { ACTIONS, type Action } from "../../../worker/audit/actions.ts";
import { toCsv } from "../../../worker/audit/csv.ts";
import { MAX_ENTRIES, sweepAudit } from "../../../worker/audit/log.ts";
import type { AuditEntry, AuditPage } from "../../../worker/audit/schemas.ts";
import { auditLog, type Database } from "../../../worker/db/tables.ts";
import type { CompanyUsage, Project } from "../../../worker/schemas.ts";
import { PLATFORM } from "../../../worker/storage/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { CONTENT_EVENTS } from "../../../worker/webhooks/event-names.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, form, json, refusal, SECRET, s3 } from "../edge.ts";
import { png, video } from "../fixtures.ts";
import { acceptWithNewAccount, invite } from "../invitations.ts";

const ADDRESS = "192.0.2.44";

let edge: Edge;
let owner: Browser;
let me: Me;

beforeAll(async () => {
  const first = new Edge();
  first.clock = Date.now();
  await setUp(first);
});

beforeEach(async () => {
  edge = new Edge();
  edge.clock = Date.now();
  owner = await Browser.signedIn(edge, OWNER);
  me = await owner.json<Me>("/api/me");
  await edge.db.delete(auditLog);
});

const log = async (query = "") => owner.json<AuditPage>(`/api/audit-log?${query}`);
const entries = async (query = "") => (await log(query)).items;
const actions = async () => (await entries()).map(({ action }) => action).reverse();

/** Sends a request from a network address. */
function send<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = new Headers(init.headers);
  headers.set("CF-Connecting-IP", ADDRESS);
  // Sent one after another, because entries of the same moment have no order.
  edge.pass(1);
  return owner.json<T>(path, { ...init, headers });
}

/** Sends a request whose response has no body. */
async function done(path: string, init: RequestInit): Promise<void> {
  edge.pass(1);
  const response = await owner.fetch(path, init);
  expect([path, response.ok]).toEqual([path, true]);
}

describe("an entry", () => {
  test("contains who did what to which object, from where, and the changes", async () => {
    const project = await send<Project>("/api/projects", json("POST", { name: "Weddings" }));
    await send(`/api/projects/${project.id}`, json("PATCH", { name: "Parties", max_features: 100 }));
    const person = { kind: "person", id: me.id, name: "Ada" };
    expect(await entries()).toEqual([
      {
        id: expect.any(String),
        created_at: new Date(edge.clock).toISOString(),
        actor: person,
        address: ADDRESS,
        action: "project.changed",
        what: "Project changed",
        object: { id: project.id, name: "Parties" },
        detail: { name: "Parties", max_features: 100 },
      },
      expect.objectContaining({ actor: person, action: "project.created", detail: null }),
    ]);
  });

  test("names the key that a program used", async () => {
    const { key, id } = await send<CreatedApiKey>(
      "/api/api-keys",
      json("POST", { name: "Print shop", scopes: ["submit"] }),
    );
    const upload = { method: "POST", body: form({ image: png(), title: "From a program" }) };
    const headers = { Authorization: `Bearer ${key}` };
    expect((await edge.anonymously("/api/ar-content", { ...upload, headers })).status).toBe(201);
    const [entry] = await entries("action=content.created");
    expect(entry).toMatchObject({
      actor: { kind: "key", id, name: "Print shop" },
      address: "",
      object: { name: "From a program" },
    });
  });

  test("keeps the names of deleted objects", async () => {
    const { content } = await send<{ content: { id: string } }>("/api/ar-content", {
      method: "POST",
      body: form({ image: png(), title: "Short-lived" }),
    });
    await done(`/api/ar-content/${content.id}`, { method: "DELETE" });
    const { id } = await send<CreatedApiKey>(
      "/api/api-keys",
      json("POST", { name: "Revoked", scopes: ["read"] }),
    );
    await done(`/api/api-keys/${id}`, { method: "DELETE" });
    const connection = await send<{ id: string }>("/api/storage-connections", json("POST", s3("second")));
    await done(`/api/storage-connections/${connection.id}`, { method: "DELETE" });
    const gone = (await entries()).filter(({ action }) => /deleted|revoked/.test(action));
    expect(gone.map(({ object }) => object.name)).toEqual(["Bucket second", "Revoked", "Short-lived"]);
  });
});

describe("the size of the log", () => {
  test("grows by at most 200 bytes for each changed value, however long it is", async () => {
    const { content } = await send<{ content: { id: string } }>("/api/ar-content", {
      method: "POST",
      body: form({ image: png() }),
    });
    const long = ["語".repeat(2000), '"\\\n'.repeat(500), "🎞".repeat(1000), "x".repeat(199)];
    for (const description of long) {
      await send(`/api/ar-content/${content.id}`, json("PATCH", { title: "Long", description }));
    }
    const changes = await entries("action=content.changed");
    expect(changes).toHaveLength(long.length);
    for (const [n, { detail }] of changes.reverse().entries()) {
      const { title, description } = detail as { title: string; description: string };
      const bytes = new TextEncoder().encode(JSON.stringify(description)).length;
      expect([title, description.slice(0, 40)]).toEqual(["Long", long[n].slice(0, 40)]);
      expect([bytes <= 200, bytes > 190, description.isWellFormed()]).toEqual([true, true, true]);
      expect(description.endsWith("…")).toBe(true);
    }
  });

  test("is at most 600 bytes for each change that a route makes", async () => {
    const url = `https://shop.example.net/${"hook".repeat(450)}`;
    const events = [...CONTENT_EVENTS];
    const { id } = await send<{ id: string }>("/api/webhooks", json("POST", { url, events }));
    await send(`/api/webhooks/${id}`, json("PATCH", { description: "d".repeat(200), url: `${url}?x` }));
    await send(
      "/api/api-keys",
      json("POST", { name: "k".repeat(100), scopes: ["read", "submit", "manage"] }),
    );
    const rows = await edge.db.select().from(auditLog);
    expect(rows.length).toBeGreaterThanOrEqual(3);
    for (const { objectName, detail } of rows) {
      expect(objectName.length).toBeLessThanOrEqual(200);
      for (const value of Object.values(detail ?? {})) {
        expect(new TextEncoder().encode(JSON.stringify(value)).length).toBeLessThanOrEqual(200);
      }
    }
  });

  test("is limited: the oldest entries go first, and those about photos before all others", async () => {
    const entry = (action: Action, n: number) => ({
      id: crypto.randomUUID(),
      companyId: me.company!.id,
      createdAt: edge.clock + n,
      actorKind: "person" as const,
      ...{ actorId: me.id, actorName: "Ada", address: "", action, objectId: "x" },
      objectName: String(n),
    });
    for (const [n, action] of (["key.created", "content.changed", "member.joined"] as const).entries())
      await edge.db.insert(auditLog).values(entry(action, n));
    for (const n of [3, 4, 5]) await edge.db.insert(auditLog).values(entry("video.attached", n));
    const kept = async () => (await entries()).map(({ object }) => object.name).reverse();
    const used = async () => (await owner.json<CompanyUsage>("/api/company/usage")).records.audit_entries;
    expect(await used()).toEqual({ used: 6, limit: MAX_ENTRIES });
    await sweepAudit(edge.db, edge.clock, 6);
    expect(await kept()).toHaveLength(6);
    await sweepAudit(edge.db, edge.clock, 4);
    expect(await kept()).toEqual(["0", "2", "4", "5"]);
    await sweepAudit(edge.db, edge.clock, 1);
    expect(await kept()).toEqual(["2"]);
    expect((await used()).used).toBe(1);
    // More than one statement deletes.
    await edge.db.run(sql`INSERT INTO audit_log (id, company_id, created_at, actor_kind, actor_id, actor_name, address, action, object_id, object_name)
      SELECT 'many-' || value, ${me.company!.id}, ${edge.clock}, 'platform', 'platform', '', '', 'content.changed', 'x', value
      FROM (WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < 4500) SELECT value FROM numbers)`);
    await sweepAudit(edge.db, edge.clock, 1);
    expect(await kept()).toEqual(["2"]);
  });
});

describe("an entry is recorded", () => {
  test("for photos and their videos", async () => {
    const { content } = await send<{ content: { id: string } }>("/api/ar-content", {
      method: "POST",
      body: form({ image: png() }),
    });
    const path = `/api/ar-content/${content.id}`;
    await send(path, json("PATCH", { title: "Renamed", is_active: false }));
    const clip = video("mp4");
    const headers = { "Content-Type": "video/mp4", "Content-Length": String(clip.length) };
    await send(`${path}/video`, { method: "PUT", body: clip, headers });
    await done(`${path}/video`, { method: "DELETE" });
    await send(`${path}/marker/recompile`, json("POST", {}));
    await done(path, { method: "DELETE" });
    expect(await actions()).toEqual([
      ...["content.created", "content.changed", "video.attached", "video.removed"],
      ...["marker.recompiled", "content.deleted"],
    ]);
    const [changed] = await entries("action=content.changed");
    expect(changed.detail).toEqual({ title: "Renamed", is_active: false });
  });

  test("for storages, and never with a secret", async () => {
    const { id } = await send<{ id: string }>("/api/storage-connections", json("POST", s3("second")));
    const { settings } = s3("second");
    await send(`/api/storage-connections/${id}`, json("PATCH", { name: "Bucket", settings }));
    await send("/api/company/storage", json("PUT", { connection_id: id }));
    const migration = await send<{ id: string }>("/api/storage-migrations", json("POST", { to: PLATFORM }));
    for (const command of ["pause", "resume", "cancel"])
      await send(`/api/storage-migrations/${migration.id}/${command}`, { method: "POST" });
    await send("/api/company/storage", json("PUT", { connection_id: PLATFORM }));
    await done(`/api/storage-connections/${id}`, { method: "DELETE" });
    expect(await actions()).toEqual([
      ...["connection.created", "connection.changed", "storage.switched", "migration.started"],
      ...["migration.paused", "migration.resumed", "migration.cancelled", "storage.switched"],
      "connection.deleted",
    ]);
    const text = JSON.stringify(await edge.db.select().from(auditLog));
    expect(text).not.toContain(SECRET);
    const [changed] = await entries("action=connection.changed");
    expect(changed.detail).toEqual({ name: "Bucket", settings: "changed" });
  });

  test("for members, with the person who acted", async () => {
    const post = (path: string, body: object) => {
      // Entries of the same millisecond have no order.
      edge.pass(1);
      return send<{ id: string }>(`/api/auth/${path}`, json("POST", body));
    };
    const withdrawn = await invite(edge, owner, { email: "withdrawn@example.net", role: "viewer" });
    await post("organization/cancel-invitation", { invitationId: withdrawn.id });
    edge.pass(1);
    const { mailToken } = await invite(edge, owner, { email: "grace@example.net", role: "viewer" });
    const grace = new Browser(edge);
    const account = { name: "Grace", password: "a password of Grace's" };
    edge.pass(1);
    expect((await acceptWithNewAccount(grace, mailToken, account)).status).toBe(201);
    const { items } = await owner.json<{ items: Member[] }>("/api/company/members");
    const { id: personId } = await grace.json<Me>("/api/me");
    const { id: memberId } = items.find(({ person_id }) => person_id === personId)!;
    await post("organization/update-member-role", { memberId, role: "editor" });
    await post("organization/remove-member", { memberIdOrEmail: memberId });

    const all = await entries();
    expect(all.map(({ action }) => action)).toContain("person.signed_in");
    const noted = all
      .filter(({ action }) => action !== "person.signed_in")
      .reverse()
      .map(({ action, actor, object }) => [action, actor.name, object.name]);
    expect(noted).toEqual([
      ["member.invited", "Ada", "withdrawn@example.net"],
      ["invitation.withdrawn", "Ada", "withdrawn@example.net"],
      ["member.invited", "Ada", "grace@example.net"],
      ["member.joined", "Grace", "grace@example.net"],
      ["member.role_changed", "Ada", "grace@example.net"],
      ["member.removed", "Ada", "grace@example.net"],
    ]);
  });

  test("for a person, in each of their companies", async () => {
    const second = await send<{ id: string }>("/api/me/companies", json("POST", { name: "Second" }));
    await edge.db.delete(auditLog);
    const headers = { "Content-Type": "application/json", "CF-Connecting-IP": ADDRESS };
    await edge.anonymously("/api/auth/sign-in/email", { ...json("POST", OWNER), headers });
    const rows = await edge.db.select().from(auditLog);
    expect(rows.map(({ companyId }) => companyId).sort()).toEqual([me.company!.id, second.id].sort());
    for (const row of rows) {
      expect(row).toMatchObject({ action: "person.signed_in", actorId: me.id, address: ADDRESS });
    }
    const change = { current_password: OWNER.password, new_password: OWNER.password };
    await done("/api/me/password", json("PUT", change));
    expect((await entries()).map(({ action }) => action)).toContain("person.password_changed");
  });

  test("for a forgotten password, once it is replaced", async () => {
    const anonymously = (path: string, body: object) =>
      edge.anonymously(path, json("POST", body, { "CF-Connecting-IP": ADDRESS }));
    await anonymously("/api/auth/request-password-reset", { email: OWNER.email });
    const mails = await edge.bindings.accounts.mailbox!.mails.list();
    const [token] = mails.flatMap(({ body }) => /(?<=reset-password#)\S+/.exec(body) ?? []);
    await anonymously("/api/auth/reset-password", { token, newPassword: "short" });
    expect(await edge.db.select().from(auditLog)).toEqual([]);
    const reset = await anonymously("/api/auth/reset-password", { token, newPassword: OWNER.password });
    expect(reset.status).toBe(200);
    const rows = await edge.db.select().from(auditLog);
    expect(rows.map(({ companyId }) => companyId)).toContain(me.company!.id);
    for (const row of rows) {
      expect(row).toMatchObject({
        action: "person.password_reset",
        actorId: me.id,
        actorName: "Ada",
        objectName: OWNER.email,
        address: ADDRESS,
      });
    }
  });

  test("only for changes", async () => {
    const refused = async (path: string, init: RequestInit) =>
      expect([path, (await owner.fetch(path, init)).status]).toEqual([path, expect.any(Number)]);
    await refused("/api/projects/none", json("PATCH", { name: "Nobody's" }));
    await refused("/api/ar-content/none", json("PATCH", { title: "Nobody's" }));
    await refused("/api/ar-content/none", { method: "DELETE" });
    await refused("/api/api-keys/none", { method: "DELETE" });
    await refused("/api/ar-content/none/marker/recompile", json("POST", {}));
    await refused(
      "/api/me/password",
      json("PUT", { current_password: "wrong", new_password: "long enough!" }),
    );
    const projects = (await owner.json<{ items: Project[] }>("/api/projects")).items;
    const open = projects.filter(({ archived_at }) => archived_at === null);
    for (const { id } of open.slice(1)) await send(`/api/projects/${id}`, json("PATCH", { archived: true }));
    await edge.db.delete(auditLog);
    await refused(`/api/projects/${open[0].id}`, json("PATCH", { archived: true }));
    expect(await entries()).toEqual([]);
  });

  test("only if its change succeeds", async () => {
    const broken = vi.spyOn(crypto, "randomUUID").mockReturnValue("00000000-0000-4000-8000-000000000002");
    // The first project has this id, so the insert fails, and its entry with it.
    const response = await owner.fetch("/api/projects", json("POST", { name: "Twice" }));
    broken.mockRestore();
    expect(response.status).toBe(500);
    expect(await entries()).toEqual([]);
  });

  test("or the change of a member fails", async () => {
    const invite = { email: `${crypto.randomUUID()}@example.net`, role: "viewer" };
    const { id } = await send<{ id: string }>("/api/auth/organization/invite-member", json("POST", invite));
    const [noted] = await edge.db.select().from(auditLog);
    const taken = vi
      .spyOn(crypto, "randomUUID")
      .mockReturnValue(noted.id as ReturnType<Crypto["randomUUID"]>);
    const withdraw = json("POST", { invitationId: id });
    const response = await owner.fetch("/api/auth/organization/cancel-invitation", withdraw);
    taken.mockRestore();
    expect(response.status).toBe(500);
    const pending = await owner.json<{ items: PendingInvitation[] }>("/api/company/invitations");
    expect(pending.items.map((item) => item.id)).toContain(id);
    expect(await actions()).toEqual(["member.invited"]);
  });

  test("not when the last owner fails to leave or to become a viewer", async () => {
    const { items } = await owner.json<{ items: Member[] }>("/api/company/members");
    const memberId = items.find(({ person_id }) => person_id === me.id)!.id;
    const organizationId = me.company!.id;
    for (const [path, body] of [
      ["leave", { organizationId }],
      ["remove-member", { memberIdOrEmail: memberId }],
      ["remove-member", { memberIdOrEmail: OWNER.email.toUpperCase() }],
      ["update-member-role", { memberId, role: "viewer" }],
    ] as const) {
      const problem = await refusal(await owner.fetch(`/api/auth/organization/${path}`, json("POST", body)));
      expect([path, problem.code]).toEqual([path, "invalid_input"]);
    }
    expect(await entries()).toEqual([]);
  });
});

describe("the list", () => {
  async function rename(times: number): Promise<Project> {
    const project = await send<Project>("/api/projects", json("POST", { name: "0" }));
    for (let n = 1; n <= times; n++) {
      edge.pass(60);
      await send(`/api/projects/${project.id}`, json("PATCH", { name: String(n) }));
    }
    return project;
  }

  test("has pages, newest first, with each entry once", async () => {
    await rename(6);
    const seen: AuditEntry[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: AuditPage = await log(`limit=3${cursor && `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items);
      cursor = page.next_cursor;
    }
    expect(seen.map(({ object }) => object.name)).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
  });

  test("filters by action, person, object and time", async () => {
    const begin = edge.clock;
    const project = await rename(2);
    await send("/api/projects", json("POST", { name: "Other" }));
    const names = async (query: string) => (await entries(query)).map(({ object }) => object.name);
    expect(await names("action=project.changed")).toEqual(["2", "1"]);
    expect(await names("subject=project")).toEqual(["Other", "2", "1", "0"]);
    expect(await names("subject=key")).toEqual([]);
    expect(await names(`object_id=${project.id}`)).toEqual(["2", "1", "0"]);
    expect(await names(`actor_id=${me.id}&action=project.created`)).toEqual(["Other", "0"]);
    expect(await names("actor_id=nobody")).toEqual([]);
    const minute = (n: number) => new Date(begin + n * 61_000).toISOString();
    expect(await names(`from=${minute(1)}&to=${minute(2)}`)).toEqual(["1"]);
  });

  test.each(["action=root", "subject=root", "from=yesterday", "limit=0", "cursor=x"])(
    "refuses %s",
    async (query) => {
      const problem = await refusal(await owner.fetch(`/api/audit-log?${query}`));
      expect(problem.status).toBe(422);
    },
  );

  test("keeps entries for 400 days", async () => {
    await rename(0);
    edge.pass(399 * 24 * 3600);
    await sweep(edge.bindings, edge.clock);
    expect(await edge.db.select().from(auditLog)).toHaveLength(1);
    edge.pass(2 * 24 * 3600);
    await sweep(edge.bindings, edge.clock);
    expect(await edge.db.select().from(auditLog)).toEqual([]);
  });
});

describe("the table", () => {
  test("has every matching entry, and no formulas", async () => {
    await send("/api/projects", json("POST", { name: '=HYPERLINK("http://evil.example")' }));
    await send("/api/projects", json("POST", { name: 'Comma, "quote"' }));
    const response = await owner.fetch("/api/audit-log/export.csv?action=project.created");
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="audit-log.csv"');
    const [headings, first, second, end] = (await response.text()).split("\r\n");
    expect(headings).toMatch(/^"created_at","actor_kind",/);
    expect(first).toContain('"Comma, ""quote"""');
    expect(second).toContain(`"'=HYPERLINK(""http://evil.example"")"`);
    expect(end).toBe("");
  });

  test("is read from the database in pages, as the client takes it", async () => {
    const COUNT = 700;
    const rows = Array.from({ length: COUNT }, (_, n) => ({
      id: crypto.randomUUID(),
      companyId: me.company!.id,
      createdAt: edge.clock + Math.floor(n / 2),
      actorKind: "person" as const,
      ...{ actorId: me.id, actorName: "Ada", address: "", action: "project.created" as const },
      ...{ objectId: "project", objectName: `Project ${n}.`, detail: null },
    }));
    for (let from = 0; from < COUNT; from += 9)
      await edge.db.insert(auditLog).values(rows.slice(from, from + 9));
    const { db, read } = counting();
    const response = await edge.fetch("/api/audit-log/export.csv?action=project.created", {}, { db });
    const ofGuard = read.length - 1;
    expect(read.slice(ofGuard)).toEqual([251]);
    const reader = response.body!.getReader();
    let text = "";
    for (let chunks = 1; ; chunks++) {
      const { done, value } = await reader.read();
      if (done) break;
      expect(read.length - ofGuard).toBe(chunks);
      text += new TextDecoder().decode(value);
    }
    expect(read.slice(ofGuard)).toEqual([251, 251, 200]);
    const names = text.match(/Project \d+\./g)!;
    expect([names.length, new Set(names).size]).toEqual([COUNT, COUNT]);
  });

  test("has at most the newest 10,000 entries", async () => {
    const company = me.company!.id;
    await edge.db.run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
      INSERT INTO audit_log (id, company_id, created_at, actor_kind, actor_id, actor_name, address, action, object_id, object_name)
      SELECT 'entry' || i, ${company}, ${edge.clock} + i, 'person', ${me.id}, 'Ada', '', 'project.created', 'x', 'Project ' || i || '.'
      FROM n`);
    const response = await edge.fetch("/api/audit-log/export.csv?action=project.created");
    const names = (await response.text()).match(/Project \d+\./g)!;
    expect([names.length, names[0], names.at(-1)]).toEqual([10_000, "Project 10001.", "Project 2."]);
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", "\u00a0-1"])("escapes %j as text", (text) => {
    expect(toCsv([[text]])).toBe(`"'${text}"\r\n`);
  });

  test.each([
    ...["=1+1", "\t=1", "\r=1", "\n\n=1", "Ada;=1+1", "a; =1", 'a;"=1"', "a;\u200b=1", "a\t+1", "a\n-1"],
    ...["a\r@SUM(A1)", "a|=1", "a؛=1", "a،=1", "a;;=1", "a;\t=1", 'x";=1', "；=1;＝1", "=;=;=", '";"=1'],
    ...['{"title":";=HYPERLINK(1)"}', '"', ";", "\t", "a;'=1"],
  ])("has no cell that begins a formula for %j, whatever the separator is", (text) => {
    const csv = toCsv([
      ["2026", text, "b"],
      [text, text, text],
    ]);
    for (const separator of [",", ";", "\t", "|", "؛", "،"]) {
      for (const cell of [...cellsOf(csv, separator), ...piecesOf(csv, separator)]) {
        expect([separator, cell.replace(/[\s\p{Cc}\p{Cf}"]/gu, "")]).toEqual([
          separator,
          expect.not.stringMatching(/^[=+\-@＝＋－＠]/),
        ]);
      }
    }
    expect(cellsOf(csv, ",").map((cell) => cell.replaceAll("'", ""))).toContain(text.replaceAll("'", ""));
  });

  test.each(["Ada", "a=b", "1-2", "", "O'Brien", "a; b", "a, -1", "a - b"])("does not change %j", (text) => {
    expect(toCsv([[text]])).toBe(`"${text}"\r\n`);
  });
});

/** Returns the database, and the numbers of rows that its queries have read. */
function counting(): { db: Database; read: number[] } {
  const read: number[] = [];
  const observed = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          const result = value.apply(target, args);
          if (name === "prepare" || name === "bind") return observed(result);
          if (name === "raw") result.then((rows: unknown[]) => read.push(rows.length));
          return result;
        };
      },
    });
  return { db: drizzle(observed(env.DB)), read };
}

/** Reads cells like a spreadsheet: a quote at the beginning of a cell keeps separators and line breaks in it. */
function cellsOf(csv: string, separator: string): string[] {
  const cells: string[] = [];
  for (let at = 0; at < csv.length; at++) {
    let cell = "";
    if (csv[at] === '"') {
      for (at++; at < csv.length && (csv[at] !== '"' || csv[at + 1] === '"'); at++) {
        if (csv[at] === '"') at++;
        cell += csv[at];
      }
      at++;
    }
    while (at < csv.length && csv[at] !== separator && !/[\r\n]/.test(csv[at])) cell += csv[at++];
    cells.push(cell);
  }
  return cells;
}

/** Reads cells like a program that does not know quotes. */
function piecesOf(csv: string, separator: string): string[] {
  // A comma within quotes is part of the text for every program that reads this format.
  return separator === "," ? [] : csv.split(separator).flatMap((piece) => piece.split(/[\r\n]/));
}

test("every action has a description", () => {
  const words = Object.values(ACTIONS);
  expect(new Set(words).size).toBe(words.length);
  for (const action of Object.keys(ACTIONS) as Action[]) expect(action).toMatch(/^[a-z]+\.[a-z_]+$/);
});
