import { sweepInvitations } from "./accounts/invitations.ts";
import { sweepVerifications } from "./accounts/people.ts";
import { sweepSessions } from "./accounts/sessions.ts";
import { sweepAttempts } from "./accounts/throttle.ts";
import { sweepAudit } from "./audit/log.ts";
import type { Bindings } from "./bindings.ts";
import { recordSizes } from "./content/file-sizes.ts";
import { sweepLostFiles } from "./content/lost-files.ts";
import { sweepFiles } from "./content/orphaned-files.ts";
import { sweepDays } from "./content/quotas.ts";
import { someContents } from "./content/some-contents.ts";
import { claimDeleted, openStore, purge } from "./content/store.ts";
import { sweepKeys } from "./db/idempotency.ts";
import { type Content, hasNoPicture, hasOldScore, hasUnknownSize } from "./db/tables.ts";
import { logFailure, withLogContext } from "./log.ts";
import { reclaimOverdue } from "./marker/life.ts";
import { scoreAgain } from "./marker/old-scores.ts";
import { makePicture } from "./marker/pictures.ts";
import { checkConditions } from "./platform/alerts.ts";
import { recordRun } from "./platform/sweep-runs.ts";
import { resealSettings } from "./storage/connections.ts";
import { Patience, withPatience } from "./storage/patience.ts";
import * as storageMigrations from "./storage-migration/life.ts";
import { discardUpload } from "./video/upload.ts";
import { listExpired, VideoUploadStore } from "./video/upload-store.ts";
import * as webhooks from "./webhooks/deliveries.ts";
import { resealSecrets } from "./webhooks/reseal.ts";

/** Most rows of each kind per run. The next run follows a minute later. */
const MAX_ROWS = 100;

/** Most markers per run that are scored again: each takes some ten milliseconds of CPU time. */
const MAX_SCORES = 20;

/** Most pictures per run: each takes a place of the Node compiler for about a second. */
const MAX_PICTURES = 30;

/** Most deleted photos per run whose files are deleted, and of one company at a time. */
const MAX_PURGED = 500;
const PURGED_AT_ONCE = 6;

/**
 * How long a sweep waits for the storages of companies. One that responds, but slowly or without end, must not keep the
 * sweep from being recorded. Less than the age at which a sweep counts as missing.
 */
const FILES_MILLISECONDS = 240_000;

/** The wait after a failure, so that a storage that is down does not block the rows after it. */
const RETRY_SECONDS = 600;

type Services = Pick<
  Bindings,
  "db" | "storages" | "queue" | "storageQueue" | "webhookQueue" | "settings" | "askForPlace" | "preview"
>;

/** Checks the conditions of alerts, runs the sweep as the cron trigger asks for it, and records it. */
export async function scheduledSweep(services: Bindings): Promise<void> {
  const { db, now } = services;
  await withLogContext({ job: "sweep" }, () =>
    withPatience(new Patience(), async () => {
      // Before the sweep, which may hang.
      await checkConditions(services).catch((error) =>
        logFailure("The conditions of alerts were not checked", error),
      );
      const startedAt = now();
      let failure: SweepError | null = null;
      try {
        await sweep(services, startedAt, AbortSignal.timeout(FILES_MILLISECONDS));
      } catch (error) {
        if (!(error instanceof SweepError)) throw error;
        failure = error;
      }
      await recordRun(db, { startedAt, finishedAt: now(), failedSteps: failure?.steps ?? [] });
      if (failure) throw failure;
    }),
  );
}

/** The steps of the sweep, in their order. Each takes a bounded number of rows, and the next sweep goes on. */
const STEPS: Readonly<Record<string, (services: Services, now: number) => Promise<void>>> = {
  async compilations({ db, queue, settings }, now) {
    const { sweepGraceSeconds: graceSeconds, compilePlaces: places } = settings;
    const overdue = await reclaimOverdue(db, { graceSeconds, places, now });
    await Promise.all(overdue.map((message) => queue.send(message, 0)));
  },
  async storageMigrations({ db, storageQueue, settings }, now) {
    const overdue = await storageMigrations.reclaimOverdue(db, settings.sweepGraceSeconds, MAX_ROWS, now);
    await Promise.all(overdue.map(({ id }) => storageQueue.send({ migration_id: id }, 0)));
  },
  async webhooks({ db, webhookQueue, settings }, now) {
    const overdue = await webhooks.reclaimOverdue(db, settings.sweepGraceSeconds, MAX_ROWS, now);
    if (overdue.length > 0) await webhookQueue.sendAll(overdue, 0);
  },
  oldWebhooks: ({ db }, now) => webhooks.prune(db, now),
  attempts: ({ db }, now) => sweepAttempts(db, now),
  verifications: ({ db }, now) => sweepVerifications(db, now),
  sessions: ({ db }, now) => sweepSessions(db, now),
  invitations: ({ db }, now) => sweepInvitations(db, now),
  oldStorageMigrations: ({ db }) => storageMigrations.sweepFinished(db),
  idempotencyKeys: ({ db }, now) => sweepKeys(db, now),
  auditLog: ({ db }, now) => sweepAudit(db, now),
  compilationDays: ({ db }, now) => sweepDays(db, now),
  settings: ({ db, storages }) => resealSettings(db, storages, MAX_ROWS),
  secrets: ({ db, storages }) => resealSecrets(db, storages, MAX_ROWS),
  lostFiles: ({ db }, now) => sweepLostFiles(db, MAX_ROWS, now),
};

