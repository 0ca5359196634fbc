import { createRoute, type RouteConfig } from "@hono/zod-openapi";
import type { Context, Env, MiddlewareHandler } from "hono";
import {
  type Access,
  actorOf,
  forbidden,
  identify,
  may,
  type Person,
  personOf,
} from "../accounts/identity.ts";
import type { Permission } from "../accounts/permissions.ts";
import { Audit } from "../audit/log.ts";
import type { AppEnv } from "../bindings.ts";
import { ProjectStore } from "../content/project-store.ts";
import { quotasOf } from "../content/quotas.ts";
import { ContentStore } from "../content/store.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import { type ErrorCode, Refusal } from "../errors.ts";
import { addressOf, networkOf } from "../http/address.ts";
import { IDEMPOTENCY_KEY, KEY_REFUSALS, mergeProblems, problems } from "../http/openapi.ts";
import { originOf } from "../http/origin.ts";
import { countRequest, type Policy } from "../http/rate-limits.ts";
import { ConnectionStore } from "../storage/connection-store.ts";
import { idempotentFor } from "./idempotent.ts";

/**
 * Routes of a company or of a person. Only their guards give a handler its stores: a handler of an unguarded
 * route that uses a store does not compile.
 */

/** The variables that the guard of a company's route sets. */
export interface CompanyEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & {
    store: ContentStore;
    projects: ProjectStore;
    connections: ConnectionStore;
    access: Access;
    /** The id of the object that a POST creates. */
    creation: Creation;
    audit: Audit;
  };
}

interface PersonEnv {
  Bindings: AppEnv["Bindings"];
  Variables: AppEnv["Variables"] & {
    person: Person;
    /** The id of the object that a POST creates. */
    creation: Creation;
  };
}

const idempotentInCompany = idempotentFor<CompanyEnv>(({ var: { access } }) => {
  const companyId = access.company.id;
  return access.by === "key"
    ? { companyId, apiKeyId: access.keyId }
    : { companyId, userId: access.person.id };
});
const idempotentByPerson = idempotentFor<PersonEnv>((c) => ({ userId: c.var.person.id }));

type Definition<Path extends string> = Omit<RouteConfig, "path"> & { path: Path };
// biome-ignore lint/suspicious/noExplicitAny: guards of company routes and of person routes.
type Guard = MiddlewareHandler<any>;
type Guarded<Route, E extends Env> = Omit<Route, "middleware" | "security"> & {
  middleware: MiddlewareHandler<E>;
};

/**
 * Defines a route that requires `permission` in a company: people have it by role, API keys by scope.
 *
 * @param policy the rate limit of its requests
 */
export function companyRoute<Path extends string, const Route extends Definition<Path>>(
  permission: Permission,
  route: Route,
  policy: Policy = policyOf(route),
) {
  return guarded<Path, Route, CompanyEnv>(
    route,
    [{ session: [] }, { key: [] }],
    [
      async (c, next) => {
        const access = await identified(c, () => identify(c, originOf(c)));
        const rateLimitPolicy = await countRequest(c.env.rateLimits, policy, callerOf(access));
        if (!may(access, permission)) throw forbidden(access, permission);
        c.set("access", access);
        // Together with other companies of the same person: otherwise more companies would mean more memory.
        c.var.body.held.caller = access.company.createdBy ?? access.company.id;
        c.set("creation", newCreation());
        const audit = new Audit(c.env.db, access.company.id, actorOf(access, addressOf(c)), c.env.now);
        c.set("audit", audit);
        c.set(
          "store",
          new ContentStore(c.env.db, access.company, audit, quotasOf(access.company, c.env.settings.quotas)),
        );
        c.set("projects", new ProjectStore(c.env.db, access.company, audit));
        c.set("connections", new ConnectionStore(c.env.db, access.company, audit));
        await next();
        if (rateLimitPolicy) c.res.headers.set("RateLimit-Policy", rateLimitPolicy);
      },
      ...(route.method === "post" ? [idempotentInCompany] : []),
    ],
    { "x-permission": permission },
  );
}

/** Defines a route for any signed-in person, independent of their company. */
export function personRoute<Path extends string, const Route extends Definition<Path>>(route: Route) {
  return guarded<Path, Route, PersonEnv>(
    route,
    [{ session: [] }],
    [
      async (c, next) => {
        const { person } = await identified(c, () => personOf(c, originOf(c)));
        c.set("person", person);
        const rateLimitPolicy = await countRequest(c.env.rateLimits, policyOf(route), person.id);
        c.set("creation", newCreation());
        await next();
        if (rateLimitPolicy) c.res.headers.set("RateLimit-Policy", rateLimitPolicy);
      },
      ...(route.method === "post" ? [idempotentByPerson] : []),
    ],
  );
}

function guarded<Path extends string, Route extends Definition<Path>, E extends Env>(
  route: Route,
  security: Record<string, string[]>[],
  guards: readonly Guard[],
  extensions: Record<`x-${string}`, unknown> = {},
) {
  const others = [route.middleware ?? []].flat();
  const isIdempotent = route.method === "post";
  const defined = createRoute<Path, Definition<Path>>({
    ...route,
    ...extensions,
    security,
    middleware: [noStore, ...guards, ...others],
    ...(isIdempotent ? { parameters: [IDEMPOTENCY_KEY] } : {}),
    responses: withGuardRefusals(route.responses, [
      ...(isIdempotent ? KEY_REFUSALS : []),
      ...(route.method === "get" ? [] : (["conflict"] as const)),
    ]),
  });
  return defined as unknown as Guarded<Route, E> & Pick<typeof defined, "getRoutingPath">;
}

function policyOf({ method }: Definition<string>): Policy {
  return method === "get" ? "read" : "write";
}

function callerOf(access: Access): string {
  return access.by === "key" ? access.keyId : access.person.id;
}

/** Identifies the caller. Requests without a valid session or key count against their network address. */
export async function identified<E extends AppEnv, Caller>(
  c: Context<E>,
  find: () => Promise<Caller>,
): Promise<Caller> {
  try {
    return await find();
  } catch (error) {
    const isUnauthenticated = error instanceof Refusal && error.code === "unauthenticated";
    if (isUnauthenticated) await countRequest(c.env.rateLimits, "public", networkOf(addressOf(c)));
    throw error;
  }
}

const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
};

const GUARD_REFUSALS = [
  "unauthenticated",
  "forbidden",
  "no_company",
  "foreign_origin",
  "too_many_requests",
] as const;

/** Adds the errors of a route's guards to its own responses. */
function withGuardRefusals(responses: RouteConfig["responses"], codes: readonly ErrorCode[]) {
  const guards = Object.entries(problems(...GUARD_REFUSALS, ...codes)).map(([status, refusal]) => {
    const own = responses[status] as typeof refusal | undefined;
    return [status, own ? mergeProblems(own, refusal) : refusal];
  });
  return { ...responses, ...Object.fromEntries(guards) };
}
