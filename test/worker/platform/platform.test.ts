import { env } from "cloudflare:workers";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HttpMailer } from "../../../worker/accounts/mailer.ts";
import type { Mailbox } from "../../../worker/accounts/schemas.ts";
import { alerts, arContent, compileTasks, deadLetters, sweepRuns } from "../../../worker/db/tables.ts";
import { Refusal } from "../../../worker/errors.ts";
import { deadLetter } from "../../../worker/marker/consumer.ts";
import { HttpAlertHook } from "../../../worker/platform/alert-hook.ts";
import { checkConditions, watchConditions } from "../../../worker/platform/alerts.ts";
import type { Retried } from "../../../worker/platform/retry.ts";
import type { Platform } from "../../../worker/platform/schemas.ts";
import { readState } from "../../../worker/platform/state.ts";
import { checkSweep } from "../../../worker/platform/sweep-runs.ts";
import { scheduledSweep } from "../../../worker/sweep.ts";
import { type Browser, setUp } from "../browser.ts";
import { Edge, json, refusal } from "../edge.ts";
import { measuring } from "../plans/statements.ts";

const edge = new Edge();
let owner: Browser;

beforeAll(async () => {
  edge.clock = Date.now();
  owner = (await setUp(edge))!;
});

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});

const read = () => owner.json<Platform>("/api/platform");

/** Submits a photo whose compilation becomes a dead letter. */
async function givenUp(): Promise<{ id: string; generation: number }> {
  const { content } = await edge.submit({ compile: "server" });
  await edge.db
    .update(compileTasks)
    .set({ attempts: 3, errorCode: "compiler_unreachable", errorMessage: "secret-host.example" })
    .where(eq(compileTasks.contentId, content.id));
  await deadLetter(edge.bindings as never, { content_id: content.id, generation: 1 });
  return { id: content.id, generation: 1 };
}

describe("the state of the platform", () => {
  test("counts what the rows say", async () => {
    await edge.submit({ compile: "server" });
    await edge.submit({ compile: "browser" });
    const { content } = await edge.submit({ compile: "browser" });
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { title: "Changed" }));
    await edge.fetch(`/api/ar-content/${content.id}`, { method: "DELETE" });
    await givenUp();
    const counted = async (status: string) =>
      edge.db.$count(
        arContent,
        sql`${arContent.deletedAt} IS NULL AND ${arContent.markerStatus} = ${status}`,
      );
    const { photos, queues, compilations, versions } = await read();
    expect(photos).toEqual({
      pending: await counted("pending"),
      processing: await counted("processing"),
      ready: await counted("ready"),
      failed: await counted("failed"),
    });
    expect(photos).toMatchObject({ pending: 1, processing: 1, failed: 1 });
    expect(queues).toEqual([{ name: "compile", messages: edge.sent.length, oldest_at: null }]);
    expect(compilations).toMatchObject({ running: 0, places: 1000, due_since: expect.any(String) });
    expect(versions).toMatchObject({ compiler: "1", database: expect.stringMatching(/^\d{4}_\w+\.sql$/) });
  });

  test("names no company, photo, person, or text of an error", async () => {
    const text = JSON.stringify([await read(), await (await metrics("key-of-the-metrics")).text()]);
    const [content] = await edge.db.select().from(arContent).limit(1);
    for (const word of ["secret-host", "Portraits", "ada@", content.id, content.title, content.companyId])
      expect(text).not.toContain(word);
  });
});

