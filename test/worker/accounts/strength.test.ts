import { eq } from "drizzle-orm";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hashPassword, verifyPassword } from "../../../worker/accounts/passwords.ts";
import { assertStrong } from "../../../worker/accounts/strength.ts";
import { accounts, users } from "../../../worker/db/tables.ts";
import { addMember, Browser, OWNER, setUp } from "../browser.ts";
import { Edge, json, refusal } from "../edge.ts";
import { acceptWithNewAccount, invite, lastMail, linkIn } from "../invitations.ts";

const ABOUT = ["Grace Hopper", "grace.hopper@navy.example", "Lumen Portraits"];

describe("a password", () => {
  test.each([
    ["1111111111", "repeats a character"],
    ["1234567890", "most common"],
    ["qwertyuiop", "most common"],
    ["password12", "common password"],
    ["iloveyou123", "similar to a common password"],
    ["gracehopper", "your name"],
    ["grace.hopper@navy.example", "your name"],
    ["Portraits1", "your company"],
    ["abcabcabcabc", "repeats"],
    ["9182736450", ""],
    [`${"a".repeat(127)}b`, "repeats a character"],
  ])("%s is too easy to guess", async (password, reason) => {
    const refused = assertStrong(password, ABOUT, "password");
    await expect(refused).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(
        new RegExp(`^The password is too easy to guess\\. .*${reason}.*Choose several unrelated words\\.$`),
      ),
      fields: [{ field: "password" }],
    });
  });

  test.each(["correct horse battery", "kH3$kd91xZ", "пароль моей бабушки", "vivimark-development"])(
    "%s is accepted",
    (password) => expect(assertStrong(password, ABOUT, "password")).resolves.toBeUndefined(),
  );

  test("is stored as its scrypt key, with a salt of its own", async () => {
    const password = "correct horse battery";
    const hashes = await Promise.all([hashPassword(password), hashPassword(password)]);
    expect(hashes[0]).not.toBe(hashes[1]);
    for (const hash of hashes) {
      expect(hash).toMatch(/^scrypt:32768:8:1:[0-9a-f]{32}:[0-9a-f]{64}$/);
      expect(await verifyPassword({ hash, password })).toBe(true);
      expect(await verifyPassword({ hash, password: `${password}!` })).toBe(false);
    }
  });
});

describe("a weak password is refused, with its field and without its text", () => {
  const WEAK = "0987654321";
  let edge: Edge;

  beforeAll(async () => {
    const first = new Edge();
    first.clock = Date.now();
    const weak = { ...OWNER, password: WEAK, name: "Ada", company_name: "Portraits" };
    const body = json("POST", { ...weak, token: "the token of the set-up link" });
    await expectWeak(await first.anonymously("/api/setup", body), "password");
    const own = json("POST", { ...weak, password: "AdaPortraits", token: "the token of the set-up link" });
    await expectWeak(await first.anonymously("/api/setup", own), "password");
    expect(await first.db.select().from(users)).toEqual([]);
    await setUp(first);
  });

  beforeEach(() => {
    edge = new Edge();
    edge.clock = Date.now();
  });

  async function expectWeak(response: Response, field: string): Promise<void> {
    const problem = await refusal(response);
    expect(problem).toMatchObject({ status: 422, code: "invalid_input", errors: [{ field }] });
    expect(problem.detail).toContain("too easy to guess");
    expect(JSON.stringify(problem)).not.toContain(WEAK);
  }

  test("when it is changed", async () => {
    const ada = await Browser.signedIn(edge, OWNER);
    const [{ password: hash }] = await edge.db.select().from(accounts);
    expect(hash).toMatch(/^scrypt:/);
    for (const weak of [WEAK, "portraits2026"]) {
      const change = json("PUT", { current_password: OWNER.password, new_password: weak });
      await expectWeak(await ada.fetch("/api/me/password", change), "new_password");
    }
    await Browser.signedIn(edge, OWNER);
  });

  test("when it has fewer than 10 or more than 128 characters", async () => {
    const ada = await Browser.signedIn(edge, OWNER);
    const word = "pelican ";
    const change = (new_password: string) =>
      ada.fetch("/api/me/password", json("PUT", { current_password: OWNER.password, new_password }));
    for (const wrong of ["kH3$kd91x", word.repeat(17).slice(0, 129)]) {
      const problem = await refusal(await change(wrong));
      expect(problem).toMatchObject({ status: 422, errors: [{ field: "new_password" }] });
      expect(problem.detail).not.toContain("too easy to guess");
    }
  });

  test("when it is reset; the link stays valid for a better one", async () => {
    const email = "katherine.johnson@example.net";
    await addMember(edge, { ...OWNER, email }, "viewer");
    const [{ id }] = await edge.db.select().from(users).where(eq(users.email, email));
    const [before] = await edge.db.select().from(accounts).where(eq(accounts.userId, id));
    const browser = new Browser(edge);
    await browser.post("/api/auth/request-password-reset", { email });
    const token = linkIn(await lastMail(edge, email), "reset-password");
    const reset = (newPassword: string) => browser.post("/api/auth/reset-password", { token, newPassword });
    for (const weak of [WEAK, "katherinejohnson"]) await expectWeak(await reset(weak), "newPassword");
    expect(await edge.db.select().from(accounts).where(eq(accounts.userId, id))).toEqual([before]);
    expect((await reset("orbital mechanics by hand")).status).toBe(200);
  });

  test("when an invitation is accepted", async () => {
    const ada = await Browser.signedIn(edge, OWNER);
    const { mailToken } = await invite(edge, ada, { email: "dorothy@example.net", role: "viewer" });
    const accept = (password: string) => acceptWithNewAccount(edge, mailToken, { name: "Dorothy", password });
    for (const weak of [WEAK, "DorothyPortraits"]) await expectWeak(await accept(weak), "password");
    expect((await accept("a compiler for everyone")).status).toBe(201);
  });
});
