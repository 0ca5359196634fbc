import { eq, like, ne, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NO_MAILER } from "../../../worker/accounts/mailer.ts";
import type {
  ApiKey,
  CreatedApiKey,
  Invitation,
  Me,
  Member,
  PendingInvitation,
  Session,
} from "../../../worker/accounts/schemas.ts";
import { type Attempt, countAttempt, forgiveAttempt } from "../../../worker/accounts/throttle.ts";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import {
  accounts,
  apiKeys,
  attempts,
  auditLog,
  companies,
  invitations,
  mails,
  members,
  projects,
  sessions,
  users,
  verifications,
} from "../../../worker/db/tables.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { newToken } from "../../../worker/token.ts";
import { addMember, Browser, OWNER, setUp } from "../browser.ts";
import { Edge, form, json, ORIGIN, refusal } from "../edge.ts";
import { jpeg, mind, png } from "../fixtures.ts";
import { acceptWithNewAccount, invite, lastMail, linkIn } from "../invitations.ts";
import { noting, type Statements } from "../plans/statements.ts";

let edge: Edge;
let owner: Browser;

beforeEach(async () => {
  edge = new Edge();
  // The library uses the machine's clock.
  vi.useFakeTimers({ toFake: ["Date"], now: edge.clock });
  // All tests of the file share a database, so they set it up once and use the same clock.
  await edge.db.delete(attempts);
  owner = (await setUp(edge)) ?? (await Browser.signedIn(edge, OWNER));
});

afterEach(() => {
  vi.useRealTimers();
});

function pass(seconds: number): void {
  edge.pass(seconds);
  vi.setSystemTime(edge.clock);
}

const code = async (response: Response) => (await refusal(response)).code;

describe("the set-up", () => {
  test("is open until there is an owner, who gets all existing data", async () => {
    expect(await edge.json("/api/setup")).toEqual({ open: false });
    const me = await owner.json<Me>("/api/me");
    expect(me).toMatchObject({
      name: "Ada",
      email: OWNER.email,
      company: { id: FIRST_COMPANY_ID, name: "Portraits", role: "owner" },
      companies: [{ id: FIRST_COMPANY_ID, role: "owner" }],
    });
    const { content } = await edge.submit();
    expect((await owner.fetch(`/api/ar-content/${content.id}`)).status).toBe(200);
  });

  test("works only once", async () => {
    const again = { ...OWNER, email: "eve@example.net", name: "Eve", company_name: "Eve's" };
    const body = { ...again, token: "the token of the set-up link" };
    const response = await edge.anonymously("/api/setup", json("POST", body));
    expect([response.status, await code(response)]).toEqual([409, "already_set_up"]);
    expect(await edge.db.select().from(users).where(eq(users.email, "eve@example.net"))).toEqual([]);
  });

  test("needs the link", async () => {
    const body = { ...OWNER, name: "Eve", company_name: "Eve's", token: "another" };
    expect(await code(await edge.anonymously("/api/setup", json("POST", body)))).toBe("wrong_link");
    for (const setupToken of ["", " ", "easily guessed"]) {
      const weak = { accounts: { ...edge.bindings.accounts, setupToken } };
      const guess = json("POST", { ...body, token: setupToken || " " });
      expect(await code(await edge.anonymously("/api/setup", guess, weak))).toBe("wrong_link");
    }
  });
});

test("a person owns at most 20 companies, because each has its own quotas", async () => {
  const me = await owner.json<Me>("/api/me");
  const { length } = me.companies.filter(({ role }) => role === "owner");
  const found = () => owner.post("/api/me/companies", { name: "One more" });
  // At the same moment, like an attempt to exceed the limit.
  const statuses = (await Promise.all(Array.from({ length: 22 - length }, found))).map(
    ({ status }) => status,
  );
  expect(statuses.filter((status) => status === 201)).toHaveLength(20 - length);
  const refused = await found();
  expect([refused.status, await code(refused)]).toEqual([409, "too_many_companies"]);
  expect((await owner.json<Me>("/api/me")).companies).toHaveLength(20);
  expect(await edge.db.select().from(companies)).toHaveLength(20);
  const own = me.company!.id;
  await edge.db.delete(auditLog).where(ne(auditLog.companyId, own));
  await edge.db.delete(projects).where(ne(projects.companyId, own));
  await edge.db.delete(companies).where(ne(companies.id, own));
});

describe("sessions", () => {
  test("cookies are Secure, HttpOnly and SameSite, except Secure on localhost over http", async () => {
    const response = await new Browser(edge).post("/api/auth/sign-in/email", OWNER);
    expect(response.status).toBe(200);
    const cookie = response.headers.getSetCookie().find((text) => text.includes("session_token"));
    expect(cookie).toMatch(/^__Secure-vivimark\.session_token=/);
    for (const attribute of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"])
      expect(cookie).toContain(attribute);

    const local = { settings: { ...edge.settings, publicUrl: "http://localhost:8787" } };
    const here = await edge.anonymously("/api/auth/sign-in/email", json("POST", OWNER), local);
    expect(here.headers.get("set-cookie")).toMatch(/^vivimark\.session_token=/);
    expect(here.headers.get("set-cookie")).not.toContain("Secure");
  });

  test("behind https, every cookie is Secure and HttpOnly", async () => {
    const https = { settings: { ...edge.settings, publicUrl: "https://portraits.example" } };
    const signIn = { ...json("POST", OWNER) };
    const headers = { "Content-Type": "application/json", Origin: "https://portraits.example" };
    const response = await edge.anonymously("/api/auth/sign-in/email", { ...signIn, headers }, https);
    const cookies = response.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__Secure-/);
      for (const attribute of ["Secure", "HttpOnly", "SameSite=Lax"]) expect(cookie).toContain(attribute);
      expect(cookie).not.toContain("Domain=");
    }
  });

  test("have a token that only the cookie tells", async () => {
    const browser = new Browser(edge);
    const signedIn = await browser.post("/api/auth/sign-in/email", OWNER);
    const session = await browser.fetch("/api/auth/get-session");
    const texts = [await signedIn.text(), await session.text()];
    const stored = await edge.db.select().from(sessions);
    const cookie = decodeURIComponent(browser.cookie());
    expect(stored.filter(({ token }) => cookie.includes(token))).toHaveLength(1);
    for (const text of texts) {
      expect(JSON.parse(text).user.email).toBe(OWNER.email);
      expect(stored.filter(({ token }) => text.includes(token))).toEqual([]);
    }
  });

  test("a forged, a foreign and an ended session are not accepted", async () => {
    const forged = new Browser(edge);
    forged.cookies.set("__Secure-vivimark.session_token", "token.c2lnbmF0dXJl");
    expect(await code(await forged.fetch("/api/ar-content"))).toBe("unauthenticated");

    const [{ token }] = await edge.db.select().from(sessions).limit(1);
    const unsigned = new Browser(edge);
    unsigned.cookies.set("__Secure-vivimark.session_token", token);
    expect(await code(await unsigned.fetch("/api/ar-content"))).toBe("unauthenticated");

    pass(15 * 24 * 3600);
    expect(await code(await owner.fetch("/api/ar-content"))).toBe("unauthenticated");
  });

  test("last two weeks after the studio was last opened", async () => {
    const open = () => owner.fetch("/api/auth/get-session");
    for (let n = 0; n < 3; n++) {
      pass(13 * 24 * 3600);
      expect((await open()).status).toBe(200);
      expect((await owner.fetch("/api/me")).status).toBe(200);
    }
    pass(14 * 24 * 3600);
    expect(await code(await owner.fetch("/api/me"))).toBe("unauthenticated");
  });

  test("all end when the secret changes", async () => {
    const headers = { Cookie: owner.cookie() };
    const changed = { accounts: { ...edge.bindings.accounts, secret: "another secret of 32 characters." } };
    expect((await edge.anonymously("/api/me", { headers })).status).toBe(200);
    expect(await code(await edge.anonymously("/api/me", { headers }, changed))).toBe("unauthenticated");
  });

  test("signing out ends the session, not only the cookie", async () => {
    const copy = owner.copy();
    expect((await owner.post("/api/auth/sign-out", {})).status).toBe(200);
    expect(await code(await copy.fetch("/api/ar-content"))).toBe("unauthenticated");
  });

  test("are listed, and any session can end the others", async () => {
    const phone = await Browser.signedIn(edge, OWNER);
    const phoneId = (await phone.json<Me>("/api/me")).session_id;
    const { items } = await owner.json<{ items: Session[] }>("/api/me/sessions");
    expect(items.map(({ id }) => id)).toContain(phoneId);
    expect(items.filter(({ current }) => current)).toMatchObject([
      { id: (await owner.json<Me>("/api/me")).session_id },
    ]);
    const stranger = await invited("nosy@example.net", "viewer");
    const end = (browser: Browser) => browser.fetch(`/api/me/sessions/${phoneId}`, { method: "DELETE" });
    expect(await code(await end(stranger))).toBe("not_found");
    expect((await phone.fetch("/api/me")).status).toBe(200);
    expect((await end(owner)).status).toBe(204);
    expect(await code(await phone.fetch("/api/me"))).toBe("unauthenticated");
    expect((await owner.fetch("/api/me")).status).toBe(200);
  });

  test("a request that changes data must come from the platform's own pages", async () => {
    const post = (headers: Record<string, string>) =>
      owner.copy().fetch("/api/ar-content", { method: "POST", body: form({ image: png() }), headers });
    expect(await code(await post({ Origin: "https://evil.example" }))).toBe("foreign_origin");
    expect(await code(await post({ Origin: "" }))).toBe("foreign_origin");
    expect(await code(await post({ Origin: "http://edge.test", "Sec-Fetch-Site": "cross-site" }))).toBe(
      "foreign_origin",
    );
    expect((await post({ Origin: "http://edge.test" })).status).toBe(201);
    expect((await post({ "Sec-Fetch-Site": "same-origin" })).status).toBe(201);
    const elsewhere = await owner.fetch("/api/auth/sign-out", {
      ...json("POST", {}),
      headers: { "Content-Type": "application/json", Origin: "https://evil.example" },
    });
    expect(await code(elsewhere)).toBe("foreign_origin");
  });

  test("only the listed paths of better-auth are reachable", async () => {
    for (const path of [
      "sign-up/email",
      "organization/create",
      "organization/update",
      "organization/delete",
      "organization/list-invitations",
    ]) {
      const response = await owner.post(`/api/auth/${path}`, {});
      expect([path, await code(response)]).toEqual([path, "not_found"]);
    }
    expect(await code(await owner.fetch("/api/auth/sign-in/email"))).toBe("not_found");
    expect(await code(await owner.fetch("/api/auth/ok"))).toBe("not_found");
  });

  test("signing in needs a configured secret", async () => {
    const bare = { accounts: { ...edge.bindings.accounts, secret: "short" } };
    const response = await edge.anonymously("/api/auth/sign-in/email", json("POST", OWNER), bare);
    expect([response.status, await code(response)]).toEqual([503, "secrets_unavailable"]);
  });
});