describe("dead letters", () => {
  const retry = (body: object) => owner.json<Retried>("/api/platform/dead-letters/retry", json("POST", body));

  test("are listed with the last error's code, and retried with all their attempts", async () => {
    await edge.db.delete(deadLetters);
    const { id } = await givenUp();
    const { dead_letters: letters } = await read();
    expect(letters).toEqual({
      count: 1,
      items: [
        {
          id: expect.any(String),
          queue: "compile",
          code: "compiler_unreachable",
          attempts: 3,
          arrived_at: new Date(edge.clock).toISOString(),
        },
      ],
    });
    edge.sent.length = 0;
    expect(await retry({ ids: [letters.items[0].id] })).toEqual({ retried: 1, discarded: 0, left: 0 });
    expect(edge.sent).toEqual([{ message: { content_id: id, generation: 1 }, delaySeconds: 0 }]);
    expect(await edge.content(id)).toMatchObject({ marker_status: "pending", error_code: null });
    expect(
      (await edge.db.select().from(compileTasks).where(eq(compileTasks.contentId, id)))[0],
    ).toMatchObject({ state: "pending", attempts: 0, errorCode: null, finishedAt: null, generation: 1 });
    expect((await read()).dead_letters).toEqual({ count: 0, items: [] });
  });

  test("disappear when the photo is compiled again, and are discarded when it was deleted", async () => {
    await edge.db.delete(deadLetters);
    const again = await givenUp();
    await edge.json(`/api/ar-content/${again.id}/marker/recompile`, json("POST", {}));
    expect((await read()).dead_letters.count).toBe(0);
    const deleted = await givenUp();
    await edge.fetch(`/api/ar-content/${deleted.id}`, { method: "DELETE" });
    expect(await retry({})).toEqual({ retried: 0, discarded: 1, left: 0 });
    const [row] = await edge.db.select().from(compileTasks).where(eq(compileTasks.contentId, deleted.id));
    expect(row.state).toBe("failed");
  });

  test("are retried 100 at a time, the oldest first", async () => {
    await edge.db.delete(deadLetters);
    const { id } = await givenUp();
    const letters = Array.from({ length: 119 }, (_, n) => ({
      id: `letter-${n}`,
      queue: "webhooks" as const,
      attempts: 1,
      arrivedAt: edge.clock - 1 - n,
    }));
    for (let from = 0; from < letters.length; from += 10)
      await edge.db.insert(deadLetters).values(letters.slice(from, from + 10));
    expect(await retry({})).toEqual({ retried: 0, discarded: 100, left: 20 });
    expect(await retry({})).toEqual({ retried: 1, discarded: 19, left: 0 });
    expect((await edge.content(id)).marker_status).toBe("pending");
  });

  test("need an owner of the company that set up the platform", async () => {
    const other = await owner.json<{ id: string }>("/api/me/companies", json("POST", { name: "Another" }));
    await owner.post("/api/auth/organization/set-active", { organizationId: other.id });
    for (const response of [
      await owner.fetch("/api/platform"),
      await owner.post("/api/platform/dead-letters/retry", {}),
    ]) {
      expect(await refusal(response)).toMatchObject({
        code: "forbidden",
        detail: expect.stringContaining("requires the company that set up the platform"),
      });
    }
    const permissions = async () =>
      (await owner.json<{ company: { permissions: string[] } }>("/api/me")).company.permissions;
    expect(await permissions()).not.toContain("platform:operate");
    await owner.post("/api/auth/organization/set-active", {
      organizationId: "00000000-0000-4000-8000-000000000001",
    });
    expect(await permissions()).toContain("platform:operate");
  });
});

const metrics = (key: string) =>
  edge.anonymously("/api/metrics", { headers: { Authorization: `Bearer ${key}` } });

