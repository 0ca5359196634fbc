import type { Bindings } from "../bindings.ts";
import { contentTypeOf, isSamePlace, placeOf } from "../content/files.ts";
import { ContentStore, openStore } from "../content/store.ts";
import type { Content, FileMoveRow } from "../db/tables.ts";
import { type ErrorCode, type Failure, STORAGE_CODES } from "../errors.ts";
import { logFailure } from "../log.ts";
import { backoffSeconds } from "../marker/life.ts";
import { StorageError } from "../storage/provider.ts";
import { VaultError } from "../storage/secrets.ts";
import { announceStorageMigration } from "./announce.ts";
import * as life from "./life.ts";
import { ChecksumError, CopyError, copyParts, copyWhole, goesInParts, isNotFound } from "./move-file.ts";

/** What a turn works with. */
export type Mover = Pick<Bindings, "db" | "storages" | "storageQueue" | "settings" | "now">;

/** After this long no further file is begun, nor a part of one: the next message goes on. */
const TURN_MILLISECONDS = 20_000;

/** Bytes that flow prolong the lease this many times before it would end. */
const BEATS_PER_LEASE = 4;

/**
 * A message fired: moves files of a migration for a while, then sends the next message. Delivery is at least
 * once: whoever does not get the lease has nothing to do.
 */
export async function takeTurn(mover: Mover, migrationId: string): Promise<void> {
  const { db, settings, now } = mover;
  const claimed = await life.claim(db, migrationId, settings.storageLeaseSeconds, now());
  if (!claimed) return;
  const turn = new Turn(mover, claimed);
  const ending = await turn.run();
  switch (ending.kind) {
    case "over":
      return life.finish(db, claimed, now());
    case "lost":
      return;
    case "pause":
      return life.pauseFor(db, claimed, ending.failure, now());
    case "again": {
      const delaySeconds = Math.ceil(ending.seconds);
      await life.release(db, claimed, now() + delaySeconds * 1000);
      await announceStorageMigration(mover.storageQueue, migrationId, delaySeconds);
    }
  }
}

type Ending =
  | { readonly kind: "over" }
  /** Paused, cancelled or taken over: whoever did it goes on from here. */
  | { readonly kind: "lost" }
  | { readonly kind: "pause"; readonly failure: Failure }
  | { readonly kind: "again"; readonly seconds: number };

class LeaseLost extends Error {}

class Turn {
  readonly #mover: Mover;
  readonly #claimed: life.Claimed;
  readonly #deadline: number;
  #beatAt: number;

  constructor(mover: Mover, claimed: life.Claimed) {
    this.#mover = mover;
    this.#claimed = claimed;
    this.#deadline = mover.now() + TURN_MILLISECONDS;
    this.#beatAt = mover.now();
  }

  async run(): Promise<Ending> {
    const { db, now } = this.#mover;
    const { migration } = this.#claimed;
    try {
      if (migration.state === "cancelled") await life.abandonMoves(db, migration.id, now());
      for (let first = true; ; first = false) {
        await this.#extend();
        // Every turn gets something done, however late it is.
        if (!first && now() >= this.#deadline) return { kind: "again", seconds: 0 };
        const move = await this.#next();
        if (!move) return { kind: "over" };
        const ending = move.state === "copying" ? await this.#move(move) : await this.#clear(move);
        if (ending) return ending;
      }
    } catch (error) {
      if (error instanceof LeaseLost) return { kind: "lost" };
      throw error;
    }
  }

  /** A file that was begun, else a new one; what cannot be cleared away at once waits until all are moved. */
  async #next(): Promise<FileMoveRow | undefined> {
    const { db, now } = this.#mover;
    const { migration } = this.#claimed;
    const unfinished = await life.unfinishedMove(db, migration.id);
    if (unfinished?.state === "copying" || migration.state !== "running") return unfinished;
    return (await life.beginMove(db, migration, now())) ?? unfinished;
  }