describe("signing in", () => {
  const attempt = (email: string, password: string, from = "192.0.2.1") =>
    edge.anonymously("/api/auth/sign-in/email", {
      ...json("POST", { email, password }),
      headers: { "Content-Type": "application/json", "CF-Connecting-IP": from },
    });

  test("gives the same answer to a wrong password and to an unknown person", async () => {
    const [wrong, unknown] = await Promise.all([
      attempt(OWNER.email, "not the password"),
      attempt("nobody@example.net", "not the password"),
    ]);
    const [a, b] = [await refusal(wrong), await refusal(unknown)];
    expect({ ...a, request_id: "" }).toEqual({ ...b, request_id: "" });
    expect(a).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  test("is throttled by email, known or not, and opens again", async () => {
    pass(3600);
    const answers = async (email: string) => {
      const codes = [];
      for (let n = 0; n < 11; n++) codes.push((await attempt(email, "not the password")).status);
      return codes;
    };
    const expected = [...Array(10).fill(401), 429];
    expect(await answers("nobody@example.net")).toEqual(expected);
    expect(await answers(OWNER.email)).toEqual(expected);

    const locked = await attempt(OWNER.email, OWNER.password);
    expect(Number(locked.headers.get("retry-after"))).toBe(900);
    expect(await code(locked)).toBe("too_many_attempts");
    // The person can still sign in from another address.
    expect((await attempt(OWNER.email, OWNER.password, "198.51.100.7")).status).toBe(200);
    pass(900);
    expect((await attempt(OWNER.email, OWNER.password)).status).toBe(200);
  });

  /** Returns an attempt to sign in from a network. */
  const tried = (subject: string, id: string): Attempt => ({
    purpose: "sign-in",
    subject,
    source: { kind: "network", id },
  });

  test("attempts from one network lock nobody out elsewhere, however many they are", async () => {
    pass(7200);
    const statuses = [];
    for (let n = 0; n < 101; n++) statuses.push((await attempt(OWNER.email, "not the password")).status);
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(91).fill(429)]);
    expect((await attempt(OWNER.email, OWNER.password, "198.51.100.7")).status).toBe(200);
    // Nor from the same network to another account.
    expect((await attempt("somebody.else@example.net", "not the password")).status).toBe(401);
  });

  test("the addresses of an IPv6 /64 are one network", async () => {
    pass(7200);
    for (let n = 0; n < 10; n++) {
      expect((await attempt(OWNER.email, "not the password", `2001:db8:7:7:${n}::1`)).status).toBe(401);
    }
    expect((await attempt(OWNER.email, "not the password", "2001:db8:7:7:ffff::1")).status).toBe(429);
    expect((await attempt(OWNER.email, "not the password", "2001:db8:7:8::1")).status).toBe(401);
  });

  test("attempts from many networks do not lock out a device that has signed in before", async () => {
    pass(7200);
    const laptop = await Browser.signedIn(edge, OWNER);
    await laptop.post("/api/auth/sign-out", {});
    for (let n = 0; n < 100; n++) {
      await countAttempt(edge.db, tried(OWNER.email, `192.0.2.${Math.floor(n / 9)}`), edge.clock);
    }
    expect((await attempt(OWNER.email, OWNER.password, "198.51.100.7")).status).toBe(429);
    const signIn = (password: string, email: string = OWNER.email) =>
      laptop.post("/api/auth/sign-in/email", { email, password });
    expect((await signIn(OWNER.password)).status).toBe(200);

    // The device has a limit of its own, and is known to this account only.
    for (let n = 0; n < 10; n++) expect((await signIn("not the password")).status).toBe(401);
    expect(await code(await signIn(OWNER.password))).toBe("too_many_attempts");
    const victim = "somebody@example.net";
    for (let n = 0; n < 100; n++) {
      await countAttempt(edge.db, tried(victim, `192.0.2.${Math.floor(n / 9)}`), edge.clock);
    }
    expect((await signIn("not the password", victim)).status).toBe(429);
    pass(900);
    expect((await signIn(OWNER.password)).status).toBe(200);
  });

  test("a device's cookie is signed, and expires after 400 days", async () => {
    pass(7200);
    const laptop = await Browser.signedIn(edge, OWNER);
    const [name, cookie] = Array.from(laptop.cookies).find(([name]) => name.endsWith("vivimark.device"))!;
    const attack = () =>
      Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          countAttempt(edge.db, tried(OWNER.email, `192.0.2.${Math.floor(n / 9)}`), edge.clock),
        ),
      );
    await attack();
    const signIn = (device: string) => {
      const browser = new Browser(edge);
      browser.cookies.set(name, device);
      return browser.post("/api/auth/sign-in/email", OWNER);
    };
    expect((await signIn(cookie)).status).toBe(200);
    const session = laptop.cookies.get("__Secure-vivimark.session_token")!;
    for (const forged of [cookie.replace(/\.\d{10}/, ".9999999999"), session, "device", ""]) {
      expect([forged, (await signIn(forged)).status]).toEqual([forged, 429]);
    }
    pass(400 * 24 * 3600);
    await attack();
    expect((await signIn(cookie)).status).toBe(429);
  });

  test("a new password makes all devices unknown but the one that set it", async () => {
    const email = "two.devices@example.net";
    const password = "a password of ten";
    await addMember(edge, { email, password }, "viewer");
    const [thief, laptop] = [
      await Browser.signedIn(edge, { email, password }),
      await Browser.signedIn(edge, { email, password }),
    ];
    const change = { current_password: password, new_password: "a better password" };
    expect((await laptop.fetch("/api/me/password", json("PUT", change))).status).toBe(204);
    for (let n = 0; n < 100; n++) {
      await countAttempt(edge.db, tried(email, `192.0.2.${Math.floor(n / 9)}`), edge.clock);
    }
    const signIn = (browser: Browser) =>
      browser.post("/api/auth/sign-in/email", { email, password: change.new_password });
    expect((await signIn(thief)).status).toBe(429);
    expect((await signIn(laptop)).status).toBe(200);
  });

  test("is throttled by network too, except on a device that has signed in before", async () => {
    pass(7200);
    const from = { "CF-Connecting-IP": "203.0.113.9" };
    const laptop = await Browser.signedIn(edge, OWNER);
    for (let n = 0; n < 60; n++) {
      await countAttempt(edge.db, tried(`person${n}@example.net`, "203.0.113.9"), edge.clock);
    }
    expect((await attempt(OWNER.email, OWNER.password, "203.0.113.9")).status).toBe(429);
    expect((await attempt(OWNER.email, OWNER.password, "198.51.100.7")).status).toBe(200);
    const here = await laptop.fetch("/api/auth/sign-in/email", json("POST", OWNER, from));
    expect(here.status).toBe(200);
  });

  test("a success uses up nothing of its network: a large office signs in", async () => {
    for (let n = 0; n < 100; n++) {
      const attempt = tried(`person${n}@example.net`, "203.0.113.10");
      await countAttempt(edge.db, attempt, edge.clock);
      await forgiveAttempt(edge.db, attempt);
    }
    expect((await attempt(OWNER.email, OWNER.password, "203.0.113.10")).status).toBe(200);
  });

  test("parallel attempts count one by one", async () => {
    const all = Array.from({ length: 30 }, () =>
      countAttempt(edge.db, tried(OWNER.email, "203.0.113.11"), edge.clock).then(
        () => "counted",
        () => "refused",
      ),
    );
    expect((await Promise.all(all)).filter((outcome) => outcome === "counted")).toHaveLength(10);
  });
});

