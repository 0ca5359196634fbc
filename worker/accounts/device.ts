import { and, eq } from "drizzle-orm";
import type { Context } from "hono";
import { generateSignedCookie, getSignedCookie } from "hono/cookie";
import type { AppEnv } from "../bindings.ts";
import { accounts, type Database, users } from "../db/tables.ts";
import { sha256 } from "../sha256.ts";
import { cookieName, isSecure } from "./auth.ts";

/**
 * Devices that have signed in before, so that an attack on an account from elsewhere does not lock its person out. A
 * signed cookie says for which account, as in OWASP's "Slow down online guessing attacks with device cookies".
 */

/** The longest time for which browsers keep a cookie. */
const KEEP_SECONDS = 400 * 24 * 3600;

/** Separates the cookie's value from others that the same secret signs. */
const PURPOSE = "device";

export interface Device {
  readonly id: string;
  /** Equals `accountOf` for the account with the password that it had then. */
  readonly account: string;
}

/** Returns the device that sends a request, if it has signed in before. */
export async function deviceOf(c: Context<AppEnv>, origin: string): Promise<Device | null> {
  const value = await getSignedCookie(c, c.env.accounts.secret, cookieName(origin, "device"));
  const [id, purpose, account, seconds] = (value || "").split(".");
  const age = c.env.now() / 1000 - Number(seconds);
  return purpose === PURPOSE && age < KEEP_SECONDS ? { id, account } : null;
}

/** Returns the cookie of a device that has just signed in. */
export async function deviceCookie<E extends AppEnv>(
  c: Context<E>,
  origin: string,
  email: string,
): Promise<string> {
  const signedInAt = Math.floor(c.env.now() / 1000);
  const value = [crypto.randomUUID(), PURPOSE, await accountOf(c.env.db, email), signedInAt].join(".");
  return generateSignedCookie(cookieName(origin, "device"), value, c.env.accounts.secret, {
    path: "/api/auth",
    httpOnly: true,
    sameSite: "Lax",
    secure: isSecure(origin),
    maxAge: KEEP_SECONDS,
  });
}

/**
 * Returns what a device knows of an account: the hash of its email and of its password's hash. A new password makes
 * all devices unknown, also those of somebody who had the old one.
 */
export async function accountOf(db: Database, typed: string): Promise<string> {
  const email = typed.trim().toLowerCase();
  const [row] = await db
    .select({ password: accounts.password })
    .from(accounts)
    .innerJoin(users, eq(users.id, accounts.userId))
    .where(and(eq(users.email, email), eq(accounts.providerId, "credential")));
  return sha256(new TextEncoder().encode(`${email}\n${row?.password ?? ""}`));
}