  /** Copies a file, repoints its row and clears the old copy away. Null: on to the next one. */
  async #move(move: FileMoveRow): Promise<Ending | null> {
    const { db, now } = this.#mover;
    try {
      if (!(await this.#copy(move))) return { kind: "again", seconds: 0 };
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      return this.#failed(move, error);
    }
    const outcome = await life.repoint(db, this.#claimed, move, now());
    if (outcome === "lost") return { kind: "lost" };
    return this.#clear({ ...move, state: outcome, attempts: 0 });
  }

  /** False: there was no time for the whole file. */
  async #copy(move: FileMoveRow): Promise<boolean> {
    const { db, storages, now } = this.#mover;
    const { migration } = this.#claimed;
    const content = await this.#contentOf(move);
    // Replaced or deleted: repointing will say so, and there is nothing to copy.
    if (!content) return true;
    const source = await storages.open(move.fromStorageId).catch((error) => {
      throw new CopyError("source", error);
    });
    const target = await storages.open(migration.toStorageId).catch((error) => {
      throw new CopyError("target", error);
    });
    const size = (
      await source.head(move.fromPath).catch((error) => {
        throw new CopyError("source", error);
      })
    )?.size;
    if (size === undefined) {
      if (!(await this.#contentOf(move))) return true;
      throw new CopyError(
        "source",
        new StorageError("not_found", "The file is not in its storage any more."),
      );
    }
    await life.noteMove(db, move.id, { bytes: size });
    const copy = {
      source,
      target,
      from: move.fromPath,
      to: move.toPath,
      size,
      contentType: contentTypeOf(content, move.kind) ?? "application/octet-stream",
      beat: () => this.#beat(),
    };
    if (!goesInParts(copy)) {
      await copyWhole(copy);
      return true;
    }
    const note = async (soFar: Pick<FileMoveRow, "uploadId" | "parts">) => {
      // Whoever lost the lease must not write over what its successor noted.
      await this.#extend();
      await life.noteMove(db, move.id, soFar);
    };
    return copyParts(copy, move, note, () => now() < this.#deadline);
  }

  /** The content, while its file is still where the move began. */
  async #contentOf(move: FileMoveRow): Promise<Content | undefined> {
    const { db } = this.#mover;
    const { company } = await openStore(db, this.#claimed.migration.companyId);
    const content = (await new ContentStore(db, company, null).get(move.contentId))?.content;
    const from = { storageId: move.fromStorageId, path: move.fromPath };
    return content && isSamePlace(placeOf(content, move.kind), from) ? content : undefined;
  }

  /** Removes the copy that nobody needs: of a moved file the old one, otherwise the new one. */
  async #clear(move: FileMoveRow): Promise<Ending | null> {
    const { db, storages, settings } = this.#mover;
    const { migration } = this.#claimed;
    const isMoved = move.state === "moved";
    try {
      const storage = await storages.open(isMoved ? move.fromStorageId : migration.toStorageId);
      if (!isMoved && move.uploadId !== null) await storage.parts?.abort(move.toPath, move.uploadId);
      await storage.delete(isMoved ? move.fromPath : move.toPath);
      await life.noteMove(db, move.id, { hasOrphanedCopy: false, uploadId: null });
      return null;
    } catch (error) {
      logFailure("A copy of a file is left behind for now", error, { path: move.fromPath });
      const attempts = move.attempts + 1;
      const givenUp = attempts >= life.MAX_ATTEMPTS;
      await life.noteMove(db, move.id, { attempts, hasOrphanedCopy: !givenUp });
      // A migration that has files left goes on with them first.
      const wait = attempts > 1 && !givenUp;
      return wait ? { kind: "again", seconds: backoffSeconds(attempts, settings.retryBaseSeconds) } : null;
    }
  }

  async #failed(move: FileMoveRow, error: unknown): Promise<Ending | null> {
    const { db, settings, now } = this.#mover;
    const failure = failureOf(error);
    if (isForPeople(error)) {
      await life.noteMove(db, move.id, { errorCode: failure.code, errorMessage: failure.message });
      return { kind: "pause", failure };
    }
    const attempts = move.attempts + 1;
    const isGone = error instanceof CopyError && error.side === "source" && isNotFound(error);
    if (!isGone && attempts < life.MAX_ATTEMPTS) {
      logFailure("A file could not be copied; it is tried again", error, { path: move.fromPath });
      // Parts that the backend does not know any more, or that made a wrong copy, begin anew.
      const anew = isNotFound(error) || error instanceof ChecksumError;
      await life.noteMove(db, move.id, {
        attempts,
        errorCode: failure.code,
        errorMessage: failure.message,
        ...(anew ? { uploadId: null, parts: [] } : {}),
      });
      return { kind: "again", seconds: backoffSeconds(attempts, settings.retryBaseSeconds) };
    }
    await life.failMove(db, move.id, failure, now());
    if (isGone || !(await life.failsInRow(db, this.#claimed.migration.id))) return null;
    return { kind: "pause", failure };
  }

  async #beat(): Promise<void> {
    const { settings, now } = this.#mover;
    const beat = (settings.storageLeaseSeconds * 1000) / BEATS_PER_LEASE;
    if (now() - this.#beatAt >= beat) await this.#extend();
  }

  async #extend(): Promise<void> {
    const { db, settings, now } = this.#mover;
    this.#beatAt = now();
    if (!(await life.extend(db, this.#claimed, settings.storageLeaseSeconds, now()))) throw new LeaseLost();
  }
}

/** Troubles that time does not heal: rights, settings, space. */
function isForPeople(error: unknown): boolean {
  const cause = error instanceof CopyError ? error.cause : error;
  if (cause instanceof VaultError) return true;
  return cause instanceof StorageError && ["denied", "invalid_config", "quota_exceeded"].includes(cause.code);
}

function failureOf(error: unknown): Failure {
  if (error instanceof ChecksumError) return { code: "checksum_mismatch", message: error.message };
  if (!(error instanceof CopyError)) {
    return { code: "storage_unavailable", message: "The storage or the database did not answer." };
  }
  const { cause, side, message } = error;
  const where = side === "source" ? "Where the file is: " : "Where it shall go: ";
  const code: ErrorCode =
    cause instanceof StorageError
      ? STORAGE_CODES[cause.code]
      : cause instanceof VaultError
        ? "secrets_unavailable"
        : "storage_unavailable";
  const isOurs = cause instanceof StorageError || cause instanceof VaultError;
  return { code, message: where + (isOurs ? message : "the storage did not answer.") };
}