describe("a forgotten password", () => {
  test("has the same limits for known and unknown people", async () => {
    pass(9000);
    const ask = async (email: string) => {
      const codes = [];
      for (let n = 0; n < 11; n++) {
        const response = await new Browser(edge).post("/api/auth/request-password-reset", { email });
        codes.push(response.status);
      }
      return codes;
    };
    const expected = [...Array(10).fill(200), 429];
    expect(await ask("nobody@example.net")).toEqual(expected);
    expect(await ask(OWNER.email)).toEqual(expected);
  });

  test("is answered before the mail is sent; a failure is logged without the address", async () => {
    pass(9000);
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const work: Promise<unknown>[] = [];
    const { promise: down, reject: breakDown } = Promise.withResolvers<void>();
    const { promise: sending, resolve: noteSending } = Promise.withResolvers<void>();
    const send = () => {
      noteSending();
      return down;
    };
    const accounts = { ...edge.bindings.accounts, mailer: { isConfigured: true, send } };
    const asked = json("POST", { email: OWNER.email }, { Origin: ORIGIN });
    const bindings = { accounts, later: (more: Promise<unknown>) => void work.push(more) };
    const answer = await edge.anonymously("/api/auth/request-password-reset", asked, bindings);
    expect(answer.status).toBe(200);
    await sending;
    expect(log).not.toHaveBeenCalled();
    breakDown(new Error("The mail service responded with status 500."));
    await Promise.all(work);
    const [line] = log.mock.calls[0];
    log.mockRestore();
    expect(line).toMatch(/The email to reset a password was not sent.*status 500/);
    expect(line).not.toContain(OWNER.email);
  });

  test("is replaced through the link in the mail, once, and every session ends", async () => {
    pass(10_000);
    const colleague = await invited("forgetful@example.net", "viewer");
    const ask = (email: string) => new Browser(edge).post("/api/auth/request-password-reset", { email });
    const [known, unknown] = [await ask("forgetful@example.net"), await ask("nobody@example.net")];
    expect([known.status, await known.json()]).toEqual([unknown.status, await unknown.json()]);

    const token = linkIn(await lastMail(edge, "forgetful@example.net"), "reset-password");
    const reset = (newPassword: string) =>
      new Browser(edge).post("/api/auth/reset-password", { token, newPassword });
    expect((await reset("short")).status).toBe(422);
    expect((await reset("another long password")).status).toBe(200);
    expect((await reset("yet another password")).status).toBe(422);
    expect(await code(await colleague.fetch("/api/me"))).toBe("unauthenticated");
    const back = { email: "forgetful@example.net", password: "another long password" };
    expect((await (await Browser.signedIn(edge, back)).fetch("/api/me")).status).toBe(200);
  });
});