describe("metrics", () => {
  test("need the key, and are disabled without one", async () => {
    expect((await refusal(await metrics("wrong-key-of-metrics"))).code).toBe("not_found");
    expect((await refusal(await edge.anonymously("/api/metrics"))).code).toBe("not_found");
    const without = { operations: { ...edge.bindings.operations, metricsKey: "" } };
    const headers = { Authorization: "Bearer " };
    expect((await refusal(await edge.anonymously("/api/metrics", { headers }, without))).code).toBe(
      "not_found",
    );
    expect((await metrics("key-of-the-metrics")).status).toBe(200);
  });

  test("are OpenMetrics text with the numbers of the state", async () => {
    await givenUp();
    const bindings = {
      dependencies: {
        database: async () => {},
        compiler: async () => {
          throw new Error("down");
        },
      },
    };
    const headers = { Authorization: "Bearer key-of-the-metrics" };
    const response = await edge.anonymously("/api/metrics", { headers }, bindings);
    expect(response.headers.get("content-type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const text = await response.text();
    const values = parseOpenMetrics(text);
    const { photos, dead_letters: letters } = await read();
    expect(values.get('vivimark_photos{status="failed"}')).toBe(photos.failed);
    expect(values.get('vivimark_dead_letters{queue="compile"}')).toBe(letters.count);
    expect(values.get('vivimark_dependency_up{dependency="database"}')).toBe(1);
    expect(values.get('vivimark_dependency_up{dependency="compiler"}')).toBe(0);
    expect(values.get('vivimark_compilations_total{outcome="failed",executor="none"}')).toBeGreaterThan(0);
  });

  test("read the same rows however many photos, webhooks and dead letters there are", async () => {
    const rowsRead = async () => {
      const { database, read } = measuring(env.DB);
      await readState(drizzle(database));
      return read.reduce((sum, { rows }) => sum + rows, 0);
    };
    await edge.db.delete(deadLetters);
    const one = { queue: "webhooks" as const, attempts: 1 };
    for (let n = 0; n < 60; n++)
      await edge.db.insert(deadLetters).values({ ...one, id: `d${n}`, arrivedAt: n });
    const before = await rowsRead();
    for (let n = 60; n < 160; n++)
      await edge.db.insert(deadLetters).values({ ...one, id: `d${n}`, arrivedAt: n });
    for (let n = 0; n < 20; n++) await edge.submit({ compile: "server" });
    expect(await rowsRead()).toBe(before);
    await edge.db.delete(deadLetters);
  });
});

/** Reads OpenMetrics text strictly. @returns the values by series */
function parseOpenMetrics(text: string): Map<string, number> {
  const lines = text.split("\n");
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
  const values = new Map<string, number>();
  const families = new Set<string>();
  let family = { name: "", type: "" };
  for (const line of lines.slice(0, -2)) {
    const meta = /^# (TYPE|UNIT|HELP) ([a-z_]+) (.+)$/.exec(line);
    if (meta?.[1] === "TYPE") {
      expect(families).not.toContain(meta[2]);
      family = { name: meta[2], type: meta[3] };
      families.add(family.name);
    } else if (meta) {
      expect(meta[2]).toBe(family.name);
      if (meta[1] === "UNIT") expect(family.name.endsWith(`_${meta[3]}`)).toBe(true);
    } else {
      const [, name, labels = "", value] = /^([a-z_]+)(\{(?:[a-z]+="[^"\\\n]*",?)+\})? (\d+(?:\.\d+)?)$/.exec(
        line,
      ) ?? [line];
      const suffix = { gauge: "", counter: "_total", info: "_info" }[family.type];
      expect(name).toBe(`${family.name}${suffix}`);
      expect(values).not.toContain(name + labels);
      values.set(name + labels, Number(value));
    }
  }
  return values;
}

describe("alerts", () => {
  const clear = async () => {
    await edge.db.delete(alerts);
    await edge.db.delete(deadLetters);
    await edge.db.update(sweepRuns).set({ succeededAt: edge.clock, failedSteps: [] });
    edge.alerts.length = 0;
  };
  beforeEach(clear);
  const check = (dependencies = {}) => checkConditions({ ...edge.bindings, dependencies });
  const down = {
    compiler: async () => {
      throw new Error("No response.");
    },
  };

  test("of a sweep that stands still are sent once, to the hook and by email, and end", async () => {
    edge.pass(601);
    await Promise.all([check(), check()]);
    expect(edge.alerts).toEqual([
      {
        name: "sweep",
        state: "firing",
        text: "The sweep has not finished for 10 minutes.",
        since: edge.clock,
        url: "http://edge.test/platform",
      },
    ]);
    const response = await edge.anonymously("/api/mailbox", {
      headers: { Authorization: "Bearer token-of-the-mailbox" },
    });
    const { items } = (await response.json()) as Mailbox;
    expect(items[0]).toMatchObject({
      to: "ada@example.net",
      subject: "Alert: the sweep stands still",
      body: expect.stringContaining("See http://edge.test/platform"),
    });
    expect((await read()).alerts).toMatchObject({ by_email: true, by_webhook: true });
    expect((await read()).alerts.firing).toMatchObject([{ name: "sweep" }]);
    await edge.db.update(sweepRuns).set({ succeededAt: edge.clock });
    await check();
    expect(edge.alerts.map(({ state }) => state)).toEqual(["firing", "resolved"]);
    await check();
    expect(edge.alerts).toHaveLength(2);
  });

  test("of the compiler wait for three minutes, and say nothing of a platform without one", async () => {
    await check(down);
    edge.pass(120);
    await check(down);
    expect(edge.alerts).toEqual([]);
    edge.pass(60);
    await check(down);
    expect(edge.alerts).toMatchObject([{ name: "compiler", state: "firing" }]);
    await check();
    expect(edge.alerts).toHaveLength(2);
    const missing = async () => {
      throw new Refusal("compiler_missing", "There is no Node compiler.");
    };
    await check({ compiler: missing });
    edge.pass(200);
    await check({ compiler: missing });
    expect(edge.alerts).toHaveLength(2);
  });

  test("of dead letters repeat for new ones, at most once an hour", async () => {
    await givenUp();
    await check();
    await check();
    expect(edge.alerts).toMatchObject([
      { name: "dead_letters", text: expect.stringContaining("1 dead letter") },
    ]);
    edge.pass(60);
    await givenUp();
    await edge.db.update(sweepRuns).set({ succeededAt: edge.clock + 1e7 });
    await check();
    expect(edge.alerts).toHaveLength(1);
    edge.pass(3600);
    await check();
    await check();
    expect(edge.alerts.map(({ name }) => name)).toEqual(["dead_letters", "dead_letters"]);
    await owner.post("/api/platform/dead-letters/retry", {});
    await check();
    expect(edge.alerts.at(-1)).toMatchObject({ name: "dead_letters", state: "resolved" });
  });

  test("are sent later when every way fails", async () => {
    edge.pass(601);
    const operations = {
      ...edge.bindings.operations,
      alertHook: {
        send: async () => {
          throw new Error("The hook is down.");
        },
      },
    };
    const mailer = { isConfigured: false, send: async () => {} };
    const services = { ...edge.bindings, dependencies: {}, operations };
    await checkConditions({ ...services, accounts: { ...edge.bindings.accounts, mailer } });
    expect(await edge.db.select().from(alerts)).toMatchObject([{ name: "sweep", sentAt: null }]);
    await check();
    expect(edge.alerts).toMatchObject([{ name: "sweep" }]);
  });

  test("are noticed by health checks, at most once a minute in an isolate", async () => {
    edge.pass(700);
    await edge.anonymously("/api/health");
    await edge.anonymously("/api/health");
    expect(edge.alerts).toHaveLength(1);
    await edge.db.delete(alerts);
    watchConditions(edge.bindings);
    await edge.settled();
    expect(edge.alerts).toHaveLength(1);
    edge.pass(61);
    watchConditions(edge.bindings);
    await edge.settled();
    expect(edge.alerts).toHaveLength(2);
  });

  test("are posted with the secret, like emails, and a redirect or an error rejects", async () => {
    const sent: Request[] = [];
    let status = 204;
    const fetch = vi.spyOn(globalThis, "fetch").mockImplementation(async (url, init) => {
      // Throws for an option that workerd does not know.
      sent.push(new Request(url as string, init));
      return new Response(null, { status });
    });
    const service = { url: "https://ops.example.com/hook", secret: "secret" };
    const hook = new HttpAlertHook(service);
    const alert = { name: "sweep", state: "firing", text: "It stands still.", since: 0, url: "" } as const;
    await hook.send(alert);
    expect(await sent[0].json()).toEqual({
      alert: "sweep",
      state: "firing",
      text: "Alert: It stands still.",
      since: "1970-01-01T00:00:00.000Z",
      url: "",
    });
    expect(sent[0].headers.get("authorization")).toBe("Bearer secret");
    const mail = { to: "ada@example.net", subject: "Alert", body: "It stands still." };
    await new HttpMailer(service).send(mail);
    expect(await sent[1].json()).toEqual(mail);
    expect(sent[1].headers.get("authorization")).toBe("Bearer secret");
    for (status of [302, 500]) {
      await expect(hook.send(alert)).rejects.toThrow(`responded with status ${status}`);
      await expect(new HttpMailer(service).send(mail)).rejects.toThrow(`responded with status ${status}`);
    }
    expect(sent.every(({ redirect }) => redirect === "manual")).toBe(true);
    fetch.mockRestore();
  });
});

describe("the sweep", () => {
  test("records each run, and the steps that failed", async () => {
    await scheduledSweep(edge.bindings);
    const succeeded = edge.clock;
    expect(await read()).toMatchObject({
      sweep: { succeeded_at: new Date(succeeded).toISOString(), failed_steps: [] },
    });
    edge.pass(60);
    const failing = {
      ...edge.bindings,
      queue: {
        ...edge.bindings.queue,
        send: async () => {
          throw new Error("The queue is down.");
        },
      },
    };
    await edge.db.update(compileTasks).set({ nextAttemptAt: 1 }).where(eq(compileTasks.state, "pending"));
    await expect(scheduledSweep(failing)).rejects.toThrow("of the sweep failed");
    expect(await read()).toMatchObject({
      sweep: { succeeded_at: new Date(succeeded).toISOString(), failed_steps: ["compilations"] },
    });
    await checkSweep(edge.db, succeeded + 600_000);
    await expect(checkSweep(edge.db, succeeded + 600_001)).rejects.toThrow("Failed steps: compilations.");
  });
});
