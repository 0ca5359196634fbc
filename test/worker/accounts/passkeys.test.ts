import { eq } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Mailbox, Me, Passkey, Session } from "../../../worker/accounts/schemas.ts";
import { attempts, auditLog, idempotencyKeys, passkeys, verifications } from "../../../worker/db/tables.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Browser, OWNER, setUp } from "../browser.ts";
import { Edge, json, refusal } from "../edge.ts";
import { acceptWithNewAccount, invite } from "../invitations.ts";
import { Authenticator, type Ceremony } from "./authenticator.ts";

const PASSKEYS = "/api/me/passkeys";
const SIGN_IN = "/api/auth/passkey/verify-authentication";
const GRACE = { email: "grace@example.net", password: "a password of Grace's" };

let edge: Edge;
let ada: Browser;
let grace: Browser;

beforeEach(async () => {
  edge = new Edge();
  // The library uses the machine's clock.
  vi.useFakeTimers({ toFake: ["Date"], now: edge.clock });
  await edge.db.delete(attempts);
  const isNew = await setUp(edge);
  ada = isNew ?? (await Browser.signedIn(edge, OWNER));
  grace = isNew ? await invited() : await Browser.signedIn(edge, GRACE);
  await edge.db.delete(passkeys);
  await edge.db.delete(auditLog);
});

afterEach(() => {
  vi.useRealTimers();
});

async function invited(): Promise<Browser> {
  const { mailToken } = await invite(edge, ada, { email: GRACE.email, role: "viewer" });
  const browser = new Browser(edge);
  await acceptWithNewAccount(browser, mailToken, { name: "Grace", password: GRACE.password });
  return browser;
}

function pass(seconds: number): void {
  edge.pass(seconds);
  vi.setSystemTime(edge.clock);
}

const code = async (response: Response) => (await refusal(response)).code;

const begin = (who: Browser, password: string) =>
  who.json<Ceremony & { excludeCredentials: { id: string }[] }>(
    `${PASSKEYS}/options`,
    json("POST", { current_password: password }),
  );

const remove = (who: Browser, id: string, password: string) =>
  who.fetch(`${PASSKEYS}/${id}`, json("DELETE", { current_password: password }));

const list = async (who: Browser) => (await who.json<{ items: Passkey[] }>(PASSKEYS)).items;

/** Adds a passkey of Ada's. */
async function added(authenticator: Authenticator, name = "Phone"): Promise<Passkey> {
  const response = await authenticator.create(await begin(ada, OWNER.password));
  return ada.json<Passkey>(PASSKEYS, json("POST", { name, response }));
}

/** Returns the options for signing in with a passkey. */
async function visit(): Promise<{ visitor: Browser; ceremony: Ceremony }> {
  const visitor = new Browser(edge);
  return {
    visitor,
    ceremony: await visitor.json<Ceremony>("/api/auth/passkey/generate-authenticate-options"),
  };
}

async function signIn(authenticator: Authenticator): Promise<Response> {
  const { visitor, ceremony } = await visit();
  return visitor.post(SIGN_IN, { response: await authenticator.sign(ceremony) });
}

const actions = async () => (await edge.db.select().from(auditLog)).map(({ action }) => action);

