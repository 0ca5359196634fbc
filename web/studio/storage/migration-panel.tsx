import { useState } from "preact/hooks";
import type { StorageMigration } from "../../../client/client.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { ago, byteSize, count } from "../ui/format.ts";
import { rich } from "../ui/rich.tsx";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { IconMove } from "./icons.tsx";

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
  const texts = t.storage.migration;
  const title = texts.titles[state](toName);
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
        <h2 id="migration-title">{title}</h2>
        <div class="migration-actions">
          {state === "running" && (
            <button
              type="button"
              class="button small"
              aria-label={texts.pauseMigration}
              disabled={busy}
              onClick={() => control("pause")}
            >
              {texts.pause}
            </button>
          )}
          {state === "paused" && (
            <button
              type="button"
              class="button small primary"
              aria-label={texts.resumeMigration}
              disabled={busy}
              onClick={() => control("resume")}
            >
              {texts.resume}
            </button>
          )}
          {!isFinished && (
            <button
              type="button"
              class="button small"
              aria-label={texts.cancelMigration}
              disabled={busy}
              onClick={() => setCancelling(true)}
            >
              {texts.cancel}
            </button>
          )}
          {isFinished && files.failed > 0 && (
            <button type="button" class="button small" onClick={props.onAgain}>
              {texts.retry}
            </button>
          )}
        </div>
      </div>
      <div class="progress">
        <div
          class={`progress-track ${state === "paused" ? "paused" : ""}`}
          role="progressbar"
          aria-label={texts.progress(toName)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent}
          aria-valuetext={texts.progressValue(words, percent)}
        >
          <div class="progress-fill" style={{ transform: `scaleX(${fraction})` }} />
        </div>
        <p class="progress-text">
          <span>
            {files.failed > 0
              ? rich(texts.filesAndFailed(words, count(files.failed)), {
                  failed: (part) => <span class="failed">{part}</span>,
                })
              : words}
          </span>
          <span class="progress-percent">{t.storage.percent(percent)}</span>
        </p>
        <p class="progress-text">
          <span>
            {bytes.left > 0
              ? texts.bytes(byteSize(bytes.done), byteSize(bytes.done + bytes.left))
              : byteSize(bytes.done)}
          </span>
          {isFinished && migration.finished_at && <span>{ago(migration.finished_at, Date.now())}</span>}
        </p>
      </div>
      <p class="visually-hidden" role="status">
        {title}
      </p>
      {!isFinished && migration.error_message && <p class="situation bad">{migration.error_message}</p>}
      {failures.length > 0 && (
        <details class="failures">
          <summary>{texts.failedFiles(files.failed)}</summary>
          <ul>
            {failures.map((failure) => (
              <li key={`${failure.content_id} ${failure.kind}`}>
                {rich(texts.failure, {
                  file: () => <a href={`/content/${failure.content_id}`}>{texts.failedFile[failure.kind]}</a>,
                  error: () => failure.error_message,
                })}
              </li>
            ))}
          </ul>
        </details>
      )}
      {cancelling && (
        <ConfirmDialog
          title={texts.cancelQuestion}
          action={texts.cancelMigration}
          cancel={texts.keepMoving}
          isDanger
          work={async () => {
            await control("cancel");
            setCancelling(false);
          }}
          onClose={() => setCancelling(false)}
        >
          {texts.cancelEffect}
        </ConfirmDialog>
      )}
    </section>
  );
}

function wordsOf({ files, state }: StorageMigration): string {
  const texts = t.storage.migration;
  if (files.total === 0) return state === "running" ? texts.counting : texts.nothing;
  return texts.files(count(files.done), files.total);
}

/** Asks for confirmation before files are moved. */
export function MigrationDialog(props: {
  to: string;
  toName: string;
  files: number;
  onStarted: () => void;
  onClose: () => void;
}) {
  const texts = t.storage.migration;
  return (
    <ConfirmDialog
      title={texts.moveQuestion(props.toName)}
      action={texts.move}
      actionRunning={t.storage.testingConnection}
      work={async () => {
        await api.startMigration(props.to);
        props.onStarted();
      }}
      onClose={props.onClose}
    >
      {texts.moveEffect(props.files)}
    </ConfirmDialog>
  );
}