describe("the links to a new password", () => {
  beforeEach(() => pass(18_000));

  const BEFORE = "a password of ten";
  const ask = async (email: string) => {
    await new Browser(edge).post("/api/auth/request-password-reset", { email });
    return linkIn(await lastMail(edge, email), "reset-password");
  };
  const reset = (token: string, newPassword: string) =>
    new Browser(edge).post("/api/auth/reset-password", { token, newPassword });
  const hashOf = async (email: string) =>
    (
      await edge.db
        .select({ password: accounts.password })
        .from(accounts)
        .innerJoin(users, eq(users.id, accounts.userId))
        .where(eq(users.email, email))
    )[0].password!;

  test("all end when one of them is used", async () => {
    const email = "two.links@example.net";
    await invited(email, "viewer");
    const [first, second] = [await ask(email), await ask(email)];
    expect(first).not.toBe(second);
    expect((await reset(second, "the second password")).status).toBe(200);
    const late = await refusal(await reset(first, "the first password"));
    expect(late).toMatchObject({ status: 422, code: "invalid_input" });
    expect(late.detail).toContain("Request a new one");
    expect(
      (await new Browser(edge).post("/api/auth/sign-in/email", { email, password: "the second password" }))
        .status,
    ).toBe(200);
  });

  test("all end when the password is changed", async () => {
    const email = "changed.since@example.net";
    const person = await invited(email, "viewer");
    const token = await ask(email);
    const change = { current_password: BEFORE, new_password: "a better password" };
    expect((await person.fetch("/api/me/password", json("PUT", change))).status).toBe(204);
    const hash = await hashOf(email);
    expect((await reset(token, "the attacker's password")).status).toBe(422);
    expect(await hashOf(email)).toBe(hash);
  });

  test("stay valid after a wrong attempt to change the password, and end after an hour", async () => {
    const email = "still.valid@example.net";
    const person = await invited(email, "viewer");
    const [kept, late] = [await ask(email), await ask(email)];
    const change = { current_password: "a wrong password", new_password: "a better password" };
    expect((await person.fetch("/api/me/password", json("PUT", change))).status).toBe(422);
    expect((await reset(kept, "a new long password")).status).toBe(200);
    const next = await ask(email);
    expect(next).not.toBe(late);
    pass(3600);
    expect((await reset(next, "a late long password")).status).toBe(422);
  });

  test("work once, even at the same moment", async () => {
    const email = "at.once@example.net";
    await invited(email, "viewer");
    const links = [await ask(email), await ask(email)];
    const passwords = ["password number one", "password number two", "password number three"];
    const tokens = [links[0], links[0], links[1]];
    const answers = await Promise.all(passwords.map((password, i) => reset(tokens[i], password)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 422, 422]);
    const password = passwords[statuses.indexOf(200)];
    expect((await new Browser(edge).post("/api/auth/sign-in/email", { email, password })).status).toBe(200);
  });

  test("verify the address", async () => {
    const email = "unverified@example.net";
    await invited(email, "viewer");
    const isVerified = async () =>
      (await edge.db.select().from(users).where(eq(users.email, email)))[0].emailVerified;
    await edge.db.update(users).set({ emailVerified: false }).where(eq(users.email, email));
    const token = await ask(email);
    expect(await isVerified()).toBe(false);
    expect((await reset(token, "another long password")).status).toBe(200);
    expect(await isVerified()).toBe(true);
  });

  test("are stored as hashes, which open nothing", async () => {
    const email = "hashed@example.net";
    await invited(email, "viewer");
    const token = await ask(email);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    const rows = await edge.db.select().from(verifications);
    const [row] = rows.filter(({ identifier }) => identifier.startsWith("reset-password:"));
    expect(JSON.stringify(rows)).not.toContain(token);
    for (const stored of [row.id, row.identifier, row.identifier.split(":")[1], row.value]) {
      expect((await reset(stored, "another long password")).status).toBe(422);
    }
  });
});

test("a device that resets the password may sign in, while others attack the account", async () => {
  const email = "attacked@example.net";
  await addMember(edge, { ...OWNER, email }, "viewer");
  const phone = new Browser(edge);
  await phone.post("/api/auth/request-password-reset", { email });
  const token = linkIn(await lastMail(edge, email), "reset-password");
  const newPassword = "another long password";
  expect((await phone.post("/api/auth/reset-password", { token, newPassword })).status).toBe(200);
  for (let n = 0; n < 100; n++) {
    const source = { kind: "network", id: `192.0.2.${Math.floor(n / 9)}` } as const;
    await countAttempt(edge.db, { purpose: "sign-in", subject: email, source }, edge.clock);
  }
  const signIn = (browser: Browser) =>
    browser.post("/api/auth/sign-in/email", { email, password: newPassword });
  expect((await signIn(new Browser(edge))).status).toBe(429);
  expect((await signIn(phone)).status).toBe(200);
});

describe("people change", () => {
  test("their name, which is cleaned like every name", async () => {
    const person = await invited("renamed@example.net", "viewer");
    const change = (body: object) => person.fetch("/api/me", json("PATCH", body));
    expect((await change({ name: "  Grace\nHopper " })).status).toBe(204);
    expect((await person.json<Me>("/api/me")).name).toBe("Grace Hopper");
    expect(await code(await change({ name: " " }))).toBe("invalid_input");
    expect(await code(await change({ name: "Eve", email: "owner@example.net" }))).toBe("invalid_input");
  });

  test("their password, with the current one; every other session ends", async () => {
    pass(12_000);
    const person = await invited("careful@example.net", "viewer");
    const before = { email: "careful@example.net", password: "a password of ten" };
    const phone = await Browser.signedIn(edge, before);
    const change = (current_password: string, new_password: string) =>
      person.fetch("/api/me/password", json("PUT", { current_password, new_password }));

    const wrong = await refusal(await change("not the password", "a better password"));
    expect(wrong).toMatchObject({ status: 422, errors: [{ field: "current_password" }] });
    const both = await refusal(await change("not the password", "0000000000"));
    expect(both).toMatchObject({ status: 422, errors: [{ field: "current_password" }] });
    const weak = await refusal(await change("a password of ten", "0000000000"));
    expect(weak).toMatchObject({ status: 422, errors: [{ field: "new_password" }] });
    const short = await change("a password of ten", "short");
    expect(await short.text()).not.toContain('"short"');
    expect(short.status).toBe(422);
    expect((await phone.fetch("/api/me")).status).toBe(200);

    expect((await change("a password of ten", "a better password")).status).toBe(204);
    expect((await person.fetch("/api/me")).status).toBe(200);
    expect(await code(await phone.fetch("/api/me"))).toBe("unauthenticated");
    await expect(Browser.signedIn(edge, before)).rejects.toThrow("401");
    const after = { ...before, password: "a better password" };
    expect((await (await Browser.signedIn(edge, after)).fetch("/api/me")).status).toBe(200);
  });

  test("their password only a few times wrongly: guessing is throttled in a session too", async () => {
    pass(14_000);
    const person = await invited("guessed@example.net", "viewer");
    const guess = () =>
      person.fetch(
        "/api/me/password",
        json("PUT", { current_password: "a guess", new_password: "a better password" }),
      );
    const before = { email: "guessed@example.net", password: "a password of ten" };
    const phone = await Browser.signedIn(edge, before);
    for (let n = 0; n < 10; n++) expect((await guess()).status).toBe(422);
    expect(await code(await guess())).toBe("too_many_attempts");
    // A stolen session does not lock the person's own.
    const change = { current_password: before.password, new_password: "a better password" };
    expect((await phone.fetch("/api/me/password", json("PUT", change))).status).toBe(204);
  });
});

describe("the company", () => {
  test("is renamed by its owners and admins", async () => {
    const editor = await invited("renamer@example.net", "editor");
    expect(await code(await editor.fetch("/api/company", json("PATCH", { name: "Mine" })))).toBe("forbidden");
    expect(await owner.json("/api/company", json("PATCH", { name: "Portraits & Sons" }))).toEqual({
      id: FIRST_COMPANY_ID,
      name: "Portraits & Sons",
    });
    expect((await editor.json<Me>("/api/me")).company?.name).toBe("Portraits & Sons");
    await owner.json("/api/company", json("PATCH", { name: "Portraits" }));
  });
});

