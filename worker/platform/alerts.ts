import { and, eq, inArray, isNull, lte, or, sql } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { FIRST_COMPANY_ID } from "../content/store.ts";
import { alerts, type Database, deadLetters, members, users } from "../db/tables.ts";
import { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";
import type { Alert, AlertName } from "./alert-hook.ts";
import { countsOf, selectCounts } from "./state.ts";
import { MAX_SWEEP_AGE_MS, selectLastRun } from "./sweep-runs.ts";

/** The compiler may be unreachable for so long: a deployment restarts it. */
const COMPILER_PATIENCE_MS = 3 * 60_000;

/** Dead letters that arrive after an alert are told after this time. */
const REPEAT_MS = 3_600_000;

/** Checks run so often at most, in each isolate. */
const CHECK_INTERVAL_MS = 60_000;

/** Owners who get an email. */
const MAX_RECIPIENTS = 10;

type Services = Pick<Bindings, "db" | "accounts" | "settings" | "dependencies" | "operations" | "now">;

/**
 * Checks the conditions in the background, at most once a minute. The sweep cannot notice that it stands still, so that
 * queue messages and health checks call this.
 */
export function watchConditions(services: Services & Pick<Bindings, "later">): void {
  const { operations, now, later } = services;
  if (now() - operations.watch.checkedAt < CHECK_INTERVAL_MS) return;
  operations.watch.checkedAt = now();
  later(
    checkConditions(services).catch((error) =>
      logFailure("The conditions of alerts were not checked", error),
    ),
  );
}

/**
 * Sends an alert for each condition that begins to hold, and for each that ends. Several callers at the same time send
 * it once.
 */
export async function checkConditions(services: Services): Promise<void> {
  const { db, now } = services;
  const time = now();
  const [[sweep], counts, [newest], known] = await db.batch([
    selectLastRun(db),
    selectCounts(db),
    db.select({ at: sql<number | null>`max(${deadLetters.arrivedAt})` }).from(deadLetters),
    db.select().from(alerts).limit(10),
  ]);
  const { dead_letters_compile: compilations, dead_letters_webhooks: deliveries } = countsOf(counts);
  const conditions: Condition[] = [
    {
      name: "sweep",
      holds: sweep !== undefined && time - sweep.succeededAt > MAX_SWEEP_AGE_MS,
      patience: 0,
      text: sweep?.failedSteps.length
        ? `The sweep has failed for ${minutes(time - sweep.succeededAt)}. Failed steps: ${sweep.failedSteps.join(", ")}.`
        : `The sweep has not finished for ${minutes(time - (sweep?.succeededAt ?? time))}.`,
      resolved: "The sweep has succeeded again.",
    },
    {
      name: "compiler",
      holds: await isUnreachable(services),
      patience: COMPILER_PATIENCE_MS,
      text: "The Node compiler does not respond. Photos that programs submit wait.",
      resolved: "The Node compiler responds again.",
    },
    {
      name: "dead_letters",
      holds: compilations + deliveries > 0,
      patience: 0,
      recursAt: newest?.at ?? null,
      text: `There are ${compilations + deliveries} dead letters: ${compilations} compilations and ${deliveries} webhook deliveries were given up. Retry them once the cause is corrected.`,
      resolved: "No dead letters are left.",
    },
  ];
  for (const condition of conditions) {
    const row = known.find(({ name }) => name === condition.name);
    if (condition.holds) await begin(services, condition, row, time);
    else if (row) await end(services, condition, time);
  }
}

interface Condition {
  readonly name: AlertName;
  readonly holds: boolean;
  /** How long it must hold before it is sent, in milliseconds. */
  readonly patience: number;
  /** When it last happened again; the alert is sent again after `REPEAT_MS`. */
  readonly recursAt?: number | null;
  readonly text: string;
  readonly resolved: string;
}

type Known = typeof alerts.$inferSelect;

async function begin(
  services: Services,
  { name, patience, recursAt, text }: Condition,
  row: Known | undefined,
  now: number,
): Promise<void> {
  const { db } = services;
  if (!row) await db.insert(alerts).values({ name, since: now, sentAt: null }).onConflictDoNothing();
  const since = row?.since ?? now;
  if (now - since < patience) return;
  const sentAt = row?.sentAt ?? null;
  const isAgain = sentAt !== null && now - sentAt >= REPEAT_MS && (recursAt ?? 0) > sentAt;
  if (sentAt !== null && !isAgain) return;
  // The one whose update changes the row sends.
  const isUnsent = sentAt === null ? isNull(alerts.sentAt) : eq(alerts.sentAt, sentAt);
  const claimed = await db
    .update(alerts)
    .set({ sentAt: now })
    .where(and(eq(alerts.name, name), isUnsent))
    .returning({ name: alerts.name });
  if (claimed.length === 0) return;
  if (await send(services, { name, state: "firing", text, since })) return;
  await db
    .update(alerts)
    .set({ sentAt })
    .where(and(eq(alerts.name, name), eq(alerts.sentAt, now)));
}

async function end(services: Services, { name, resolved }: Condition, now: number): Promise<void> {
  const { db } = services;
  const isOver = and(eq(alerts.name, name), or(isNull(alerts.sentAt), lte(alerts.sentAt, now)));
  const [ended] = await db.delete(alerts).where(isOver).returning();
  if (ended && ended.sentAt !== null) {
    await send(services, { name, state: "resolved", text: resolved, since: ended.since });
  }
}

/** Sends an alert by every way that is set up. @returns false if there is one, and all of them failed */
async function send(services: Services, facts: Omit<Alert, "url">): Promise<boolean> {
  const { db, accounts, settings, operations } = services;
  const alert = { ...facts, url: settings.publicUrl && `${settings.publicUrl}/platform` };
  logFailure(`Alert: ${alert.text}`, null, { alert: alert.name, state: alert.state });
  const ways: (() => Promise<unknown>)[] = [];
  if (operations.alertHook) ways.push(() => operations.alertHook!.send(alert));
  if (accounts.mailer.isConfigured) ways.push(() => mail(db, accounts.mailer, alert));
  const sent = await Promise.allSettled(ways.map((way) => way()));
  for (const result of sent) {
    if (result.status === "rejected")
      logFailure("An alert was not sent", result.reason, { alert: alert.name });
  }
  return ways.length === 0 || sent.some(({ status }) => status === "fulfilled");
}

async function mail(db: Database, mailer: Services["accounts"]["mailer"], alert: Alert): Promise<void> {
  const owners = await db
    .select({ email: users.email })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(eq(members.companyId, FIRST_COMPANY_ID), inArray(members.role, ["owner"])))
    .limit(MAX_RECIPIENTS);
  const subject = `${alert.state === "firing" ? "Alert" : "Resolved"}: ${SUBJECTS[alert.name]}`;
  const body = [
    alert.text,
    `Since ${new Date(alert.since).toISOString().slice(0, 16).replace("T", " ")} UTC.`,
    ...(alert.url ? [`See ${alert.url}`] : []),
  ].join("\n\n");
  await Promise.all(owners.map(({ email }) => mailer.send({ to: email, subject, body })));
}

const SUBJECTS: Record<AlertName, string> = {
  sweep: "the sweep stands still",
  compiler: "the Node compiler is unreachable",
  dead_letters: "dead letters",
};

/** Returns whether there is a Node compiler that does not respond. */
async function isUnreachable({ dependencies }: Services): Promise<boolean> {
  try {
    await dependencies.compiler?.();
    return false;
  } catch (error) {
    return !(error instanceof Refusal && error.code === "compiler_missing");
  }
}

function minutes(milliseconds: number): string {
  return `${Math.round(milliseconds / 60_000)} minutes`;
}
