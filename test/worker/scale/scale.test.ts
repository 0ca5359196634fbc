import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, test, vi } from "vitest";
import { PublicCache } from "../../../worker/content/public-cache.ts";
import type { Database } from "../../../worker/db/tables.ts";
import { type Consumer, consume } from "../../../worker/marker/consumer.ts";
import type { ArContent, Submission } from "../../../worker/schemas.ts";
import { scheduledSweep } from "../../../worker/sweep.ts";
import { deliverWebhook } from "../../../worker/webhooks/deliver.ts";
import type { WebhookWithSecret } from "../../../worker/webhooks/schemas.ts";
import { Edge, form, json } from "../edge.ts";
import { jpeg, mind, png } from "../fixtures.ts";
import { measuring } from "../plans/statements.ts";

/**
 * Counts the statements and rows of what the platform does most, for docs/scale.md. `npm run scale:counts` updates
 * docs/scale-counts.md.
 */

interface Counted {
  readonly what: string;
  readonly statements: number;
  readonly read: number;
  readonly written: number;
}

/** Random ids change the rows that the search of an index reads by a few. */
const READ_STEP = 200;

const rounded = (rows: number) => (rows < 10 ? rows : `under ${Math.ceil(rows / READ_STEP) * READ_STEP}`);

const edge = new Edge();

async function counted(what: string, work: (db: Database) => Promise<unknown>): Promise<Counted> {
  const { database, read } = measuring(env.DB);
  await work(drizzle(database));
  const sum = (of: (reading: (typeof read)[number]) => number) =>
    read.reduce((all, each) => all + of(each), 0);
  return {
    what,
    statements: read.length,
    read: sum(({ rows }) => rows),
    written: sum((each) => each.written),
  };
}

async function ok(response: Promise<Response>): Promise<Response> {
  const answered = await response;
  if (!answered.ok) throw new Error(`${answered.status} ${await answered.text()}`);
  return answered;
}

const submit = async (db: Database, compile: string, seed: string) => {
  const body = form({ image: png(240, 180, seed), compile });
  return (await (
    await ok(edge.fetch("/api/ar-content", { method: "POST", body }, { db }))
  ).json()) as Submission;
};

test("docs/scale-counts.md has the statements and rows of a submission, a scan, a webhook and a sweep", async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  // The first request of an API key, and the first photo of a company, write more.
  await submit(edge.db, "browser", "first");

  const counts: Counted[] = [];
  let photo!: ArContent;
  counts.push(
    await counted("Photo from a browser, compiled there", async (db) => {
      const { content, lease } = await submit(db, "browser", "browser");
      const headers = { "Vivimark-Lease": lease!.token };
      const path = `/api/ar-content/${content.id}/marker`;
      const progress = json("POST", { stage: "match", done: 1, total: 2 }, headers);
      await ok(edge.fetch(`${path}/progress`, progress, { db }));
      await ok(edge.fetch(path, { method: "PUT", body: form({ marker: mind() }), headers }, { db }));
      photo = content;
    }),
    await counted("Photo from a program, compiled by the Node compiler", async (db) => {
      const { content } = await submit(db, "server", "server");
      const delivery = {
        marker: mind(),
        thumbnail: jpeg(240, 180),
        picture: null,
        milliseconds: 1,
        compilerVersion: null,
      };
      const compiled = { kind: "compiled", delivery } as const;
      const consumer: Consumer = { ...edge.consumer(() => compiled), db };
      expect(await consume(consumer, { content_id: content.id, generation: 1 })).toEqual({ kind: "ack" });
    }),
  );

  // As in production: an isolate that has just started, without the edge cache.
  const scan = async (db: Database, publicCache: PublicCache) => {
    const bindings = { db, replica: db, publicCache };
    const manifest = await ok(edge.anonymously(`/api/viewer/${photo.unique_id}`, {}, bindings));
    const { marker_url: url } = (await manifest.json()) as { marker_url: string };
    await (await ok(edge.anonymously(new URL(url, "http://edge.test").pathname, {}, bindings))).arrayBuffer();
  };
  const cache = new PublicCache(2);
  counts.push(
    await counted("Scan, the first at a Cloudflare location in 2 s", (db) => scan(db, cache)),
    await counted("Scan, the following ones there", (db) => scan(db, cache)),
  );

  edge.sites.set("https://shop.example.net/hook", () => new Response("Thanks"));
  const hook = json("POST", { url: "https://shop.example.net/hook", events: ["marker.ready"] });
  const { id } = await edge.json<WebhookWithSecret>("/api/webhooks", hook);
  await edge.json(`/api/webhooks/${id}/test`, { method: "POST" });
  const [message] = edge.told;
  counts.push(
    await counted("Webhook, delivered at the first attempt", async (db) => {
      expect(await deliverWebhook({ ...edge.bindings, db }, message)).toEqual({ kind: "ack" });
      await edge.settled();
    }),
    await counted("Sweep without work, each minute", (db) => scheduledSweep({ ...edge.bindings, db })),
  );
  vi.restoreAllMocks();

  const rows = counts.map(
    ({ what, ...of }) => `| ${what} | ${of.statements} | ${rounded(of.read)} | ${of.written} |`,
  );
  const table = [
    "# Statements and rows",
    "",
    "`npm run scale:counts` writes this table. Rows of indexes count, as in D1's bill.",
    "",
    "| What happens | Statements | Rows read | Rows written |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
  await expect(table).toMatchFileSnapshot("../../../docs/scale-counts.md");
});
