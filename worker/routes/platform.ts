import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { COMPILER_VERSION } from "../../compiler/compile.ts";
import type { AppEnv } from "../bindings.ts";
import { Refusal } from "../errors.ts";
import { bearerToken } from "../http/bearer.ts";
import { readJson } from "../http/json-body.ts";
import { answers, JSON_REFUSALS, jsonBody, problems } from "../http/openapi.ts";
import { check } from "../platform/health.ts";
import { METRICS_TYPE, toOpenMetrics } from "../platform/metrics.ts";
import { retryDeadLetters } from "../platform/retry.ts";
import { type Platform, platform, retried, retryRequest } from "../platform/schemas.ts";
import { queueDepths, readState } from "../platform/state.ts";
import { matchesToken } from "../token.ts";
import { companyRoute } from "./guarded.ts";

const read = companyRoute("platform:operate", {
  method: "get",
  path: "/",
  operationId: "getPlatform",
  summary: "Get the state of the platform",
  description:
    "For owners of the company that set up the platform. The numbers are sums over all companies. `GET /api/health` has " +
    "the dependencies.",
  responses: { 200: answers(platform, "The state") },
});

const retry = companyRoute("platform:operate", {
  method: "post",
  path: "/dead-letters/retry",
  operationId: "retryDeadLetters",
  summary: "Retry dead letters",
  description:
    "Starts compilations whose retries are exhausted, and webhook deliveries that the queue gave up, again. Repeat it " +
    "while `left` is not 0.",
  middleware: [readJson] as const,
  request: { body: jsonBody(retryRequest) },
  responses: { 200: answers(retried, "What starts again"), ...problems(...JSON_REFUSALS) },
});

export const platformRoutes = new OpenAPIHono<AppEnv>()
  .openapi(read, async (c) => {
    const { db, operations, accounts, settings, now } = c.env;
    const [state, queues] = await Promise.all([readState(db), queueDepths(operations.queues)]);
    const { counts, sweep, nextDueAt } = state;
    const body: Platform = {
      photos: {
        pending: counts.photos_pending,
        processing: counts.photos_processing,
        ready: counts.photos_ready,
        failed: counts.photos_failed,
      },
      compilations: {
        running: state.running,
        places: settings.compilePlaces,
        due_since: nextDueAt !== null && nextDueAt <= now() ? iso(nextDueAt) : null,
      },
      queues: queues.map(({ name, messages, oldestAt }) => ({
        name,
        messages,
        oldest_at: oldestAt === null ? null : iso(oldestAt),
      })),
      webhooks: { pending: counts.webhooks_pending },
      dead_letters: {
        count: counts.dead_letters_compile + counts.dead_letters_webhooks,
        items: state.letters.map(({ id, queue, code, attempts, arrivedAt }) => ({
          id,
          queue,
          code,
          attempts,
          arrived_at: iso(arrivedAt),
        })),
      },
      sweep: sweep && {
        started_at: iso(sweep.startedAt),
        milliseconds: sweep.finishedAt - sweep.startedAt,
        succeeded_at: iso(sweep.succeededAt),
        failed_steps: [...sweep.failedSteps],
      },
      alerts: {
        by_email: accounts.mailer.isConfigured,
        by_webhook: operations.alertHook !== null,
        firing: state.firing.map(({ name, since, sentAt }) => ({
          name,
          since: iso(since),
          sent_at: sentAt === null ? null : iso(sentAt),
        })),
      },
      versions: {
        deployment: operations.deployment.id,
        deployed_at: operations.deployment.at || null,
        compiler: COMPILER_VERSION,
        database: state.schema,
      },
    };
    return c.json(body, 200);
  })
  .openapi(retry, async (c) => {
    const { ids = null } = c.req.valid("json");
    return c.json(await retryDeadLetters(c.env, ids, c.var.audit), 200);
  });

const metrics = createRoute({
  method: "get",
  path: "/",
  operationId: "getMetrics",
  summary: "Get metrics as OpenMetrics text",
  description: "For Prometheus and compatible collectors. Requires the METRICS_KEY of the platform.",
  security: [{ metrics: [] }],
  responses: {
    200: {
      description: "OpenMetrics 1.0",
      content: { "application/openmetrics-text": { schema: z.string() } },
    },
    ...problems("not_found", "too_many_requests"),
  },
});

export const metricsRoutes = new OpenAPIHono<AppEnv>().openapi(metrics, async (c) => {
  const { db, operations, dependencies, settings, now } = c.env;
  if (!(await matchesToken(bearerToken(c), operations.metricsKey))) {
    throw new Refusal(
      "not_found",
      "Metrics are disabled, or the key is invalid. Send the METRICS_KEY as `Authorization: Bearer …`.",
    );
  }
  const [state, checked, queues] = await Promise.all([
    readState(db),
    check(dependencies, now),
    queueDepths(operations.queues),
  ]);
  const text = toOpenMetrics({
    state,
    dependencies: checked,
    queues,
    places: settings.compilePlaces,
    deployment: operations.deployment.id,
    now: now(),
  });
  return c.body(text, 200, { "Content-Type": METRICS_TYPE, "Cache-Control": "no-store" });
});

function iso(time: number): string {
  return new Date(time).toISOString();
}
