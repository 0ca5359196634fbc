import { and, eq, gt, isNull, lt, or } from "drizzle-orm";
import type { Context } from "hono";
import { getSignedCookie } from "hono/cookie";
import type { Actor } from "../audit/log.ts";
import type { AppEnv, Bindings } from "../bindings.ts";
import { FIRST_COMPANY_ID } from "../content/store.ts";
import { apiKeys, type Company, companies, type Database, members, sessions, users } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { bearerToken } from "../http/bearer.ts";
import { addLogContext, logFailure } from "../log.ts";
import { hashKey, isApiKey } from "./api-keys.ts";
import { assertAccounts, cookieName } from "./auth.ts";
import {
  isOfPlatform,
  PERMISSIONS,
  type Permission,
  type Role,
  roleMay,
  type Scope,
  scopesMay,
} from "./permissions.ts";

/** A signed-in person, and their session. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly sessionId: string;
  /** The company that the session has selected. The person may not be a member of it any more. */
  readonly activeCompanyId: string | null;
}

/** Who sends a request within a company: a person with a role, or an API key with scopes. */
export type Access =
  | { readonly by: "person"; readonly person: Person; readonly company: Company; readonly role: Role }
  | {
      readonly by: "key";
      readonly keyId: string;
      readonly keyName: string;
      readonly company: Company;
      readonly scopes: readonly Scope[];
    };

export function may(access: Access, permission: Permission): boolean {
  if (isOfPlatform(permission) && access.company.id !== FIRST_COMPANY_ID) return false;
  return access.by === "person" ? roleMay(access.role, permission) : scopesMay(access.scopes, permission);
}

/** Returns the actor of audit entries. */
export function actorOf(access: Access, address: string): Actor {
  if (access.by === "key") return { kind: "key", id: access.keyId, name: access.keyName, address };
  return { kind: "person", id: access.person.id, name: access.person.name, address };
}

const LAST_USED_MS = 60_000;
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Returns who sends a request and for which company, in one round trip to the database. */
export async function identify(c: Context<AppEnv>, origin: string): Promise<Access> {
  if (c.req.header("Authorization") !== undefined) {
    const access = await byKey(c.env, bearerToken(c));
    addLogContext({ company_id: access.company.id, actor: { kind: "key", id: access.keyId } });
    return access;
  }
  const { person, company, role } = await personOf(c, origin);
  if (!company || !role) {
    throw new Refusal("no_company", "No company selected. Choose one in the header.");
  }
  addLogContext({ company_id: company.id });
  return { by: "person", person, company, role };
}

/** Returns the person of the session's cookie, and the selected company if they are a member of it. */
export async function personOf<E extends AppEnv>(
  c: Context<E>,
  origin: string,
): Promise<{ person: Person; company: Company | null; role: Role | null }> {
  assertAccounts(c.env.accounts);
  const token = await getSignedCookie(c, c.env.accounts.secret, cookieName(origin, "session_token"));
  if (!token) throw unauthenticated("Sign in, or send an API key as `Authorization: Bearer …`.");
  if (!SAFE.has(c.req.method)) assertOwnPage(c, origin);
  const [row] = await c.env.db
    .select({
      person: {
        id: users.id,
        name: users.name,
        email: users.email,
        sessionId: sessions.id,
        activeCompanyId: sessions.activeCompanyId,
      },
      company: companies,
      role: members.role,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .leftJoin(
      members,
      and(eq(members.userId, sessions.userId), eq(members.companyId, sessions.activeCompanyId)),
    )
    .leftJoin(companies, eq(companies.id, members.companyId))
    .where(and(eq(sessions.token, token), gt(sessions.expiresAt, new Date(c.env.now()))));
  if (!row) throw unauthenticated("This session has ended. Sign in again.");
  addLogContext({ actor: { kind: "person", id: row.person.id } });
  return row;
}

/** A page cannot forge these headers, while a browser sends the cookie along for pages of other sites. */
function assertOwnPage(c: Pick<Context, "req">, origin: string): void {
  const site = c.req.header("Sec-Fetch-Site");
  const sender = c.req.header("Origin");
  const own = [origin, new URL(c.req.url).origin];
  if (site === "same-origin" || (site === undefined && sender && own.includes(sender))) return;
  throw new Refusal(
    "foreign_origin",
    `Requests with a session must come from a page on ${origin}. This one came from ${sender?.slice(0, 100) ?? "an unknown origin"}.`,
  );
}

async function byKey({ db, now, later }: Bindings, key: string): Promise<Access & { by: "key" }> {
  if (!isApiKey(key))
    throw unauthenticated("The Authorization header is invalid. Expected `Bearer` and an API key.");
  const at = now();
  const [found] = await db
    .select({
      company: companies,
      keyId: apiKeys.id,
      keyName: apiKeys.name,
      scopes: apiKeys.scopes,
      lastUsedAt: apiKeys.lastUsedAt,
    })
    .from(apiKeys)
    .innerJoin(companies, eq(companies.id, apiKeys.companyId))
    .where(
      and(eq(apiKeys.hash, await hashKey(key)), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, at))),
    );
  if (!found) throw unauthenticated("This API key does not exist, has expired, or was revoked.");
  const { lastUsedAt, ...access } = found;
  if (lastUsedAt === null || lastUsedAt < at - LAST_USED_MS) later(noteUse(db, access.keyId, at));
  return { by: "key", ...access };
}

/** Records the use of a key, once of all requests that come at the same moment. */
async function noteUse(db: Database, keyId: string, now: number): Promise<void> {
  const isStale = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, now - LAST_USED_MS));
  try {
    await db
      .update(apiKeys)
      .set({ lastUsedAt: now })
      .where(and(eq(apiKeys.id, keyId), isStale));
  } catch (error) {
    logFailure("The use of an API key was not recorded", error, { key_id: keyId });
  }
}

function unauthenticated(detail: string): Refusal {
  return new Refusal("unauthenticated", detail, { "WWW-Authenticate": 'Bearer realm="Vivimark"' });
}

/** Returns a refusal that names the roles or scopes that would be needed. */
export function forbidden(access: Access, permission: Permission): Refusal {
  if (isOfPlatform(permission) && access.company.id !== FIRST_COMPANY_ID) {
    const { what } = PERMISSIONS[permission];
    return new Refusal("forbidden", `"${what}" requires the company that set up the platform.`);
  }
  if (access.by === "person") return missingRole(access.role, permission);
  const { what, scopes } = PERMISSIONS[permission];
  const detail =
    scopes.length > 0
      ? `This API key has the scopes ${access.scopes.join(", ")}. "${what}" requires the scope ${scopes.join(" or ")}.`
      : `"${what}" is for people who are signed in, not for API keys.`;
  return new Refusal("forbidden", detail);
}

export function missingRole(role: Role, permission: Permission): Refusal {
  const { what, roles } = PERMISSIONS[permission];
  return new Refusal("forbidden", `Your role is ${role}. "${what}" requires the role ${roles.join(" or ")}.`);
}
