import { useState } from "preact/hooks";
import type { StorageMigration } from "../../../client/client.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { ago, byteSize, count } from "../ui/format.ts";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { IconMove } from "./icons.tsx";

const KINDS: Readonly<Record<string, string>> = {
  image: "photo",
  marker: "marker",
  video: "video",
  thumbnail: "thumbnail",
  picture: "picture",
};

const TITLES: Record<StorageMigration["state"], string> = {
  running: "Moving files to",
  paused: "Paused: moving files to",
  done: "Moved files to",
  cancelled: "Canceled: moving files to",
};

/** The progress of a storage migration and its failures. */
export function MigrationPanel(props: {
  migration: StorageMigration;
  toName: string;
  onChange: () => void;
  onAgain: () => void;
}) {
  const { migration, toName } = props;
  const { state, files, bytes, failures } = migration;
  const [busy, setBusy] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const isFinished = state === "done" || state === "cancelled";
  const fraction = files.total > 0 ? (files.done + files.failed) / files.total : isFinished ? 1 : 0;
  const percent = Math.floor(fraction * 100);
  const words = wordsOf(migration);

  const control = async (action: api.MigrationAction) => {
    setBusy(true);
    try {
      await api.controlMigration(migration.id, action);
      props.onChange();
    } catch (reason) {
      toastError(reason);
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class="panel migration" aria-labelledby="migration-title">
      <div class="migration-head">
        <IconMove />
        <h2 id="migration-title">
          {TITLES[state]} {toName}
        </h2>
        <div class="migration-actions">
          {state === "running" && (
            <button type="button" class="button small" disabled={busy} onClick={() => control("pause")}>
              Pause<span class="visually-hidden"> storage migration</span>
            </button>
          )}
          {state === "paused" && (
            <button
              type="button"
              class="button small primary"
              disabled={busy}
              onClick={() => control("resume")}
            >
              Resume<span class="visually-hidden"> storage migration</span>
            </button>
          )}
          {!isFinished && (
            <button type="button" class="button small" disabled={busy} onClick={() => setCancelling(true)}>
              Cancel<span class="visually-hidden"> storage migration</span>
            </button>
          )}
          {isFinished && files.failed > 0 && (
            <button type="button" class="button small" onClick={props.onAgain}>
              Retry failed files
            </button>
          )}
        </div>
      </div>
      <div class="progress">
        <div
          class={`progress-track ${state === "paused" ? "paused" : ""}`}
          role="progressbar"
          aria-label={`Files moved to ${toName}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent}
          aria-valuetext={`${words}, ${percent}%`}
        >
          <div class="progress-fill" style={{ transform: `scaleX(${fraction})` }} />
        </div>
        <p class="progress-text">
          <span>
            {words}
            {files.failed > 0 && <span class="failed">, {count(files.failed)} failed</span>}
          </span>
          <span class="progress-percent">{percent}%</span>
        </p>
        <p class="progress-text">
          <span>
            {byteSize(bytes.done)}
            {bytes.left > 0 && ` of ${byteSize(bytes.done + bytes.left)}`}
          </span>
          {isFinished && migration.finished_at && <span>{ago(migration.finished_at, Date.now())}</span>}
        </p>
      </div>
      <p class="visually-hidden" role="status">
        {`${TITLES[state]} ${toName}`}
      </p>
      {!isFinished && migration.error_message && <p class="situation bad">{migration.error_message}</p>}
      {failures.length > 0 && (
        <details class="failures">
          <summary>{files.failed === 1 ? "1 failed file" : `${count(files.failed)} failed files`}</summary>
          <ul>
            {failures.map((failure) => (
              <li key={`${failure.content_id} ${failure.kind}`}>
                <a href={`/content/${failure.content_id}`}>
                  The {KINDS[failure.kind] ?? failure.kind} of this photo
                </a>
                : {failure.error_message}
              </li>
            ))}
          </ul>
        </details>
      )}
      {cancelling && (
        <ConfirmDialog
          title="Cancel the storage migration?"
          action="Cancel storage migration"
          cancel="Keep moving files"
          isDanger
          work={async () => {
            await control("cancel");
            setCancelling(false);
          }}
          onClose={() => setCancelling(false)}
        >
          Files that were already moved stay in the new storage. No files are lost.
        </ConfirmDialog>
      )}
    </section>
  );
}

function wordsOf({ files, state }: StorageMigration): string {
  if (files.total === 0) return state === "running" ? "Counting files" : "No files to move";
  return `${count(files.done)} of ${files.total === 1 ? "1 file" : `${count(files.total)} files`}`;
}

/** Asks for confirmation before files are moved. */
export function MigrationDialog(props: {
  to: string;
  toName: string;
  files: number;
  onStarted: () => void;
  onClose: () => void;
}) {
  const files = props.files === 1 ? "1 file" : `${count(props.files)} files`;
  return (
    <ConfirmDialog
      title={`Move files to “${props.toName}”?`}
      action="Move files"
      actionRunning="Testing connection…"
      work={async () => {
        await api.startMigration(props.to);
        props.onStarted();
      }}
      onClose={props.onClose}
    >
      Vivimark moves {files} in the background. It verifies each copy before it deletes the original. Photos
      stay visible, and you can close this page.
    </ConfirmDialog>
  );
}
