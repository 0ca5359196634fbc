import type { Bindings } from "../bindings.ts";
import { KINDS } from "../content/file-kinds.ts";
import { contentTypeOf, isSamePlace, placeOf } from "../content/files.ts";
import { drawQrCode } from "../content/qr-code.ts";
import { viewerUrl } from "../content/representation.ts";
import { ContentStore, openStore } from "../content/store.ts";
import type { Content, FileMoveRow } from "../db/tables.ts";
import { type ErrorCode, type Failure, STORAGE_CODES } from "../errors.ts";
import { logFailure } from "../log.ts";
import { backoffSeconds } from "../marker/life.ts";
import { StorageError, type StorageProvider } from "../storage/provider.ts";
import { VaultError } from "../storage/secrets.ts";
import { announceStorageMigration } from "./announce.ts";
import {
  ChecksumError,
  CopyError,
  type CopyProgress,
  copyFile,
  isInOneGo,
  isNotFound,
  missingFile,
  onSide,
} from "./copy-file.ts";
import * as life from "./life.ts";

type Services = Pick<Bindings, "db" | "storages" | "storageQueue" | "settings" | "now">;

/** After this long, a turn starts no further file or part. The next message continues. */
const TURN_MILLISECONDS = 20_000;

/**
 * A larger file is not streamed where the new storage can read it by itself: a queue message has 15 minutes, in which a
 * slow line carries little more.
 */
const MAX_STREAMED_BYTES = 1_000_000_000;

/** Time for which the address of such a file is valid. */
const ADDRESS_SECONDS = 24 * 3600;

/** The pause before a storage is asked again whether it has read a file. */
const FETCHING_SECONDS = 30;

/** Number of times per lease that a progressing copy extends it. */
const EXTENSIONS_PER_LEASE = 4;

/**
 * Handles a queue message of a storage migration: the one whose turn it is moves files for a while, then the next
 * message is sent. A message that comes twice does no harm: without a storage migration that is due, it does nothing.
 */
export async function takeTurn(services: Services): Promise<void> {
  const { db, storageQueue, settings, now } = services;
  const claim = await life.claim(db, settings.storageLeaseSeconds, now());
  if (!claim) return;
  const { id } = claim.migration;
  const result = await new Turn(services, claim).run();
  switch (result.kind) {
    case "finished":
      await life.finish(db, claim, now());
      break;
    case "lost":
      break;
    case "pause":
      await life.pauseFor(db, claim, result.failure, now());
      break;
    case "continue": {
      const delaySeconds = Math.ceil(result.delaySeconds);
      await life.release(db, claim, now() + delaySeconds * 1000);
      if (delaySeconds > 0) await announceStorageMigration(storageQueue, id, delaySeconds);
    }
  }
  const next = await life.findNext(db, now());
  if (next) await announceStorageMigration(storageQueue, next.id, 0);
}

/** The next step after a turn. */
type TurnResult =
  | { readonly kind: "finished" }
  /** Paused, cancelled or claimed by another turn: nothing is left to do here. */
  | { readonly kind: "lost" }
  | { readonly kind: "pause"; readonly failure: Failure }
  | { readonly kind: "continue"; readonly delaySeconds: number };

class LeaseLost extends Error {}

class Turn {
  readonly #services: Services;
  readonly #claim: life.Claim;
  readonly #deadline: number;
  #extendedAt: number;

  constructor(services: Services, claim: life.Claim) {
    this.#services = services;
    this.#claim = claim;
    this.#deadline = services.now() + TURN_MILLISECONDS;
    this.#extendedAt = services.now();
  }

  async run(): Promise<TurnResult> {
    const { db, now } = this.#services;
    const { migration } = this.#claim;
    try {
      if (migration.state === "cancelled") await life.abandonMoves(db, migration.id, now());
      for (let first = true; ; first = false) {
        await this.#extendLease();
        // Every turn handles at least one file, however late it is.
        if (!first && now() >= this.#deadline) return { kind: "continue", delaySeconds: 0 };
        const move = await this.#next();
        if (!move) return this.#rest();
        const result = move.state === "copying" ? await this.#move(move) : await this.#deleteOrphan(move);
        if (result) return result;
      }
    } catch (error) {
      if (error instanceof LeaseLost) return { kind: "lost" };
      throw error;
    }
  }

  /**
   * Returns an unfinished file that is due, else a new one, else an orphaned copy that could not be deleted at once. A
   * file that fails steps aside for the others, unless so many fail that the storage is at fault.
   */
  async #next(): Promise<FileMoveRow | undefined> {
    const { db, now } = this.#services;
    const { migration } = this.#claim;
    const unfinished = await life.unfinishedMove(db, migration.id, now());
    if (unfinished?.state === "copying" || migration.state !== "running") return unfinished;
    const waiting = await life.waitingMoves(db, migration.id, now());
    if (waiting.count >= life.MAX_FAILURES_IN_ROW) return unfinished;
    return (await life.beginMove(db, migration, now())) ?? unfinished;
  }

