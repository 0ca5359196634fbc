import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { connect, type Env } from "../../worker/connect.ts";
import { FIRST_COMPANY_ID } from "../../worker/content/store.ts";
import { companies } from "../../worker/db/tables.ts";

const settings = env as unknown as Env;

describe("PUBLIC_URL", () => {
  test.each([
    ["", ""],
    ["https://ar.example.com", "https://ar.example.com"],
    ["https://ar.example.com/", "https://ar.example.com"],
    ["http://localhost:8787", "http://localhost:8787"],
  ])("%j is the origin %j", (text, origin) => {
    expect(connect({ ...settings, PUBLIC_URL: text }).settings.publicUrl).toBe(origin);
  });

  test.each([
    "ar.example.com",
    "https://ar.example.com/studio",
    "ftp://ar.example.com",
    "https://a@b.example",
  ])("%j is refused", (text) => {
    expect(() => connect({ ...settings, PUBLIC_URL: text })).toThrow(
      `PUBLIC_URL is ${JSON.stringify(text)}; expected an origin`,
    );
  });
});

describe("the Node compiler", () => {
  const without = { ...settings, COMPILER_URL: "" };

  test("is in containers, one for each place, if there is no COMPILER_URL", async () => {
    const names: string[] = [];
    const COMPILER = {
      getByName(name: string) {
        names.push(name);
        return { state: async () => ({ isFree: false, isFailing: false }) };
      },
    } as never;
    const edge = connect({ ...without, COMPILER_CONTAINER: "true", COMPILE_PLACES: "3", COMPILER });
    expect((await edge.askForPlace())?.failure).toEqual({
      code: "compiler_busy",
      message: "All 3 places of the compiler are taken.",
    });
    expect(names).toEqual(["compiler-1", "compiler-2", "compiler-3"]);
    await edge.dependencies.compiler!();
  });

  test("is missing if there is no COMPILER_CONTAINER either", async () => {
    const edge = connect({ ...without, COMPILER_CONTAINER: "false" });
    expect((await edge.askForPlace())?.failure.code).toBe("compiler_missing");
    await expect(edge.dependencies.compiler!()).rejects.toThrow("Set COMPILER_URL or COMPILER_CONTAINER.");
  });
});

test("the replica is read in a D1 session that begins anywhere", async () => {
  const sessions: unknown[] = [];
  const database = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "withSession") throw new Error(`The database was asked for ${String(name)}.`);
      return (constraint: D1SessionConstraint) => {
        sessions.push(constraint);
        return target.withSession(constraint);
      };
    },
  });
  const { replica } = connect({ ...settings, DB: database });
  expect(await replica.select({ id: companies.id }).from(companies)).toEqual([{ id: FIRST_COMPANY_ID }]);
  expect(sessions).toEqual(["first-unconstrained"]);
});

describe("COMPILER_SECRET", () => {
  test.each(["x", "x".repeat(31)])("%j is refused", (secret) => {
    expect(() => connect({ ...settings, COMPILER_SECRET: secret })).toThrow(
      `COMPILER_SECRET has ${secret.length} characters; expected at least 32.`,
    );
  });

  test.each([undefined, "x".repeat(32)])("%j is accepted", (secret) => {
    expect(() => connect({ ...settings, COMPILER_SECRET: secret })).not.toThrow();
  });
});
