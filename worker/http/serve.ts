import type { Context, Hono, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { routePath } from "hono/route";
import type { AppEnv } from "../bindings.ts";
import { type ErrorCode, problemOf, Refusal } from "../errors.ts";
import { addLogContext, logEvent, logFailure, withLogContext } from "../log.ts";
import { Patience, REQUEST_PATIENCE_SECONDS, withPatience } from "../storage/patience.ts";
import { addressOf, networkOf } from "./address.ts";
import { countRequest } from "./rate-limits.ts";
import { refusalFor } from "./refusals.ts";
import { RequestBody } from "./request-body.ts";

/** Content-Security-Policy of responses other than pages. A photo or video opened by itself is shown. */
const RESTRICTIVE_POLICY =
  "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Longer ids from clients are replaced. */
const MAX_REQUEST_ID_LENGTH = 64;

interface Serving {
  /** Returns what the log calls the path of a request to a route: the path itself may contain a secret. */
  readonly logged?: (c: Context<AppEnv>, route: string) => string;
  /** Responds to a path that no route has; null if it does not exist. */
  readonly otherwise?: (c: Context<AppEnv>) => Promise<Response> | null;
}

/**
 * Gives every request of an app its id, its body, a line in the log and the headers of its response, and makes problem
 * documents of errors. Routes are added afterwards.
 */
export function serve(app: Hono<AppEnv>, { logged, otherwise }: Serving): void {
  app.use(requestId({ limitLength: MAX_REQUEST_ID_LENGTH }));

  app.use(async (c, next) => {
    const started = Date.now();
    await withLogContext({ request_id: c.var.requestId }, async () => {
      await withPatience(new Patience(REQUEST_PATIENCE_SECONDS), next);
      const { method } = c.req;
      const route = routePath(c);
      const path = logged?.(c, route) ?? route;
      logEvent("request", { method, path, status: c.res.status, ms: Date.now() - started });
    });
  });

  app.use(async (c, next) => {
    const body = new RequestBody(c.req.raw, c.env.uploadMemory.open(networkOf(addressOf(c)), c.env));
    c.set("body", body);
    await next();
    body.held.release();
    await body.drain();
    // Not c.header, which copies the response with its body.
    const { headers } = c.res;
    headers.set("X-Request-Id", c.var.requestId);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Referrer-Policy", "strict-origin-when-cross-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    // Pages set their own policy.
    if (!headers.has("Content-Security-Policy")) headers.set("Content-Security-Policy", RESTRICTIVE_POLICY);
  });

  app.notFound((c) => {
    const { method, path } = c.req;
    const methods = methodsOf(app, path);
    if (methods.length > 0) {
      const allowed = methods.join(", ");
      const detail = `${path.slice(0, 200)} does not support ${method}; expected ${allowed}.`;
      return respond(c, new Refusal("method_not_allowed", detail, { Allow: allowed }));
    }
    return (
      otherwise?.(c) ??
      respond(c, new Refusal("not_found", `${method} ${path.slice(0, 200)} does not exist.`))
    );
  });

  app.onError((error, c) => {
    const refusal = refusalFor(error);
    if (refusal) return respond(c, refusal);
    if (error instanceof HTTPException) return respond(c, new Refusal(codeOf(error), error.message));
    logFailure("A request failed with an internal error", error);
    const detail = `Something went wrong on our side. Try again, or report request ${c.var.requestId}.`;
    return respond(c, new Refusal("internal_error", detail));
  });
}

/** Counts requests to public routes by network address. */
export const countPublic: MiddlewareHandler<AppEnv> = async (c, next) => {
  const rateLimitPolicy = await countRequest(c.env.rateLimits, "public", networkOf(addressOf(c)));
  await next();
  if (rateLimitPolicy) c.res.headers.set("RateLimit-Policy", rateLimitPolicy);
};

/** Returns the methods that the routes of a path support. */
function methodsOf({ routes }: Hono<AppEnv>, path: string): string[] {
  const methods = new Set<string>();
  for (const route of routes) {
    if (route.method === "ALL" || !patternOf(route.path).test(path)) continue;
    methods.add(route.method);
    if (route.method === "GET") methods.add("HEAD");
  }
  return [...methods].sort();
}

function patternOf(route: string): RegExp {
  return new RegExp(`^${route.replaceAll(".", "\\.").replace(/:[^/]+/g, "[^/]+")}$`);
}

/** Returns the code for Hono's own errors, which are all about request bodies. */
function codeOf({ status }: HTTPException): ErrorCode {
  if (status === 415) return "unsupported_media_type";
  if (status === 413) return "body_too_large";
  return status === 400 ? "malformed_json" : "internal_error";
}

function respond(c: Context<AppEnv>, { code, message, headers, fields }: Refusal): Response {
  addLogContext({ code });
  const problem = { ...problemOf(code, message, fields), request_id: c.var.requestId };
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
  });
}