describe("members", () => {
  test("join by a link, with the role of their invitation", async () => {
    const editor = await invited("grace@example.net", "editor");
    expect(await editor.json<Me>("/api/me")).toMatchObject({
      name: "grace",
      company: { id: FIRST_COMPANY_ID, role: "editor" },
    });
    expect((await editor.post("/api/ar-content", form({ image: png() }))).status).toBe(201);
    expect(await code(await editor.fetch("/api/api-keys"))).toBe("forbidden");
  });

  test("an invitation is valid once, for a week, and until it is withdrawn", async () => {
    const [once, late, withdrawn] = await Promise.all(
      ["once", "late", "withdrawn"].map((name) =>
        invite(edge, owner, { email: `${name}@example.net`, role: "viewer" }),
      ),
    );
    const accept = (token: string) =>
      acceptWithNewAccount(edge, token, { name: "N", password: "a long password" });
    expect(await opened(once.mailToken)).toEqual({
      email: "once@example.net",
      company: "Portraits",
      role: "viewer",
      inviter: "Ada",
      expires_at: once.expiresAt,
      by_email: true,
    });
    expect((await accept(once.mailToken)).status).toBe(201);
    for (const token of [once.mailToken, once.token]) expect(await code(await open(token))).toBe("not_found");
    expect(await code(await accept(once.mailToken))).toBe("not_found");
    await owner.post("/api/auth/organization/cancel-invitation", { invitationId: withdrawn.id });
    expect(await code(await accept(withdrawn.mailToken))).toBe("not_found");
    pass(8 * 24 * 3600);
    for (const token of [late.mailToken, late.token]) expect(await code(await open(token))).toBe("not_found");
    expect(await code(await accept(late.mailToken))).toBe("not_found");
  });

  test.each([
    ["is removed", "admin", "/remove-member"],
    ["becomes an editor", "editor", "/update-member-role"],
  ])("an invitation ends when its inviter %s", async (_, role, path) => {
    const name = crypto.randomUUID();
    const inviter = await invited(`${name}@example.net`, "admin");
    const { id: userId } = await inviter.json<Me>("/api/me");
    const [{ id }] = await edge.db.select().from(members).where(eq(members.userId, userId));
    const { mailToken, token } = await invite(edge, inviter, {
      email: `${name}@home.example`,
      role: "admin",
    });
    const ending = path === "/remove-member" ? { memberIdOrEmail: id } : { memberId: id, role };
    expect((await owner.post(`/api/auth/organization${path}`, ending)).status).toBe(200);
    for (const link of [mailToken, token]) {
      const headers = { Authorization: `Bearer ${link}` };
      expect(await code(await edge.anonymously("/api/invitation", { headers }))).toBe("not_found");
    }
    const account = { name: "Back again", password: "a password of ten" };
    expect(await code(await acceptWithNewAccount(edge, mailToken, account))).toBe("not_found");
    const { items } = await owner.json<{ items: PendingInvitation[] }>("/api/company/invitations");
    expect(items.filter(({ email }) => email.startsWith(name))).toEqual([]);
  });

  test("an owner's invitation of an owner ends when its inviter becomes an admin", async () => {
    const name = crypto.randomUUID();
    const inviter = await invited(`${name}@example.net`, "owner");
    const { id: userId } = await inviter.json<Me>("/api/me");
    const [{ id: memberId }] = await edge.db.select().from(members).where(eq(members.userId, userId));
    const [asOwner, asAdmin] = [
      await invite(edge, inviter, { email: `${name}@owner.example`, role: "owner" }),
      await invite(edge, inviter, { email: `${name}@admin.example`, role: "admin" }),
    ];
    await owner.post("/api/auth/organization/update-member-role", { memberId, role: "admin" });
    const account = { name: "Somebody", password: "a password of ten" };
    expect(await code(await acceptWithNewAccount(edge, asOwner.mailToken, account))).toBe("not_found");
    expect((await acceptWithNewAccount(edge, asAdmin.mailToken, account)).status).toBe(201);
  });

  test("an invitation of an owner is withdrawn and replaced by owners only", async () => {
    const admin = await invited(`${crypto.randomUUID()}@example.net`, "admin");
    const email = `${crypto.randomUUID()}@owner.example`;
    const { id, mailToken } = await invite(edge, owner, { email, role: "owner" });
    const withdrawn = admin.post("/api/auth/organization/cancel-invitation", { invitationId: id });
    expect(await code(await withdrawn)).toBe("forbidden");
    const replaced = admin.post("/api/auth/organization/invite-member", { email, role: "viewer" });
    expect(await code(await replaced)).toBe("forbidden");
    expect((await opened(mailToken)).role).toBe("owner");
    const second = await invite(edge, owner, { email, role: "admin" });
    expect(
      (await admin.post("/api/auth/organization/cancel-invitation", { invitationId: second.id })).status,
    ).toBe(200);
    expect(await code(await open(mailToken))).toBe("not_found");
  });

  test("a person with an account joins with it, and switches between companies", async () => {
    pass(60);
    const own = await owner.json<{ id: string }>("/api/me/companies", json("POST", { name: "Second" }));
    const editor = await invited("linus@example.net", "editor");
    await owner.post("/api/auth/organization/set-active", { organizationId: own.id });
    const { token } = await invite(edge, owner, { email: "linus@example.net", role: "admin" });
    expect(await code(await accept(owner, token))).toBe("forbidden");
    pass(60);
    const joined = await accept(editor, token);
    expect(joined.status).toBe(200);
    await editor.post("/api/auth/organization/set-active", { organizationId: own.id });
    const me = await editor.json<Me>("/api/me");
    expect(me.company).toMatchObject({ id: own.id, role: "admin" });
    expect(me.companies.map(({ role }) => role)).toEqual(["editor", "admin"]);
    expect((await editor.json<{ items: unknown[] }>("/api/ar-content")).items).toEqual([]);
  });

  test("only members can select a company", async () => {
    pass(60);
    const stranger = await invited("stranger@example.net", "viewer");
    const { id } = await owner.json<{ id: string }>("/api/me/companies", json("POST", { name: "Third" }));
    const answer = await stranger.post("/api/auth/organization/set-active", { organizationId: id });
    expect(await code(answer)).toBe("not_found");
    const { id: session } = { id: (await stranger.json<Me>("/api/me")).session_id };
    await edge.db.update(sessions).set({ activeCompanyId: id }).where(eq(sessions.id, session));
    expect(await code(await stranger.fetch("/api/ar-content"))).toBe("no_company");
  });

  test("a removed member loses access at once", async () => {
    const gone = await invited("gone@example.net", "admin");
    const { id: userId } = await gone.json<Me>("/api/me");
    const [{ id }] = await edge.db.select().from(members).where(eq(members.userId, userId));
    expect((await owner.post("/api/auth/organization/remove-member", { memberIdOrEmail: id })).status).toBe(
      200,
    );
    expect(await code(await gone.fetch("/api/ar-content"))).toBe("no_company");
  });

  test("an admin cannot appoint owners or remove the last one, and a member has one role", async () => {
    const admin = await invited("admin@example.net", "admin");
    const asOwner = { email: "x@example.net", role: "owner" };
    expect((await admin.post("/api/auth/organization/invite-member", asOwner)).status).toBe(403);
    const { id: ownerId } = await owner.json<Me>("/api/me");
    const [{ id }] = await edge.db.select().from(members).where(eq(members.userId, ownerId));
    const removal = await admin.post("/api/auth/organization/remove-member", { memberIdOrEmail: id });
    expect(removal.status).toBeGreaterThanOrEqual(400);
    expect((await owner.post("/api/auth/organization/leave", { organizationId: FIRST_COMPANY_ID })).ok).toBe(
      false,
    );
    for (const role of ["member", "editor,admin", ["editor"], "root"]) {
      const body = { email: "y@example.net", role };
      const response = await owner.post("/api/auth/organization/invite-member", body);
      expect([role, response.status]).toEqual([role, 422]);
    }
  });

  test.each([
    ["leave", "leave"],
    ["become viewers", "become viewers"],
    ["remove each other", "remove each other"],
    ["leave and become a viewer", "leave", "become viewers"],
  ])("of two owners who %s at the same moment one stays", async (_, ...ways) => {
    const second = await invited(`${ways.join("-").replaceAll(" ", "-")}@example.net`, "viewer");
    const both = [second, await invited(`other-${crypto.randomUUID()}@example.net`, "viewer")];
    const founded = await second.post("/api/me/companies", { name: "Shared" });
    const { id: companyId } = (await founded.json()) as { id: string };
    const [one, other] = await Promise.all(both.map(async (person) => (await person.json<Me>("/api/me")).id));
    await edge.db.insert(members).values({
      id: crypto.randomUUID(),
      companyId,
      userId: other,
      role: "owner",
      createdAt: new Date(edge.clock),
    });
    const rows = await edge.db.select().from(members).where(eq(members.companyId, companyId));
    const memberOf = (userId: string) => rows.find((row) => row.userId === userId)!.id;
    const attempts = both.map((person, i) => {
      const way = ways[i % ways.length];
      const [own, others] = i === 0 ? [one, other] : [other, one];
      const organization = { organizationId: companyId };
      if (way === "leave") return person.post("/api/auth/organization/leave", organization);
      if (way === "become viewers") {
        const body = { ...organization, memberId: memberOf(own), role: "viewer" };
        return person.post("/api/auth/organization/update-member-role", body);
      }
      const body = { ...organization, memberIdOrEmail: memberOf(others) };
      return person.post("/api/auth/organization/remove-member", body);
    });
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(statuses.every((status) => status < 500)).toBe(true);
    const left = await edge.db.select().from(members).where(eq(members.companyId, companyId));
    expect(left.filter(({ role }) => role === "owner").length).toBeGreaterThan(0);
  });

  test("join a company once", async () => {
    const viewer = await invited("twice@example.net", "viewer");
    const [member] = await viewer
      .json<{ items: Member[] }>("/api/company/members")
      .then(({ items }) => items.filter(({ email }) => email === "twice@example.net"));
    const again = { email: "twice@example.net", role: "admin" };
    const refused = await owner.post("/api/auth/organization/invite-member", again);
    expect([refused.status, await code(refused)]).toEqual([422, "invalid_input"]);
    // An invitation from before they joined.
    const { token, hash } = await newToken();
    await edge.db
      .update(invitations)
      .set({ status: "pending", role: "admin", mailTokenHash: hash })
      .where(eq(invitations.email, "twice@example.net"));
    const accepted = await accept(viewer, token);
    expect([accepted.status, await code(accepted)]).toEqual([422, "invalid_input"]);
    const rows = await edge.db.select().from(members).where(eq(members.userId, member.person_id));
    expect(rows.map(({ role }) => role)).toEqual(["viewer"]);
  });

  test("are at most 1000, with and without an account", async () => {
    pass(60);
    const late = await invited("late.joiner@example.net", "viewer");
    const created = await owner.post("/api/me/companies", { name: "Full" });
    const { id: companyId } = (await created.json()) as { id: string };
    const send = async (email: string) => {
      const invitation = { organizationId: companyId, email, role: "viewer" };
      return (await invite(edge, owner, invitation)).mailToken;
    };
    const [known, unknown] = [await send("late.joiner@example.net"), await send("new.joiner@example.net")];
    const times = `${edge.clock}, ${edge.clock}`;
    const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)";
    await edge.db.batch([
      edge.db.run(
        sql.raw(`INSERT INTO users SELECT 'full' || i, 'N', 'full' || i, 1, NULL, ${times}
        FROM (${numbers} SELECT i FROM n)`),
      ),
      edge.db.run(
        sql.raw(`INSERT INTO members SELECT 'full' || i, '${companyId}', 'full' || i, 'viewer', 0
        FROM (${numbers} SELECT i FROM n)`),
      ),
    ]);
    const asNew = () => acceptWithNewAccount(edge, unknown, { name: "New", password: "a long password" });
    expect(await code(await asNew())).toBe("forbidden");
    expect(await code(await accept(late, known))).toBe("forbidden");
    await edge.db.delete(members).where(eq(members.id, "full1"));
    expect((await asNew()).status).toBe(201);
    const rows = await edge.db.select().from(members).where(eq(members.companyId, companyId));
    expect(rows).toHaveLength(1000);
    await edge.db.delete(users).where(like(users.id, "full%"));
  });

  test("are changed in the company of the session, or in the one that the request names", async () => {
    const person = await invited("unselected@example.net", "admin");
    await person.post("/api/auth/organization/set-active", { organizationId: null });
    expect((await person.json<Me>("/api/me")).company).toBeNull();
    const body = { email: "somebody@example.net", role: "viewer" };
    const refused = await person.post("/api/auth/organization/invite-member", body);
    expect([refused.status, await code(refused)]).toEqual([422, "invalid_input"]);
    const named = { ...body, organizationId: FIRST_COMPANY_ID };
    expect((await person.post("/api/auth/organization/invite-member", named)).status).toBe(200);
  });

  test("can all see the members", async () => {
    const viewer = await invited("seeing@example.net", "viewer");
    const { items } = await viewer.json<{ items: Member[] }>("/api/company/members");
    expect(items).toContainEqual(expect.objectContaining({ name: "Ada", email: OWNER.email, role: "owner" }));
    const { id: person_id } = await viewer.json<Me>("/api/me");
    expect(items).toContainEqual(
      expect.objectContaining({ person_id, email: "seeing@example.net", role: "viewer" }),
    );
  });

  test("viewers and editors cannot invite, and see no invitations", async () => {
    const open = await invite(edge, owner, { email: "open@example.net", role: "admin" });
    const { items } = await owner.json<{ items: PendingInvitation[] }>("/api/company/invitations");
    expect(items.map(({ id }) => id)).toContain(open.id);
    for (const role of ["viewer", "editor"]) {
      const browser = await invited(`${role}.uninviting@example.net`, role);
      expect(await code(await browser.fetch("/api/company/invitations"))).toBe("forbidden");
      const body = { email: "friend@example.net", role: "viewer" };
      expect((await browser.post("/api/auth/organization/invite-member", body)).status).toBe(403);
      const { items: members } = await browser.json<{ items: Member[] }>("/api/company/members");
      const { id } = members.find(({ email }) => email === OWNER.email)!;
      const removal = await browser.post("/api/auth/organization/remove-member", { memberIdOrEmail: id });
      expect(await code(removal)).toBe("forbidden");
    }
  });
});