  /** Ends a turn that has nothing left to do now. */
  async #rest(): Promise<TurnResult> {
    const { db, now } = this.#services;
    const { dueAt } = await life.waitingMoves(db, this.#claim.migration.id, now());
    if (dueAt === null) return { kind: "finished" };
    return { kind: "continue", delaySeconds: (dueAt - now()) / 1000 };
  }

  /** Copies a file and repoints its content. Null: the turn goes on. */
  async #move(move: FileMoveRow): Promise<TurnResult | null> {
    const { db, settings, now } = this.#services;
    if (move.attempts >= life.MAX_ATTEMPTS) {
      const message = `The copy was interrupted ${move.attempts} times before it was complete.`;
      return this.#giveUp(move, { code: "storage_unavailable", message });
    }
    try {
      const state = await this.#copy(move);
      if (state === "stopped") return { kind: "continue", delaySeconds: 0 };
      if (state === "waiting") {
        await life.updateMove(db, move.id, { dueAt: now() + FETCHING_SECONDS * 1000 });
        return null;
      }
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      return this.#handleFailure(move, error);
    }
    const repointing = { quotas: settings.quotas, now: now() };
    const outcome = await life.repoint(db, this.#claim, move, repointing);
    if (outcome === "lost") return { kind: "lost" };
    if (outcome === "moved") return null;
    return this.#deleteOrphan({ ...move, state: outcome, attempts: 0 });
  }

