import { createRoute, type RouteConfig } from "@hono/zod-openapi";
import type { Env, MiddlewareHandler } from "hono";
import { type Access, forbidden, identify, may, type Person, personOf } from "../accounts/identity.ts";
import type { Permission } from "../accounts/permissions.ts";
import type { AppEnv } from "../bindings.ts";
import { ConnectionStore } from "../connection-store.ts";
import { ContentStore } from "../content-store.ts";
import { problems } from "../openapi.ts";
import { ProjectStore } from "../project-store.ts";
import { originOf } from "./http.ts";

/**
 * Routes that belong to a company, or to a person. Only through these does a handler get a store: a route
 * that nobody guards has none, and does not compile.
 */

/** What the guard of a company's route sets. */
interface CompanyEnv {
  Bindings: AppEnv["Bindings"];
  Variables: {
    store: ContentStore;
    projects: ProjectStore;
    connections: ConnectionStore;
    access: Access;
  };
}

interface PersonEnv {
  Bindings: AppEnv["Bindings"];
  Variables: { person: Person };
}

type Definition<Path extends string> = Omit<RouteConfig, "path"> & { path: Path };
type Guarded<Route, E extends Env> = Omit<Route, "middleware" | "security"> & {
  middleware: MiddlewareHandler<E>;
};

/** A route for whoever has `permission` in a company: a person by their role, an API key by its scopes. */
export function companyRoute<Path extends string, const Route extends Definition<Path>>(
  permission: Permission,
  route: Route,
) {
  return guarded<Path, Route, CompanyEnv>(
    route,
    [{ session: [] }, { key: [] }],
    async (c, next) => {
      const access = await identify(c, originOf(c));
      if (!may(access, permission)) throw forbidden(access, permission);
      c.set("access", access);
      c.set("store", new ContentStore(c.env.db, access.company));
      c.set("projects", new ProjectStore(c.env.db, access.company));
      c.set("connections", new ConnectionStore(c.env.db, access.company));
      await next();
    },
    { "x-permission": permission },
  );
}

/** A route for a person who is signed in, whatever their company. */
export function personRoute<Path extends string, const Route extends Definition<Path>>(route: Route) {
  return guarded<Path, Route, PersonEnv>(route, [{ session: [] }], async (c, next) => {
    c.set("person", (await personOf(c, originOf(c))).person);
    await next();
  });
}

function guarded<Path extends string, Route extends Definition<Path>, E extends Env>(
  route: Route,
  security: Record<string, string[]>[],
  // biome-ignore lint/suspicious/noExplicitAny: the guard of one environment, in a list of others.
  guard: MiddlewareHandler<any>,
  extensions: Record<`x-${string}`, unknown> = {},
) {
  const others = [route.middleware ?? []].flat();
  const defined = createRoute<Path, Definition<Path>>({
    ...route,
    ...extensions,
    security,
    middleware: [noStore, guard, ...others],
    responses: { ...route.responses, ...refusalsWith(route.responses) },
  });
  return defined as unknown as Guarded<Route, E> & Pick<typeof defined, "getRoutingPath">;
}

const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
};

function refusalsWith(responses: RouteConfig["responses"]) {
  const refusals = problems("unauthenticated", "forbidden", "no_company", "foreign_origin");
  return Object.fromEntries(Object.entries(refusals).filter(([status]) => !Object.hasOwn(responses, status)));
}