test("invitations are throttled by inviter, not by their network", async () => {
  pass(16_000);
  const colleague = await addMember(edge, { ...OWNER, email: "busy.inviter@example.net" }, "admin");
  const { id } = await colleague.json<Me>("/api/me");
  const of = (subject: string): Attempt => ({
    purpose: "invitation",
    subject,
    source: { kind: "person", id },
  });
  for (let n = 0; n < 60; n++) await countAttempt(edge.db, of(`person${n}@example.net`), edge.clock);
  const send = (by: Browser) =>
    by.post("/api/auth/organization/invite-member", { email: "welcome@example.net", role: "viewer" });
  expect(await code(await send(colleague))).toBe("too_many_attempts");
  expect((await send(owner)).status).toBe(200);
});

/** Opens the link of an invitation. */
const open = (token: string) =>
  edge.anonymously("/api/invitation", { headers: { Authorization: `Bearer ${token}` } });

const opened = async (token: string) => (await (await open(token)).json()) as Invitation;

const accept = (person: Browser, token: string) =>
  person.post("/api/auth/organization/accept-invitation", { token });

const ACCOUNT = { name: "N", password: "a long password" };

describe("the links of an invitation", () => {
  beforeEach(() => pass(3600));

  test("are tokens that no list, log or copy of the database contains", async () => {
    const email = "listed@example.net";
    const first = await invite(edge, owner, { email, role: "owner" });
    const { id, token, mailToken } = await invite(edge, owner, { email, role: "owner" });
    const shown = [first.token, first.mailToken, token, mailToken];
    for (const each of shown) expect(each).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(shown).size).toBe(4);
    const withdrawn = await invite(edge, owner, { email: "withdrawn.2@example.net", role: "owner" });
    const withdraw = json("POST", { invitationId: withdrawn.id });
    const answer = await owner.json("/api/auth/organization/cancel-invitation", withdraw);
    const texts = await Promise.all([
      owner.fetch("/api/company/invitations").then((response) => response.text()),
      JSON.stringify(answer),
      edge.fetch("/api/audit-log?subject=member").then((response) => response.text()),
      edge.fetch("/api/audit-log?subject=invitation").then((response) => response.text()),
      edge.db.select().from(invitations).then(JSON.stringify),
      edge.db.select().from(auditLog).then(JSON.stringify),
    ]);
    for (const text of texts) {
      expect(text).toContain(email.replace("listed", text.includes(email) ? "listed" : "withdrawn.2"));
      for (const each of [...shown, withdrawn.token, withdrawn.mailToken]) expect(text).not.toContain(each);
    }
    expect(texts[2]).toContain(id);
  });

  test("end the earlier ones to the same address", async () => {
    const email = "again@example.net";
    const first = await invite(edge, owner, { email, role: "viewer" });
    const second = await invite(edge, owner, { email, role: "viewer" });
    for (const token of [first.token, first.mailToken])
      expect(await code(await open(token))).toBe("not_found");
    expect((await opened(second.token)).email).toBe(email);
    expect((await opened(second.mailToken)).by_email).toBe(true);
  });

  test("are not the invitation's id, which the activity log shows to API keys", async () => {
    const { id } = await invite(edge, owner, { email: "named@example.net", role: "owner" });
    const person = await invited("reader@example.net", "admin");
    expect(await code(await open(id))).toBe("not_found");
    expect(await code(await acceptWithNewAccount(edge, id, ACCOUNT))).toBe("not_found");
    expect(await code(await accept(person, id))).toBe("not_found");
    expect(await edge.db.select().from(users).where(eq(users.email, "named@example.net"))).toEqual([]);
  });

  test("create an account only when they come from the email, which verifies the address", async () => {
    const email = "victim.of.inviter@example.net";
    const { token, mailToken } = await invite(edge, owner, { email, role: "viewer" });
    expect((await opened(token)).by_email).toBe(false);
    const refused = await refusal(await acceptWithNewAccount(edge, token, ACCOUNT));
    expect(refused).toMatchObject({ status: 403, code: "forbidden" });
    expect(refused.detail).toContain("the email that was sent to");
    expect(await edge.db.select().from(users).where(eq(users.email, email))).toEqual([]);
    expect((await acceptWithNewAccount(edge, mailToken, ACCOUNT)).status).toBe(201);
    const [user] = await edge.db.select().from(users).where(eq(users.email, email));
    expect(user.emailVerified).toBe(true);
  });

  test("let a person join who has proved their address, or does so by the link in the email", async () => {
    const email = "unproved@example.net";
    const person = await invited(email, "viewer");
    const verify = (emailVerified: boolean) =>
      edge.db.update(users).set({ emailVerified }).where(eq(users.email, email));
    const company = async (name: string) =>
      (await owner.json<{ id: string }>("/api/me/companies", json("POST", { name }))).id;
    const into = async (organizationId: string) =>
      invite(edge, owner, { email, role: "viewer", organizationId });
    const [first, second] = [await company("Proof 1"), await company("Proof 2")];
    await verify(false);
    const { token, mailToken } = await into(first);
    const refused = await refusal(await accept(person, token));
    expect(refused).toMatchObject({ status: 403, code: "forbidden" });
    expect(refused.detail).toContain("not verified");
    expect((await accept(person, mailToken)).status).toBe(200);
    // The address is verified now, so that a link without proof is enough.
    expect((await accept(person, (await into(second)).token)).status).toBe(200);
    expect((await person.json<Me>("/api/me")).companies).toHaveLength(3);
  });

  test("tell a reader of the email that the address has an account", async () => {
    const email = "registered@example.net";
    await invited(email, "viewer");
    const other = await owner.json<{ id: string }>("/api/me/companies", json("POST", { name: "Other" }));
    const { mailToken } = await invite(edge, owner, { email, role: "viewer", organizationId: other.id });
    const refused = await acceptWithNewAccount(edge, mailToken, ACCOUNT);
    expect([refused.status, await code(refused)]).toEqual([409, "account_exists"]);
  });

  test("tell the inviter nothing about whether the address has an account", async () => {
    await invited("known@example.net", "viewer");
    const { id: organizationId } = await owner.json<{ id: string }>(
      "/api/me/companies",
      json("POST", { name: "Curious" }),
    );
    const seen = async (email: string) => {
      const { mailToken, token, id, ...created } = await invite(edge, owner, {
        email,
        role: "viewer",
        organizationId,
      });
      const tried = await refusal(await acceptWithNewAccount(edge, token, ACCOUNT));
      const asOwner = await refusal(await accept(owner, token));
      await owner.post("/api/auth/organization/set-active", { organizationId });
      const list = await owner.json<{ items: PendingInvitation[] }>("/api/company/invitations");
      const log = await owner.json<{ items: { object: { id: string } }[] }>("/api/audit-log");
      const all = {
        created,
        opened: await opened(token),
        tried: { ...tried, request_id: "" },
        asOwner: { ...asOwner, request_id: "" },
        listed: list.items.filter((item) => item.id === id).map((item) => ({ ...item, id: "" })),
        logged: log.items
          .filter(({ object }) => object.id === id)
          .map((entry) => ({ ...entry, id: "", object: { ...entry.object, id: "" } })),
        mail: (await lastMail(edge, email)).replace(mailToken, ""),
      };
      return JSON.stringify(all).replaceAll(email, "EMAIL");
    };
    const [known, unknown] = [await seen("known@example.net"), await seen("unknown@example.net")];
    expect(known).toBe(unknown);
    await owner.post("/api/auth/organization/set-active", { organizationId: FIRST_COMPANY_ID });
  });

  test("have one link in the email, whatever the names are", async () => {
    const name = "https://evil.example/win or www.evil.example";
    await owner.json("/api/company", json("PATCH", { name }));
    const email = "unlinked@example.net";
    await invite(edge, owner, { email, role: "viewer" });
    await owner.json("/api/company", json("PATCH", { name: "Portraits" }));
    const [{ subject, body }] = await edge.db.select().from(mails).where(eq(mails.recipient, email));
    const text = `${subject} ${body}`;
    expect(text.replaceAll("\u200b", "")).toContain(name);
    expect(text.match(/https?:\/\S+|\w\.\w\S+/g)).toEqual([expect.stringContaining("/invitation#")]);
  });

  test("are not made when no email can be sent", async () => {
    const accounts = { ...edge.bindings.accounts, mailer: NO_MAILER };
    const email = "unreachable@example.net";
    const body = json("POST", { email, role: "viewer" }, { Cookie: owner.cookie(), Origin: ORIGIN });
    const refused = await edge.anonymously("/api/auth/organization/invite-member", body, { accounts });
    expect([refused.status, await code(refused)]).toEqual([503, "mail_unavailable"]);
    expect(await edge.db.select().from(invitations).where(eq(invitations.email, email))).toEqual([]);
  });
});