describe("a passkey", () => {
  test("is added with the password, and signs its person in", async () => {
    const phone = new Authenticator();
    const passkey = await added(phone, "  Ada's\nphone ");
    expect(passkey).toEqual({
      id: expect.any(String),
      name: "Ada's phone",
      created_at: new Date(edge.clock).toISOString(),
    });
    expect(await list(ada)).toEqual([passkey]);
    expect(await actions()).toEqual(["person.passkey_added"]);

    const { visitor, ceremony } = await visit();
    const body = { response: await phone.sign(ceremony) };
    const headers = { "CF-Connecting-IP": "192.0.2.7", "User-Agent": "A phone" };
    const response = await visitor.fetch(SIGN_IN, json("POST", body, headers));
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie().find((cookie) => cookie.includes("session_token"))).toMatch(
      /^__Secure-.*HttpOnly/,
    );
    const me = await visitor.json<Me>("/api/me");
    expect(me).toMatchObject({ email: OWNER.email, company: { role: "owner" } });
    const { items } = await ada.json<{ items: Session[] }>("/api/me/sessions");
    expect(items.find(({ id }) => id === me.session_id)).toMatchObject({
      current: false,
      address: "192.0.2.7",
      user_agent: "A phone",
    });
    expect(await actions()).toEqual(["person.passkey_added", "person.signed_in"]);
  });

  test("is stored as a public key and what the device tells about itself", async () => {
    await added(new Authenticator());
    const [row] = await edge.db.select().from(passkeys);
    expect(Object.keys(row).sort()).toEqual([
      ...["aaguid", "backedUp", "counter", "createdAt", "credentialId", "deviceType"],
      ...["id", "name", "publicKey", "transports", "userId"],
    ]);
    // A COSE key of two coordinates. That of a private key would have a third number.
    expect(atob(row.publicKey)).toHaveLength(77);
  });

  test("needs the password, and guessing it is throttled", async () => {
    const guess = () => ada.post(`${PASSKEYS}/options`, { current_password: "a guess" });
    expect(await refusal(await guess())).toMatchObject({
      status: 422,
      errors: [{ field: "current_password" }],
    });
    for (let n = 0; n < 9; n++) await guess();
    expect(await code(await guess())).toBe("too_many_attempts");
    expect(await code(await remove(ada, "any", OWNER.password))).toBe("too_many_attempts");
  });

  test("is added within five minutes, once, by the person who began", async () => {
    const send = (who: Browser, response: object) => who.post(PASSKEYS, { name: "Phone", response });
    const ceremony = await begin(ada, OWNER.password);
    const response = await new Authenticator().create(ceremony);

    // Grace uses the cookie of Ada's request.
    const mixed = grace.copy();
    const [name, value] = [...ada.cookies].find(([name]) => name.includes("passkey"))!;
    mixed.cookies.set(name, value);
    expect(await code(await send(grace, response))).toBe("invalid_input");
    expect(await code(await send(mixed, response))).toBe("invalid_input");
    // The challenge is used up by that.
    expect((await refusal(await send(ada, response))).detail).toContain("was started in another browser");

    const late = await new Authenticator().create(await begin(ada, OWNER.password));
    pass(301);
    expect((await refusal(await send(ada, late))).detail).toContain("longer than five minutes");
    expect(await list(ada)).toEqual([]);
    expect(await actions()).toEqual([]);
  });

  test.each<[why: string, make: (ceremony: Ceremony) => Promise<object>]>([
    ["of another challenge", () => new Authenticator().create({ challenge: "AAAA" })],
    ["of another site", (ceremony) => new Authenticator().create(ceremony, "https://evil.example")],
    ["that did not verify the user", (ceremony) => careless().create(ceremony)],
    ["that is a signature", (ceremony) => new Authenticator().sign(ceremony)],
    [
      "that cannot be read",
      async (ceremony) => {
        const made = await new Authenticator().create(ceremony);
        return { ...made, response: { ...made.response, attestationObject: "AAAA" } };
      },
    ],
  ])("%s is not added", async (_why, make) => {
    const response = await make(await begin(ada, OWNER.password));
    const problem = await refusal(await ada.post(PASSKEYS, { name: "Phone", response }));
    expect([problem.status, problem.code]).toEqual([422, "invalid_input"]);
    expect(await list(ada)).toEqual([]);
  });

  test("belongs to one person", async () => {
    const phone = new Authenticator();
    const { id } = await added(phone);
    expect((await begin(ada, OWNER.password)).excludeCredentials).toMatchObject([{ id: phone.id }]);
    expect(await list(grace)).toEqual([]);
    expect(await code(await remove(grace, id, GRACE.password))).toBe("not_found");

    const ceremony = await begin(grace, GRACE.password);
    expect(ceremony.excludeCredentials).toEqual([]);
    const again = await grace.post(PASSKEYS, { name: "Mine", response: await phone.create(ceremony) });
    expect((await refusal(again)).detail).toContain("already registered");
    expect(await list(ada)).toMatchObject([{ id }]);
    expect((await signIn(phone)).status).toBe(200);
  });

  test("is removed with the password, and does not sign in any more", async () => {
    const phone = new Authenticator();
    const { id } = await added(phone);
    expect(await code(await remove(ada, id, "not the password"))).toBe("invalid_input");
    const { visitor, ceremony } = await visit();
    expect((await visitor.post(SIGN_IN, { response: await phone.sign(ceremony) })).status).toBe(200);
    expect((await remove(ada, id, OWNER.password)).status).toBe(204);
    expect(await code(await remove(ada, id, OWNER.password))).toBe("not_found");
    expect(await list(ada)).toEqual([]);
    const problem = await refusal(await signIn(phone));
    expect(problem).toMatchObject({ status: 401, code: "unauthenticated" });
    expect(problem.detail).toContain("unknown or was removed");
    // The session that it started continues.
    expect((await visitor.fetch("/api/me")).status).toBe(200);
    expect((await actions()).filter((action) => action.startsWith("person.passkey"))).toEqual([
      "person.passkey_added",
      "person.passkey_removed",
    ]);
  });

  test("is added once for an Idempotency-Key whose response was lost", async () => {
    const response = await new Authenticator().create(await begin(ada, OWNER.password));
    const send = () =>
      ada.json<Passkey>(PASSKEYS, json("POST", { name: "Phone", response }, { "Idempotency-Key": "once" }));
    const first = await send();
    await edge.db.update(idempotencyKeys).set({ answer: null, leaseExpiresAt: edge.clock - 1 });
    expect(await send()).toEqual(first);
    expect(await list(ada)).toEqual([first]);
  });
});