  /** Returns as `copyFile` does. */
  async #copy(move: FileMoveRow): ReturnType<typeof copyFile> {
    const { db, storages, now } = this.#services;
    const { migration } = this.#claim;
    const content = await this.#contentOf(move);
    // The file was replaced or deleted: nothing is copied, and repointing finds the move obsolete.
    if (!content) return "complete";
    const source = await onSide("source", () => storages.open(move.fromStorageId));
    const target = await onSide("target", () => storages.open(migration.toStorageId));
    const size = (await onSide("source", () => source.head(move.fromPath)))?.size;
    if (size === undefined) {
      if (!(await this.#contentOf(move))) return "complete";
      if (move.kind !== "qr_code") throw missingFile();
      await this.#replaceQrCode(move, content);
      return "complete";
    }
    await life.updateMove(db, move.id, { bytes: size });
    const copy = {
      source,
      target,
      from: move.fromPath,
      to: move.toPath,
      size,
      contentType: contentTypeOf(content, move.kind) ?? "application/octet-stream",
      url: size > MAX_STREAMED_BYTES ? await this.#addressOf(source, move, content) : null,
      onProgress: () => this.#extendLeaseInTime(),
    };
    // A turn that is killed on the way counts as an attempt.
    if (isInOneGo(copy, move) && move.parts.length === 0) {
      await life.updateMove(db, move.id, { attempts: move.attempts + 1 });
    }
    const save = async (progress: CopyProgress) => {
      // A turn that lost its lease must not overwrite what its successor saved.
      await this.#extendLease();
      await life.updateMove(db, move.id, progress);
    };
    return copyFile(copy, { progress: move, save, hasTime: () => now() < this.#deadline });
  }

  /**
   * Returns an address of a file that the new storage can read. Null without one, and for every second attempt: the new
   * storage may be unable to reach it.
   */
  async #addressOf(
    source: StorageProvider,
    move: FileMoveRow,
    { videoUrl }: Content,
  ): Promise<string | null> {
    if (move.attempts % 2 === 1) return null;
    const signed = await onSide("source", () => source.presignedUrl(move.fromPath, ADDRESS_SECONDS));
    if (signed !== null) return signed;
    const { publicUrl } = this.#services.settings;
    return publicUrl !== "" && move.kind === "video" && videoUrl !== null ? publicUrl + videoUrl : null;
  }

  /**
   * Draws a missing QR code again in the new storage. Without the origin of its address, the content forgets the file:
   * the API draws the QR code for each request.
   */
  async #replaceQrCode(move: FileMoveRow, { uniqueId }: Content): Promise<void> {
    const { db, storages, settings } = this.#services;
    const { publicUrl } = settings;
    if (publicUrl === "") return life.forgetFile(db, this.#claim, move);
    const bytes = drawQrCode(viewerUrl(uniqueId, publicUrl));
    await onSide("target", async () => {
      const target = await storages.open(this.#claim.migration.toStorageId);
      await target.upload(move.toPath, bytes, {
        length: bytes.length,
        contentType: KINDS.qr_code.contentType,
      });
    });
  }

  /** Returns the content if it still names the file that is moved. */
  async #contentOf(move: FileMoveRow): Promise<Content | undefined> {
    const { db } = this.#services;
    const { company } = await openStore(db, this.#claim.migration.companyId);
    const content = (await new ContentStore(db, company, null).get(move.contentId))?.content;
    const from = { storageId: move.fromStorageId, path: move.fromPath };
    return content && isSamePlace(placeOf(content, move.kind), from) ? content : undefined;
  }

  /** Deletes the copy that no content names: of a moved file the old one, otherwise the new one. */
  async #deleteOrphan(move: FileMoveRow): Promise<TurnResult | null> {
    const { db, storages, settings } = this.#services;
    const { migration } = this.#claim;
    const isMoved = move.state === "moved";
    try {
      const storage = await storages.open(isMoved ? move.fromStorageId : migration.toStorageId);
      if (!isMoved && move.uploadId !== null) {
        await storage.multipart?.abort(move.toPath, move.uploadId);
        await storage.fetching?.abort(move.uploadId);
      }
      await storage.delete(isMoved ? move.fromPath : move.toPath);
      await life.updateMove(db, move.id, { hasOrphanedCopy: false, uploadId: null });
      return null;
    } catch (error) {
      logFailure("An orphaned copy could not be deleted", error, { path: move.fromPath });
      const attempts = move.attempts + 1;
      const isGivenUp = attempts >= life.MAX_ATTEMPTS;
      await life.updateMove(db, move.id, { attempts, hasOrphanedCopy: !isGivenUp });
      // The first retry comes when no files are left to move.
      if (attempts === 1 || isGivenUp) return null;
      return { kind: "continue", delaySeconds: backoffSeconds(attempts, settings.retryBaseSeconds) };
    }
  }

  async #handleFailure(move: FileMoveRow, error: unknown): Promise<TurnResult | null> {
    const { db, settings, now } = this.#services;
    const failure = failureOf(error);
    if (needsPerson(error)) {
      await life.updateMove(db, move.id, { errorCode: failure.code, errorMessage: failure.message });
      return { kind: "pause", failure };
    }
    const attempts = move.attempts + 1;
    const isGone = error instanceof CopyError && error.side === "source" && isNotFound(error);
    if (!isGone && attempts < life.MAX_ATTEMPTS) {
      logFailure("A file could not be copied; another attempt follows", error, { path: move.fromPath });
      // The storage no longer knows the multipart upload, or it made a wrong copy: it starts again.
      const startsAgain = isNotFound(error) || error instanceof ChecksumError;
      await life.updateMove(db, move.id, {
        attempts,
        dueAt: now() + backoffSeconds(attempts, settings.retryBaseSeconds) * 1000,
        errorCode: failure.code,
        errorMessage: failure.message,
        ...(startsAgain ? { uploadId: null, parts: [] } : {}),
      });
      return null;
    }
    if (!isGone) return this.#giveUp(move, failure);
    await life.failMove(db, move.id, failure, now());
    return null;
  }

  async #giveUp(move: FileMoveRow, failure: Failure): Promise<TurnResult | null> {
    const { db, now } = this.#services;
    await life.failMove(db, move.id, failure, now());
    const isStorageAtFault = await life.failedInARow(db, this.#claim.migration.id);
    return isStorageAtFault ? { kind: "pause", failure } : null;
  }

  async #extendLeaseInTime(): Promise<void> {
    const { settings, now } = this.#services;
    const interval = (settings.storageLeaseSeconds * 1000) / EXTENSIONS_PER_LEASE;
    if (now() - this.#extendedAt >= interval) await this.#extendLease();
  }

  /** @throws LeaseLost */
  async #extendLease(): Promise<void> {
    const { db, settings, now } = this.#services;
    this.#extendedAt = now();
    const isHeld = await life.extendLease(db, this.#claim, settings.storageLeaseSeconds, now());
    if (!isHeld) throw new LeaseLost();
  }
}

/** Returns whether a retry cannot help until a person changes rights, settings or space. */
function needsPerson(error: unknown): boolean {
  const cause = error instanceof CopyError ? error.cause : error;
  if (cause instanceof VaultError) return true;
  return cause instanceof StorageError && ["denied", "invalid_config", "quota_exceeded"].includes(cause.code);
}

function failureOf(error: unknown): Failure {
  if (error instanceof ChecksumError) return { code: "checksum_mismatch", message: error.message };
  if (!(error instanceof CopyError)) {
    return { code: "storage_unavailable", message: "The storage or the database did not respond." };
  }
  const { cause, side, message } = error;
  const where = side === "source" ? "Old storage: " : "New storage: ";
  const code: ErrorCode =
    cause instanceof StorageError
      ? STORAGE_CODES[cause.code]
      : cause instanceof VaultError
        ? "secrets_unavailable"
        : "storage_unavailable";
  const isOurs = cause instanceof StorageError || cause instanceof VaultError;
  return { code, message: where + (isOurs ? message : "it did not respond.") };
}
