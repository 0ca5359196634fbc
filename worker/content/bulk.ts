import type { Audit } from "../audit/log.ts";
import type { Bindings } from "../bindings.ts";
import { type Creation, derivedId } from "../db/idempotency.ts";
import { type ErrorCode, problemOf, Refusal } from "../errors.ts";
import { announceAll } from "../marker/announce.ts";
import { recompileAll } from "../marker/life.ts";
import type { BulkItem, BulkRequest } from "../schemas.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { notFound } from "./not-found.ts";
import type { ContentStore } from "./store.ts";

/**
 * Actions on many photos. Each is one transaction with a fixed number of statements, and each photo has its own result:
 * that of the same request for this photo alone.
 */

type Services = Pick<Bindings, "db" | "queue" | "webhookQueue" | "publicCache" | "now">;

export interface BulkScope {
  readonly store: ContentStore;
  readonly audit: Audit;
  readonly creation: Creation;
}

/** Returns the results in the order of the ids. A target project must be open. */
export async function runBulk(
  services: Services,
  scope: BulkScope,
  request: BulkRequest,
): Promise<BulkItem[]> {
  switch (request.action) {
    case "pause":
      return change(services, scope, request, { isActive: false });
    case "resume":
      return change(services, scope, request, { isActive: true });
    case "move":
      return change(services, scope, request, { projectId: request.project_id });
    case "set_expiry": {
      const { expires_at: expiresAt } = request;
      return change(services, scope, request, {
        expiresAt: expiresAt === null ? null : Date.parse(expiresAt),
      });
    }
    case "recompile":
      return recompile(services, scope, request.ids);
    case "delete":
      return remove(services, scope, request);
  }
}

async function change(
  { now, publicCache }: Services,
  { store }: BulkScope,
  { action, ids, ...fields }: Exclude<BulkRequest, { action: "recompile" | "delete" }>,
  changes: Parameters<ContentStore["changeAll"]>[1],
): Promise<BulkItem[]> {
  const isActive = "isActive" in changes ? { is_active: changes.isActive } : {};
  const changed = await store.changeAll(ids, changes, {
    auditDetail: { ...fields, ...isActive },
    now: now(),
  });
  for (const id of changed) publicCache.forget(id, now());
  const missing = ids.filter((id) => !changed.has(id));
  const { projectId } = changes;
  const isMove = projectId !== undefined && missing.length > 0;
  const errors = isMove ? await store.moveErrors(missing, projectId) : null;
  return ids.map((id) => (changed.has(id) ? done(id, 200) : refused(id, errors?.get(id) ?? notFound(id))));
}

/** The sweep deletes the files. */
async function remove(
  services: Services,
  { store }: BulkScope,
  { ids, keep_files: keepFiles }: Extract<BulkRequest, { action: "delete" }>,
): Promise<BulkItem[]> {
  const deleted = await store.removeAll(ids, { keepFiles, now: services.now() });
  const removed = new Set(deleted.map(({ id }) => id));
  for (const id of removed) services.publicCache.forget(id, services.now());
  await enqueueDeliveries(services, [...removed]);
  return ids.map((id) => (removed.has(id) ? done(id, 204) : refused(id, notFound(id))));
}

async function recompile(
  { db, queue, now }: Services,
  { store, audit, creation }: BulkScope,
  ids: readonly string[],
): Promise<BulkItem[]> {
  const existing = await store.existing(ids);
  const tasks = await Promise.all(
    ids
      .filter((id) => existing.has(id))
      .map(async (contentId) => ({ contentId, taskId: await derivedId(creation.id, contentId) })),
  );
  const earlier = creation.isRepeated
    ? await store.existingTasks(tasks.map(({ taskId }) => taskId))
    : new Set();
  const wanted = tasks.filter(({ taskId }) => !earlier.has(taskId));
  const quota = { compilations: wanted.length };
  const started = await recompileAll(db, wanted, {
    lease: null,
    audit,
    now: now(),
    fitsQuotas: store.fitsQuotas(quota, now()),
  });
  await announceAll(
    queue,
    started.map(({ contentId, generation }) => ({ id: contentId, generation })),
  );
  const isFull = started.length === 0 && wanted.length > 0 ? await store.quotaRefusal(quota, now()) : null;
  const running = new Map(
    tasks
      .filter(({ taskId }) => earlier.has(taskId))
      .concat(started.map(({ id, contentId }) => ({ contentId, taskId: id })))
      .map(({ contentId, taskId }) => [contentId, taskId]),
  );
  return ids.map((id) => {
    const taskId = running.get(id);
    if (taskId !== undefined) return { ...done(id, 200), task_id: taskId };
    return refused(id, (existing.has(id) && isFull) || notFound(id));
  });
}

/** What `repeatBulk` needs, in about 40 bytes per photo. */
interface BulkSummary {
  readonly ids: readonly string[];
  /** Each different outcome once: a status, or the code of an error. */
  readonly outcomes: readonly (number | ErrorCode)[];
  /** The index of each photo's outcome. */
  readonly items: readonly number[];
  readonly hasTasks: boolean;
}

export function summarizeBulk(items: readonly BulkItem[]): string {
  const each = items.map(({ error, status }) => error?.code ?? status);
  const outcomes = [...new Set(each)];
  const summary: BulkSummary = {
    ids: items.map(({ id }) => id),
    outcomes,
    items: each.map((outcome) => outcomes.indexOf(outcome)),
    hasTasks: items.some(({ task_id: taskId }) => taskId !== null),
  };
  return JSON.stringify(summary);
}

/** Returns the results of an earlier request, without the sentences of its errors. */
export async function repeatBulk(creationId: string, summary: string): Promise<BulkItem[]> {
  const { ids, outcomes, items, hasTasks }: BulkSummary = JSON.parse(summary);
  return Promise.all(
    ids.map(async (id, index) => {
      const outcome = outcomes[items[index]];
      if (typeof outcome === "string") {
        const detail = "This photo was refused. Only the first response to this request says more.";
        return refused(id, new Refusal(outcome, detail));
      }
      return { ...done(id, outcome), task_id: hasTasks ? await derivedId(creationId, id) : null };
    }),
  );
}

function done(id: string, status: number): BulkItem {
  return { id, status, task_id: null, error: null };
}

function refused(id: string, { code, message }: Refusal): BulkItem {
  const problem = problemOf(code, message);
  return { id, status: problem.status, task_id: null, error: problem };
}