test("invitations to an email are throttled", async () => {
  const victim = "victim@example.net";
  const send = (by: Browser) =>
    by.post("/api/auth/organization/invite-member", { email: victim, role: "viewer" });
  // Unauthenticated requests do not use up anybody else's attempts.
  for (let i = 0; i < 12; i++) expect((await send(new Browser(edge))).status).toBe(401);
  for (let i = 0; i < 10; i++) expect((await send(owner)).status).toBe(200);
  const refused = await send(owner);
  expect([refused.status, await code(refused)]).toEqual([429, "too_many_attempts"]);
  expect(await edge.db.select().from(mails).where(eq(mails.recipient, victim))).toHaveLength(10);
  pass(15 * 60);
  expect((await send(owner)).status).toBe(200);
  for (let n = 1; n < 100; n++) {
    const source = { kind: "person", id: `inviter ${Math.floor(n / 9)}` } as const;
    await countAttempt(edge.db, { purpose: "invitation", subject: victim, source }, edge.clock);
  }
  expect(await code(await send(owner))).toBe("too_many_attempts");
});

describe("API keys", () => {
  const create = (body: object) => owner.json<CreatedApiKey>("/api/api-keys", json("POST", body));
  const as = (key: string, path: string, init: RequestInit = {}) =>
    edge.anonymously(path, { ...init, headers: { ...init.headers, Authorization: `Bearer ${key}` } });

  test("are shown once and stored as a hash", async () => {
    const { key, ...shown } = await create({ name: "Shop", scopes: ["read"] });
    expect(key).toMatch(/^vivi_[0-9a-f]{48}$/);
    expect(shown.prefix).toBe(key.slice(0, 13));
    const { items } = await owner.json<{ items: ApiKey[] }>(`/api/api-keys?prefix=${key.slice(0, 9)}`);
    expect(items).toEqual([shown]);
    const [row] = await edge.db.select().from(apiKeys).where(eq(apiKeys.id, shown.id));
    expect(JSON.stringify(row)).not.toContain(key);
  });

  test("have only their scopes", async () => {
    const [read, submit, manage] = await Promise.all(
      ["read", "submit", "manage"].map((scope) => create({ name: scope, scopes: [scope] })),
    );
    const upload = { method: "POST", body: form({ image: png() }) };
    expect((await as(read.key, "/api/ar-content")).status).toBe(200);
    expect(await code(await as(read.key, "/api/ar-content", upload))).toBe("forbidden");
    const submitted = await as(submit.key, "/api/ar-content", { ...upload, body: form({ image: png() }) });
    const { content } = (await submitted.json()) as { content: { id: string } };
    expect(await code(await as(submit.key, `/api/ar-content/${content.id}`))).toBe("forbidden");
    const remove = { method: "DELETE" };
    expect(await code(await as(submit.key, `/api/ar-content/${content.id}`, remove))).toBe("forbidden");
    expect((await as(manage.key, `/api/ar-content/${content.id}`, remove)).status).toBe(204);
    expect(await code(await as(manage.key, "/api/api-keys"))).toBe("forbidden");
    expect(await code(await as(manage.key, "/api/me"))).toBe("unauthenticated");
  });

  test("are at most 100, because each has its own rate limits", async () => {
    const list = async () => (await owner.json<{ items: ApiKey[] }>("/api/api-keys")).items;
    const { length } = await list();
    const body = json("POST", { name: "One more", scopes: ["read"] });
    const made = await Promise.all(
      Array.from({ length: 102 - length }, () => owner.fetch("/api/api-keys", body)),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(100 - length);
    expect(await code(await owner.fetch("/api/api-keys", body))).toBe("too_many_keys");
    for (const { id, name } of await list()) {
      if (name === "One more") await owner.fetch(`/api/api-keys/${id}`, { method: "DELETE" });
    }
    expect((await owner.fetch("/api/api-keys", body)).status).toBe(201);
  });

  test("are refused once they expire or are revoked", async () => {
    const expires_at = new Date(edge.clock + 60_000).toISOString();
    const { key, id } = await create({ name: "Short", scopes: ["read"], expires_at });
    expect((await as(key, "/api/projects")).status).toBe(200);
    pass(60);
    expect(await code(await as(key, "/api/projects"))).toBe("unauthenticated");

    const other = await create({ name: "Long", scopes: ["read"] });
    const revoked = await owner.fetch(`/api/api-keys/${other.id}`, { method: "DELETE" });
    expect(revoked.status).toBe(204);
    expect(await code(await as(other.key, "/api/projects"))).toBe("unauthenticated");
    expect((await owner.fetch(`/api/api-keys/${id}`, { method: "DELETE" })).status).toBe(204);
    const past = { name: "Past", scopes: ["read"], expires_at: new Date(edge.clock - 1).toISOString() };
    expect(await code(await owner.fetch("/api/api-keys", json("POST", past)))).toBe("invalid_input");
  });

  test("show their last use, to the minute", async () => {
    const { key, id } = await create({ name: "Used", scopes: ["read"] });
    const lastUsed = async () => {
      const { items } = await owner.json<{ items: ApiKey[] }>("/api/api-keys");
      return items.find((item) => item.id === id)!.last_used_at;
    };
    expect(await lastUsed()).toBeNull();
    await as(key, "/api/projects");
    const first = new Date(edge.clock).toISOString();
    pass(59);
    await as(key, "/api/projects");
    expect(await lastUsed()).toBe(first);
    pass(2);
    await as(key, "/api/projects");
    expect(await lastUsed()).toBe(new Date(edge.clock).toISOString());
  });

  test("write to the database once a minute when they read", async () => {
    const { key } = await create({ name: "Reader", scopes: ["read"] });
    const writes = async () => {
      const statements: Statements = new Map();
      const db = drizzle(noting(statements));
      const headers = { Authorization: `Bearer ${key}` };
      expect((await edge.anonymously("/api/projects", { headers }, { db })).status).toBe(200);
      return [...statements.keys()].filter((query) => !query.startsWith("select "));
    };
    expect(await writes()).toEqual([expect.stringMatching(/^update "api_keys" set "last_used_at"/)]);
    pass(59);
    expect(await writes()).toEqual([]);
    pass(2);
    expect(await writes()).toHaveLength(1);
  });

  test("an invalid header is refused, even with a valid cookie", async () => {
    for (const authorization of ["Bearer", "Bearer vivi_", "Basic b3duZXI6cGFzc3dvcmQ=", "vivi_0"]) {
      const response = await owner.fetch("/api/projects", { headers: { Authorization: authorization } });
      expect(await code(response)).toBe("unauthenticated");
      expect(response.headers.get("www-authenticate")).toContain("Bearer");
    }
  });
});

describe("the development mailbox", () => {
  test("opens only with its link", async () => {
    expect(await code(await edge.anonymously("/api/mailbox"))).toBe("not_found");
    expect(await code(await owner.fetch("/api/mailbox"))).toBe("not_found");
    const closed = { accounts: { ...edge.bindings.accounts, mailbox: null } };
    const headers = { Authorization: "Bearer token-of-the-mailbox" };
    expect(await code(await edge.anonymously("/api/mailbox", { headers }, closed))).toBe("not_found");
    const mailbox = { ...edge.bindings.accounts.mailbox!, token: "guessed" };
    const weak = { accounts: { ...edge.bindings.accounts, mailbox } };
    const guess = { headers: { Authorization: "Bearer guessed" } };
    expect(await code(await edge.anonymously("/api/mailbox", guess, weak))).toBe("not_found");
  });
});

describe("media of inactive content", () => {
  test("is visible only in its company, and shared caches do not store it", async () => {
    pass(60);
    const { content, lease } = await edge.submit({ compile: "browser" });
    const { picture_url: path } = await edge.json<ArContent>(`/api/ar-content/${content.id}/marker`, {
      method: "PUT",
      body: form({ marker: mind(), picture: jpeg(240, 180) }),
      headers: { "Vivimark-Lease": lease!.token },
    });
    if (!path) throw new Error("The photo has no picture.");
    expect((await edge.anonymously(path)).headers.get("cache-control")).toContain("public");
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { is_active: false }));
    expect(await code(await edge.anonymously(path))).toBe("not_found");
    const seen = await owner.fetch(path);
    expect([seen.status, seen.headers.get("cache-control")]).toEqual([200, "private, no-cache"]);
    await seen.arrayBuffer();
    await owner
      .json("/api/me/companies", json("POST", { name: "Another" }))
      .then((company) =>
        owner.post("/api/auth/organization/set-active", { organizationId: (company as { id: string }).id }),
      );
    expect(await code(await owner.fetch(path))).toBe("not_found");
  });
});

/** Creates a person who accepts an invitation by the link in the email. */
async function invited(email: string, role: string): Promise<Browser> {
  const browser = new Browser(edge);
  const { mailToken } = await invite(edge, owner, { email, role });
  const account = { name: email.split("@")[0], password: "a password of ten" };
  expect((await acceptWithNewAccount(browser, mailToken, account)).status).toBe(201);
  return browser;
}
