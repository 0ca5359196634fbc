import { eq } from "drizzle-orm";
import { beforeEach, expect, test } from "vitest";
import { FIRST_COMPANY_ID } from "../../../worker/content/store.ts";
import { companies, storageMigrations } from "../../../worker/db/tables.ts";
import * as life from "../../../worker/storage-migration/life.ts";
import { takeTurn } from "../../../worker/storage-migration/turn.ts";
import { addCompany } from "../company.ts";
import { Edge } from "../edge.ts";

const LEASE_SECONDS = 300;

let edge: Edge;

beforeEach(async () => {
  edge = new Edge();
  await edge.db.delete(storageMigrations);
  await edge.db.update(companies).set({ movedAt: null });
});

/** Starts storage migrations of single videos, which are gone: each is done after one turn. */
async function begin(companyId: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const videoOf = crypto.randomUUID();
    await life.start(edge.db, { companyId, toStorageId: null, videoOf, now: edge.clock + n });
  }
  edge.pass(1);
}

/** Takes a turn of a storage migration that has more to do. Returns the company and the storage migration. */
async function turn(): Promise<{ companyId: string; id: string }> {
  const claim = await life.claim(edge.db, LEASE_SECONDS, edge.clock);
  if (!claim) throw new Error("None is due.");
  edge.pass(20);
  await life.release(edge.db, claim, edge.clock);
  return claim.migration;
}

async function states(companyId: string): Promise<string[]> {
  const rows = await edge.db
    .select()
    .from(storageMigrations)
    .where(eq(storageMigrations.companyId, companyId));
  return rows.map(({ state }) => state);
}

test("one storage migration gets the second turn while another company has 200 in the queue", async () => {
  const shop = await addCompany(edge, "Shop");
  await begin(FIRST_COMPANY_ID, 200);
  await begin(shop.id, 1);
  // The messages of the first company.
  await takeTurn(edge.bindings);
  await takeTurn(edge.bindings);
  expect(await states(shop.id)).toEqual(["done"]);
  expect((await states(FIRST_COMPANY_ID)).filter((state) => state === "done")).toHaveLength(1);
});

test("companies take turns, and so do the storage migrations of each", async () => {
  const shop = await addCompany(edge, "Shop");
  await begin(FIRST_COMPANY_ID, 3);
  await begin(shop.id, 1);
  const turns = [];
  for (let n = 0; n < 12; n++) turns.push(await turn());
  const first = turns.filter(({ companyId }) => companyId === FIRST_COMPANY_ID).map(({ id }) => id);
  expect(first).toHaveLength(6);
  expect(first.slice(3)).toEqual(first.slice(0, 3));
  expect(new Set(first).size).toBe(3);
});

test("a company has at most two turns at a time; the end of one continues the next", async () => {
  const shop = await addCompany(edge, "Shop");
  await begin(FIRST_COMPANY_ID, 4);
  const claim = () => life.claim(edge.db, LEASE_SECONDS, edge.clock);
  expect([await claim(), await claim()]).not.toContain(undefined);
  expect(await claim()).toBeUndefined();
  await begin(shop.id, 1);
  expect((await claim())?.migration.companyId).toBe(shop.id);
});

test("all are done after one message, because each turn sends the message of the next", async () => {
  const shop = await addCompany(edge, "Shop");
  await begin(FIRST_COMPANY_ID, 10);
  await begin(shop.id, 2);
  await takeTurn(edge.bindings);
  while (edge.moves.length > 0) {
    expect(edge.moves.splice(0)).toHaveLength(1);
    await takeTurn(edge.bindings);
  }
  const all = [...(await states(FIRST_COMPANY_ID)), ...(await states(shop.id))];
  expect(all).toEqual(Array(12).fill("done"));
});

test("a back-off of one company's storage is respected by the messages of others", async () => {
  const shop = await addCompany(edge, "Shop");
  await begin(FIRST_COMPANY_ID, 1);
  const first = await life.claim(edge.db, LEASE_SECONDS, edge.clock);
  if (!first) throw new Error("It is due.");
  await life.release(edge.db, first, edge.clock + 60_000);
  await begin(shop.id, 2);
  const turns = [await turn(), await turn()];
  expect(turns.map(({ companyId }) => companyId)).toEqual([shop.id, shop.id]);
});
