import { env } from "cloudflare:workers";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { expect, it, vi } from "vitest";
import { claimDeleted, FIRST_COMPANY_ID } from "../../worker/content/store.ts";
import {
  arContent,
  attempts,
  compilationDays,
  orphanedFiles,
  storageConnections,
  verifications,
} from "../../worker/db/tables.ts";
import { sweep } from "../../worker/sweep.ts";
import { addCompany } from "./company.ts";
import { Edge } from "./edge.ts";
import { png } from "./fixtures.ts";

const edge = new Edge();

/** Submits a photo and deletes it. @returns its id */
async function deleted(image: Uint8Array, owner?: { id: string; projectId: string }): Promise<string> {
  const { content } = await edge.submit({ image: new Uint8Array(image) });
  const { id } = content;
  if (owner) {
    await edge.db.run(sql`UPDATE compile_tasks SET company_id = ${owner.id} WHERE content_id = ${id}`);
    await edge.db.run(
      sql`UPDATE ar_content SET company_id = ${owner.id}, project_id = ${owner.projectId} WHERE id = ${id}`,
    );
  }
  edge.clock += 1000;
  await edge.db.update(arContent).set({ deletedAt: edge.clock }).where(eq(arContent.id, id));
  return id;
}

it("cleans up for a company and in the database while the storage of another company hangs", async () => {
  const ids: string[] = [];
  for (const width of [200, 210, 220]) ids.push(await deleted(png(width, 200)));
  const other = await deleted(png(230, 200), await addCompany(edge, "Other"));
  await edge.db.insert(attempts).values({ key: "old", count: 1, resetsAt: edge.clock - 1 });

  const due = await claimDeleted(edge.db, 2, edge.clock, edge.clock);
  expect(due.map(({ id }) => id).sort()).toEqual([ids[0], other].sort());

  const { storages } = edge.bindings;
  const hanging = Promise.withResolvers<never>();
  const hung = Promise.withResolvers<void>();
  const purged = Promise.withResolvers<void>();
  let calls = 0;
  const remaining = async () =>
    (await edge.db.select({ id: arContent.id }).from(arContent)).map(({ id }) => id);
  const storage = await storages.open(null);
  const remove = storage.delete.bind(storage);
  const [{ uniqueId }] = await edge.db.select().from(arContent).where(eq(arContent.id, other));
  storage.delete = async (keys) => {
    if (keys.length > 0 && !String(keys).includes(uniqueId)) {
      calls += 1;
      hung.resolve();
      return hanging.promise;
    }
    await remove(keys);
    purged.resolve();
  };
  const swept = sweep(edge.bindings, edge.clock);
  await Promise.all([hung.promise, purged.promise]);
  expect(await edge.db.select().from(attempts).where(eq(attempts.key, "old"))).toEqual([]);
  hanging.reject(new Error("The storage is down."));
  await swept;
  // One request, and not one for each photo.
  expect(calls).toBe(1);
  expect(await remaining()).toEqual(expect.arrayContaining(ids));
  expect(await remaining()).not.toContain(other);
  storage.delete = remove;
});

it("ends while the storage of a company responds slowly, and forgets the deleted files of others", async () => {
  const { id: slowCompany } = await addCompany(edge, "Slow");
  const slow = { id: crypto.randomUUID(), companyId: slowCompany, provider: "s3", name: "Slow" } as const;
  const times = { createdAt: edge.clock, updatedAt: edge.clock };
  await edge.db.insert(storageConnections).values({ ...slow, ...times, settings: "", keyId: "" });
  const orphan = (companyId: string, storageId: string | null) => ({
    id: crypto.randomUUID(),
    companyId,
    contentId: "gone",
    storageId,
    path: `companies/${companyId}/a.jpg`,
    isReserved: false,
    createdAt: edge.clock,
    dueAt: edge.clock,
  });
  const other = orphan(FIRST_COMPANY_ID, null);
  const left = orphan(slowCompany, slow.id);
  await edge.db.insert(orphanedFiles).values([other, left]);
  const { storages } = edge.bindings;
  const open = storages.open.bind(storages);
  const storage = await open(null);
  const hanging = Promise.withResolvers<never>();
  const opened = vi.spyOn(storages, "open").mockImplementation(async (id) => {
    return id === slow.id ? { ...storage, delete: () => hanging.promise } : open(id);
  });
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const timeUp = new AbortController();
  const rest = async () => (await edge.db.select().from(orphanedFiles)).map(({ id }) => id);
  const swept = sweep(edge.bindings, edge.clock, timeUp.signal);
  await vi.waitUntil(async () => !(await rest()).includes(other.id), { timeout: 30_000 });
  timeUp.abort();
  await swept;
  expect(String(logged.mock.calls)).toMatch(/Storages are slow.*unusedFiles/);
  expect(await rest()).toContain(left.id);
  logged.mockRestore();
  hanging.reject(new Error("The storage is down."));
  await vi.waitUntil(() => opened.mock.calls.length > 0);
  opened.mockRestore();
  await edge.db.delete(orphanedFiles).where(eq(orphanedFiles.id, left.id));
});

/** Returns the database, without one of its tables. */
function without(table: string) {
  const database = new Proxy(env.DB, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== "prepare") return typeof value === "function" ? value.bind(target) : value;
      return (query: string) => target.prepare(query.replaceAll(`"${table}"`, `"no_${table}"`));
    },
  });
  return drizzle(database);
}

it.each([
  "compile_tasks",
  "storage_migrations",
  "webhook_deliveries",
  "webhook_events",
  "attempts",
  "verifications",
  "sessions",
  "invitations",
  "file_moves",
  "idempotency_keys",
  "audit_log",
  "compilation_days",
  "storage_connections",
  "webhook_endpoints",
  "video_uploads",
  "ar_content",
])("does its other steps when %s cannot be read", async (table) => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const id = await deleted(png());
  const past = new Date(edge.clock - 1);
  await edge.db
    .insert(attempts)
    .values({ key: "old", count: 1, resetsAt: edge.clock - 1 })
    .onConflictDoNothing();
  const verification = {
    id: "old",
    identifier: "i",
    value: "v",
    expiresAt: past,
    createdAt: past,
    updatedAt: past,
  };
  await edge.db.insert(verifications).values(verification).onConflictDoNothing();
  const day = { companyId: FIRST_COMPANY_ID, day: "2020-01-01", compilations: 1 };
  await edge.db.insert(compilationDays).values(day).onConflictDoNothing();
  try {
    await expect(sweep({ ...edge.bindings, db: without(table) }, edge.clock)).rejects.toThrow(
      /of the sweep failed/,
    );
    expect(String(logged.mock.calls)).toContain("A step of the sweep failed");
  } finally {
    logged.mockRestore();
  }
  const left = {
    attempts: (await edge.db.select().from(attempts)).length,
    verifications: (await edge.db.select().from(verifications)).length,
    compilation_days: (await edge.db.select().from(compilationDays).where(eq(compilationDays.day, day.day)))
      .length,
    ar_content: (await edge.db.select().from(arContent).where(eq(arContent.id, id))).length,
  };
  for (const [name, rows] of Object.entries(left))
    expect([name, rows]).toEqual([name, name === table ? 1 : 0]);
});