/** The last steps, which wait for the storages of companies and run at the same time. */
const FILE_STEPS: typeof STEPS = {
  async oldScores({ db, storages }) {
    await forEachOfCompany(await someContents(db, hasOldScore, MAX_SCORES), async (content) => {
      try {
        await scoreAgain({ db, storages }, content);
      } catch (error) {
        logFailure("A marker is scored by a later sweep", error, { content_id: content.id });
        return false;
      }
      return true;
    });
  },
  async fileSizes({ db, storages }) {
    await forEachOfCompany(await someContents(db, hasUnknownSize, MAX_ROWS), async (content) => {
      try {
        await recordSizes({ db, storages }, content);
      } catch (error) {
        logFailure("Sizes of files are recorded by a later sweep", error, { content_id: content.id });
        return false;
      }
      return true;
    });
  },
  async pictures(services, now) {
    const { db, askForPlace } = services;
    const contents = await someContents(db, hasNoPicture, MAX_PICTURES);
    if (contents.length === 0 || (await askForPlace())) return;
    // One after another, to leave the other places to compilations. A company whose photo or storage fails waits.
    const failed = new Set<string>();
    for (const content of contents) {
      if (failed.has(content.companyId)) continue;
      try {
        if (await makePicture(services, content, now)) continue;
      } catch (error) {
        logFailure("A picture is made by a later sweep", error, { content_id: content.id });
      }
      failed.add(content.companyId);
    }
  },
  async videoUploads({ db, storages }, now) {
    const expired = await listExpired(db, MAX_ROWS, now);
    await forEachOfCompany(expired, async (upload) => {
      const { company } = await openStore(db, upload.companyId);
      await discardUpload({ db, storages }, new VideoUploadStore(db, company), upload, now);
      return true;
    });
  },
  async deletedContent({ db, storages }, now) {
    const deleted = await claimDeleted(db, MAX_PURGED, now, now + RETRY_SECONDS * 1000);
    const purgeOne = async (content: Content) => {
      try {
        const { company } = await openStore(db, content.companyId);
        await purge(db, storages, company, content);
      } catch (error) {
        logFailure("Files are left to a later sweep", error, { content_id: content.id });
        return false;
      }
      return true;
    };
    await forEachOfCompany(deleted, purgeOne, PURGED_AT_ONCE);
  },
  unusedFiles: ({ db, storages }, now) => sweepFiles({ db, storages }, now),
};

/** Removes files that are due, as the sweep does. What fails is left to it. */
export async function removeDueFiles(services: Services, now: number): Promise<void> {
  const { deletedContent, unusedFiles } = FILE_STEPS;
  for (const step of [deletedContent, unusedFiles]) {
    try {
      await step(services, now);
    } catch (error) {
      logFailure("Deleted files are left to the sweep", error);
    }
  }
}

/**
 * Cleans up after crashes and lost messages, and deletes what has expired:
 * - sends the message of compilations, storage migrations and webhooks again when it is long overdue;
 * - deletes old rows of sign-in attempts, verifications, sessions, invitations, storage migrations, idempotency keys,
 *   the audit log and quotas;
 * - encrypts again what an older key encrypted;
 * - removes what names the files of storages that were given up;
 * - last, because it waits for the storages of companies: scores old markers for our player, records missing
 *   sizes of files, makes missing pictures, and removes abandoned video uploads, files that no content names, and the files of deleted content.
 *
 * A step that fails is logged, and the others run all the same.
 *
 * @param timeUp ends the wait for the storages of companies. The next sweep continues with their files
 * @throws SweepError at the end, if a step failed
 */
export async function sweep(services: Services, now: number, timeUp?: AbortSignal): Promise<void> {
  const failures = new Map<string, unknown>();
  const running = new Set<string>();
  const run = async ([name, step]: [string, (typeof STEPS)[string]]) => {
    running.add(name);
    try {
      await step(services, now);
    } catch (error) {
      logFailure("A step of the sweep failed; the next sweep continues", error, { step: name });
      failures.set(name, error);
    }
    running.delete(name);
  };
  for (const step of Object.entries(STEPS)) await run(step);
  const stopped = new Promise<void>((resolve) => timeUp?.addEventListener("abort", () => resolve()));
  await Promise.race([Promise.all(Object.entries(FILE_STEPS).map(run)), stopped]);
  if (running.size > 0)
    logFailure("Storages are slow; the next sweep continues", null, { steps: [...running] });
  if (failures.size > 0) throw new SweepError(failures);
}

/** Has the errors of the steps that failed. */
class SweepError extends AggregateError {
  readonly steps: readonly string[];

  constructor(failures: ReadonlyMap<string, unknown>) {
    const all = Object.keys({ ...STEPS, ...FILE_STEPS }).length;
    super([...failures.values()], `${failures.size} of ${all} steps of the sweep failed.`);
    this.steps = [...failures.keys()];
  }
}

/**
 * Runs `work` for the rows of each company, the first one alone and then `atOnce` at a time, until one fails, and for all
 * companies at the same time: each company may have a storage of its own, which may hang.
 *
 * @param work returns whether it succeeded
 */
async function forEachOfCompany<Row extends { readonly companyId: string }>(
  rows: readonly Row[],
  work: (row: Row) => Promise<boolean>,
  atOnce = 1,
): Promise<void> {
  const companies = Map.groupBy(rows, ({ companyId }) => companyId);
  await Promise.all(
    Array.from(companies.values(), async (own) => {
      const [first, ...others] = own;
      let hasFailed = !(await work(first));
      const left = others.values();
      const workOff = async () => {
        for (const row of left) {
          if (hasFailed) return;
          if (!(await work(row))) hasFailed = true;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, workOff));
    }),
  );
}
