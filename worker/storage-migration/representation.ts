import { timestamp } from "../content/representation.ts";
import type { FileMoveRow } from "../db/tables.ts";
import { PLATFORM, type StorageMigration } from "../storage/schemas.ts";
import type { StorageMigrationReport } from "./life.ts";

/** Returns a storage migration as the API shows it. */
export function storageMigrationBody({ migration, progress }: StorageMigrationReport): StorageMigration {
  const { moved, failed, left, current, failures } = progress;
  return {
    id: migration.id,
    to: migration.toStorageId ?? PLATFORM,
    state: migration.state,
    files: { done: moved.files, failed, left: left.files, total: moved.files + failed + left.files },
    bytes: { done: moved.bytes, left: left.bytes },
    current: current && fileBody(current),
    failures: failures.map((move) => ({
      ...fileBody(move),
      error_code: move.errorCode ?? "internal_error",
      error_message: move.errorMessage ?? "",
    })),
    error_code: migration.errorCode ?? current?.errorCode ?? null,
    error_message: migration.errorMessage ?? current?.errorMessage ?? null,
    created_at: new Date(migration.createdAt).toISOString(),
    updated_at: new Date(migration.updatedAt).toISOString(),
    finished_at: timestamp(migration.finishedAt),
  };
}

function fileBody({ contentId, kind, bytes }: FileMoveRow) {
  return { content_id: contentId, kind, bytes };
}