describe("signing in with a passkey", () => {
  test("accepts a signature of its key and of this challenge, once", async () => {
    const phone = new Authenticator();
    await added(phone);
    const { visitor, ceremony } = await visit();
    const send = (response: object) => visitor.copy().post(SIGN_IN, { response });
    const response = await phone.sign(ceremony);
    expect((await send(response)).status).toBe(200);
    expect((await refusal(await send(response))).code).toBe("invalid_input");

    const forged = { ...(await new Authenticator().sign((await visit()).ceremony)), id: phone.id };
    for (const answer of [
      async (now: Ceremony) => ({ ...(await new Authenticator().sign(now)), id: phone.id, rawId: phone.id }),
      async () => phone.sign(ceremony),
      async (now: Ceremony) => phone.sign(now, "https://evil.example"),
      async () => forged,
      async (now: Ceremony) => phone.create(now),
    ]) {
      const next = await visit();
      const refused = await next.visitor.post(SIGN_IN, { response: await answer(next.ceremony) });
      expect(["invalid_input", "unauthenticated"]).toContain(await code(refused));
      expect(await code(await next.visitor.fetch("/api/me"))).toBe("unauthenticated");
    }
    expect((await signIn(phone)).status).toBe(200);
  });

  test("refuses a device that did not verify the user, and a copied device", async () => {
    const phone = new Authenticator();
    await added(phone);
    expect((await signIn(phone)).status).toBe(200);
    phone.isVerifying = false;
    expect((await refusal(await signIn(phone))).detail).toContain("did not verify you");
    phone.isVerifying = true;
    expect((await signIn(phone)).status).toBe(200);
    phone.counter = 0;
    expect((await signIn(phone)).ok).toBe(false);
  });

  test("accepts a device that does not count its signatures", async () => {
    const phone = new Authenticator();
    await added(phone);
    for (let n = 0; n < 2; n++) {
      phone.counter = -1;
      expect((await signIn(phone)).status).toBe(200);
      expect(phone.counter).toBe(0);
    }
  });

  test("is throttled by passkey, and a success resets the count", async () => {
    const phone = new Authenticator();
    await added(phone);
    const evil = async () => {
      const { visitor, ceremony } = await visit();
      return visitor.post(SIGN_IN, { response: await phone.sign(ceremony, "https://evil.example") });
    };
    for (let n = 0; n < 9; n++) expect((await evil()).status).toBe(422);
    expect((await signIn(phone)).status).toBe(200);
    for (let n = 0; n < 10; n++) expect((await evil()).status).toBe(422);
    expect(await code(await evil())).toBe("too_many_attempts");
    expect(await code(await signIn(phone))).toBe("too_many_attempts");
    pass(900);
    expect((await signIn(phone)).status).toBe(200);
  });

  test("from a page of another site is refused", async () => {
    const phone = new Authenticator();
    await added(phone);
    const { visitor, ceremony } = await visit();
    const body = { response: await phone.sign(ceremony) };
    const elsewhere = json("POST", body, { Origin: "https://evil.example" });
    expect((await visitor.fetch(SIGN_IN, elsewhere)).status).toBe(403);
    expect(await code(await visitor.fetch("/api/me"))).toBe("unauthenticated");
  });

  test.each([
    {},
    { response: null },
    { response: "text" },
    { response: { id: {} } },
    { response: { id: ["x"] } },
    { response: { id: "x", response: { clientDataJSON: 7 } } },
  ])("with %j is refused, and is not an internal error", async (body) => {
    const { visitor } = await visit();
    const { status } = await refusal(await visitor.post(SIGN_IN, body));
    expect([401, 422]).toContain(status);
  });

  test("that is abandoned is deleted", async () => {
    await visit();
    expect((await edge.db.select().from(verifications)).length).toBeGreaterThan(0);
    await sweep(edge.bindings, edge.clock + 301_000);
    expect(await edge.db.select().from(verifications)).toEqual([]);
  });
});

