import { sweepInvitations } from "./accounts/invitations.ts";
import { sweepVerifications } from "./accounts/people.ts";
import { sweepSessions } from "./accounts/sessions.ts";
import { sweepAttempts } from "./accounts/throttle.ts";
import { sweepAudit } from "./audit/log.ts";
import type { Bindings } from "./bindings.ts";
import { sweepLostFiles } from "./content/lost-files.ts";
import { sweepFiles } from "./content/orphaned-files.ts";
import { sweepDays } from "./content/quotas.ts";
import { claimDeleted, openStore, purge } from "./content/store.ts";
import { sweepKeys } from "./db/idempotency.ts";
import { logFailure, withLogContext } from "./log.ts";
import { reclaimOverdue } from "./marker/life.ts";
import { listOldScores, scoreAgain } from "./marker/old-scores.ts";
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

/** The wait after a failure, so that a storage that is down does not block the rows after it. */
const RETRY_SECONDS = 600;

/** Runs the sweep as the cron trigger asks for it. A failure is logged and thrown; the next run continues. */
export async function scheduledSweep(
  services: Parameters<typeof sweep>[0] & Pick<Bindings, "now">,
): Promise<void> {
  await withLogContext({ job: "sweep" }, async () => {
    try {
      await withPatience(new Patience(), () => sweep(services, services.now()));
    } catch (error) {
      logFailure("The sweep failed; the next sweep continues", error);
      throw error;
    }
  });
}

/**
 * Cleans up after crashes and lost messages, and deletes what has expired:
 * - sends the message of compilations, storage migrations and webhooks again when it is long overdue;
 * - deletes old rows of sign-in attempts, verifications, sessions, invitations, storage migrations, idempotency keys,
 *   the audit log and quotas;
 * - encrypts again what an older key encrypted;
 * - removes what names the files of storages that were given up;
 * - last, because it waits for the storages of companies: scores old markers for our player, and removes abandoned
 *   video uploads, files that no content names, and the files of deleted content.
 */
export async function sweep(
  {
    db,
    storages,
    queue,
    storageQueue,
    webhookQueue,
    settings,
  }: Pick<Bindings, "db" | "storages" | "queue" | "storageQueue" | "webhookQueue" | "settings">,
  now: number,
): Promise<void> {
  const { sweepGraceSeconds: graceSeconds, compilePlaces: places } = settings;
  const compilations = await reclaimOverdue(db, { graceSeconds, places, now });
  await Promise.all(compilations.map((message) => queue.send(message, 0)));

  const moves = await storageMigrations.reclaimOverdue(db, graceSeconds, MAX_ROWS, now);
  await Promise.all(moves.map(({ id }) => storageQueue.send({ migration_id: id }, 0)));

  const deliveries = await webhooks.reclaimOverdue(db, graceSeconds, MAX_ROWS, now);
  if (deliveries.length > 0) await webhookQueue.sendAll(deliveries, 0);
  await webhooks.prune(db, now);

  await sweepAttempts(db, now);
  await sweepVerifications(db, now);
  await sweepSessions(db, now);
  await sweepInvitations(db, now);
  await storageMigrations.sweepFinished(db);
  await sweepKeys(db, now);
  await sweepAudit(db, now);
  await sweepDays(db, now);
  await resealSettings(db, storages, MAX_ROWS);
  await resealSecrets(db, storages, MAX_ROWS);

  await sweepLostFiles(db, MAX_ROWS, now);

  const uploads = await listExpired(db, MAX_ROWS, now);
  const deleted = await claimDeleted(db, MAX_ROWS, now, now + RETRY_SECONDS * 1000);
  const oldScores = await listOldScores(db, MAX_SCORES);
  await Promise.all([
    forEachOfCompany(oldScores, async (content) => {
      try {
        await scoreAgain({ db, storages }, content);
      } catch (error) {
        logFailure("A marker is scored by a later sweep", error, { content_id: content.id });
        return false;
      }
      return true;
    }),
    forEachOfCompany(uploads, async (upload) => {
      const { company } = await openStore(db, upload.companyId);
      await discardUpload({ db, storages }, new VideoUploadStore(db, company), upload, now);
      return true;
    }),
    forEachOfCompany(deleted, async (content) => {
      try {
        const { company } = await openStore(db, content.companyId);
        await purge(db, storages, company, content);
      } catch (error) {
        logFailure("Files are left to a later sweep", error, { content_id: content.id });
        return false;
      }
      return true;
    }),
    sweepFiles({ db, storages }, now),
  ]);
}

/**
 * Runs `work` for the rows of each company, one after another until one fails, and for all companies at the same time:
 * each company may have a storage of its own, which may hang.
 *
 * @param work returns whether it succeeded
 */
async function forEachOfCompany<Row extends { readonly companyId: string }>(
  rows: readonly Row[],
  work: (row: Row) => Promise<boolean>,
): Promise<void> {
  const companies = Map.groupBy(rows, ({ companyId }) => companyId);
  await Promise.all(
    Array.from(companies.values(), async (own) => {
      for (const row of own) if (!(await work(row))) return;
    }),
  );
}