test("at an IP address, passkeys are not available, with the reason", async () => {
  const at = { settings: { ...edge.settings, publicUrl: "http://127.0.0.1:8787" } };
  const ask = (path: string, init: RequestInit = {}) => edge.anonymously(path, init, at);
  const response = await ask("/api/auth/sign-in/email", json("POST", OWNER));
  const cookie = response.headers.getSetCookie().map((text) => text.split(";")[0]);
  const headers = { Cookie: cookie.join("; "), "Sec-Fetch-Site": "same-origin" };
  const begun = json("POST", { current_password: OWNER.password }, headers);
  for (const refused of [
    await ask("/api/auth/passkey/generate-authenticate-options"),
    await ask(SIGN_IN, json("POST", { response: { id: "x" } })),
    await ask(`${PASSKEYS}/options`, begun),
  ]) {
    const problem = await refusal(refused);
    expect([problem.status, problem.code]).toEqual([409, "no_passkeys_here"]);
    expect(problem.detail).toContain("http://localhost:8787");
  }
});

test("a passkey can be added in a session that is days old, with the password", async () => {
  pass(3 * 24 * 3600);
  const passkey = await added(new Authenticator());
  expect(passkey.name).toBe("Phone");
});

test("changing the password keeps the passkeys", async () => {
  const phone = new Authenticator();
  await added(phone);
  const change = { current_password: OWNER.password, new_password: OWNER.password };
  expect((await ada.fetch("/api/me/password", json("PUT", change))).status).toBe(204);
  expect((await signIn(phone)).status).toBe(200);
  const [row] = await edge.db.select().from(passkeys).where(eq(passkeys.credentialId, phone.id));
  expect(row).toMatchObject({ counter: 1, transports: "internal" });
});

test("resetting a forgotten password removes the passkeys", async () => {
  const phone = new Authenticator();
  await added(phone);
  await ada.post("/api/auth/request-password-reset", { email: OWNER.email });
  const headers = { Authorization: "Bearer token-of-the-mailbox" };
  const { items } = (await (await edge.anonymously("/api/mailbox", { headers })).json()) as Mailbox;
  const [, token] = /reset-password#(\S+)/.exec(items.find(({ to }) => to === OWNER.email)!.body)!;
  const chosen = await ada.post("/api/auth/reset-password", { token, newPassword: OWNER.password });
  expect(chosen.status).toBe(200);
  expect(await edge.db.select().from(passkeys)).toEqual([]);
  expect((await signIn(phone)).status).toBe(401);
  ada = await Browser.signedIn(edge, OWNER);
});

function careless(): Authenticator {
  const authenticator = new Authenticator();
  authenticator.isVerifying = false;
  return authenticator;
}
