import { useEffect, useState } from "preact/hooks";
import type { StorageConnection, StorageConnectionReport, StorageUsage } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { ago, byteSize } from "../ui/format.ts";
import { IconEdit, IconTrash } from "../ui/icons.tsx";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { ConnectionDialog } from "./connection-dialog.tsx";
import { GiveUpDialog } from "./give-up-dialog.tsx";
import { IconBucket, IconDisk, IconHome, IconMove } from "./icons.tsx";
import { TestReport } from "./test-report.tsx";
import { corsRule, tryUpload } from "./upload-trial.ts";

/** A storage connection: its place, its files and its last test. */
export function ConnectionCard(props: {
  connection: StorageConnection;
  /** The company's files in all storages. */
  all: { readonly count: number; readonly bytes: number };
  isMoving: boolean;
  onChange: () => void;
  onMove: () => void;
}) {
  const { connection, all } = props;
  const [open, setOpen] = useState<"edit" | "delete" | "use" | "give-up" | "remove-files" | null>(null);
  const [report, setReport] = useState<StorageConnectionReport | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [testing, setTesting] = useState(false);
  const [allowing, setAllowing] = useState(false);
  const [isRuleMissing, setMissingRule] = useState(false);
  const usage = useUsage(connection);
  const close = () => setOpen(null);
  const changed = () => {
    close();
    props.onChange();
  };

  const test = async () => {
    setTesting(true);
    setReport(null);
    setError(null);
    try {
      setReport(await api.testConnection(connection.id));
      props.onChange();
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setTesting(false);
    }
  };

  const allowUploads = async () => {
    setError(null);
    setMissingRule(false);
    setAllowing(true);
    try {
      const refusal = await api.allowUploads(connection.id).then(() => null, messageOf);
      // A server that keeps its CORS rules to itself may allow uploads all the same.
      if (refusal !== null && !(await tryUpload(connection.id))) {
        setError(refusal);
        setMissingRule(true);
        return;
      }
      toast(t.storage.uploadsAllowed(connection.name));
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setAllowing(false);
    }
  };

  const elsewhere = all.count - connection.files.count;
  const titleId = `storage-${connection.id}`;
  return (
    <article class={`panel connection ${connection.is_current ? "current" : ""}`} aria-labelledby={titleId}>
      <div class="connection-head">
        <span class="connection-icon">{iconOf(connection)}</span>
        <div class="connection-name">
          <h2 id={titleId} dir="auto">
            {connection.name}
          </h2>
          <p class="hint">{placeOf(connection)}</p>
        </div>
        {connection.is_current && <span class="badge ready">{t.storage.inUse}</span>}
      </div>

      <Bar
        words={filesText(connection.files)}
        aside={
          connection.files.bytes > 0
            ? t.storage.shareOfData(percentOf(connection.files.bytes, all.bytes))
            : ""
        }
        fraction={all.bytes > 0 ? connection.files.bytes / all.bytes : 0}
      />
      <Quota usage={usage.usage} />
      {usage.error && <p class="hint warn">{usage.error}</p>}

      {connection.settings_error && <p class="situation bad">{connection.settings_error}</p>}
      {!report && connection.last_test_at && (
        <p class={connection.last_test_error ? "situation bad" : "hint"}>
          {connection.last_test_error ?? t.storage.lastTestPassed(ago(connection.last_test_at, Date.now()))}
        </p>
      )}
      {report && <TestReport report={report} />}
      {error && (
        <p class="situation bad" role="alert">
          {error}
        </p>
      )}

      {isRuleMissing && (
        <div class="missing-rule">
          <p>{t.storage.ruleMissing}</p>
          <pre>{corsRule(location.origin)}</pre>
        </div>
      )}

      {connection.given_up_at && <p class="hint warn">{t.storage.givenUp}</p>}

      {connection.deleted_files.count > 0 && (
        <div class="deleted-files">
          <p class="hint">{t.storage.deletedFiles(filesText(connection.deleted_files))}</p>
          {may("storage:manage") && (
            <button type="button" class="button small" onClick={() => setOpen("remove-files")}>
              {t.storage.removeNow}
            </button>
          )}
        </div>
      )}

      {connection.is_current && elsewhere > 0 && !props.isMoving && (
        <div class="elsewhere">
          <p>{t.storage.elsewhere(elsewhere)}</p>
          <button type="button" class="button small" onClick={props.onMove}>
            <IconMove />
            {t.storage.migration.moveHere}
          </button>
        </div>
      )}

      <div class="connection-foot">
        <button
          type="button"
          class="button small"
          aria-label={testing ? t.storage.testingConnection : t.storage.testConnection}
          disabled={testing}
          onClick={test}
        >
          {testing ? t.storage.testing : t.storage.test}
        </button>
        {!connection.is_current && (
          <button type="button" class="button small" onClick={() => setOpen("use")}>
            {t.storage.useForNewFiles}
          </button>
        )}
        {connection.provider === "s3" && !connection.last_test_error && !connection.given_up_at && (
          <button type="button" class="button small" disabled={allowing} onClick={allowUploads}>
            {allowing ? t.storage.allowingUploads : t.storage.allowUploads}
          </button>
        )}
        {may("storage:give-up") &&
          connection.last_test_error &&
          connection.files.count > 0 &&
          !connection.given_up_at && (
            <button type="button" class="button small danger-quiet" onClick={() => setOpen("give-up")}>
              {t.storage.giveUp.action}
            </button>
          )}
        {!connection.built_in && (
          <span class="connection-tools">
            <button
              type="button"
              class="icon-button"
              aria-label={t.storage.editOne(connection.name)}
              onClick={() => setOpen("edit")}
            >
              <IconEdit />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label={t.storage.deleteOne(connection.name)}
              onClick={() => setOpen("delete")}
            >
              <IconTrash />
            </button>
          </span>
        )}
      </div>

      {open === "edit" && <ConnectionDialog saved={connection} onSaved={changed} onClose={close} />}
      {open === "delete" && (
        <ConfirmDialog
          title={t.storage.deleteQuestion(connection.name)}
          action={t.storage.delete}
          isDanger
          work={async () => {
            await api.deleteConnection(connection.id);
            toast(t.storage.deleted(connection.name));
            changed();
          }}
          onClose={close}
        >
          {t.storage.deleteEffect}
        </ConfirmDialog>
      )}
      {open === "remove-files" && (
        <ConfirmDialog
          title={t.storage.removeQuestion(connection.name)}
          action={t.storage.remove}
          isDanger
          work={async () => {
            await api.removeDeletedFiles(connection.id);
            toast(t.storage.removing);
            changed();
          }}
          onClose={close}
        >
          {t.storage.removeEffect(connection.deleted_files.count, byteSize(connection.deleted_files.bytes))}
        </ConfirmDialog>
      )}
      {open === "give-up" && <GiveUpDialog connection={connection} onGivenUp={changed} onClose={close} />}
      {open === "use" && (
        <UseDialog connection={connection} held={all.count} onUsed={changed} onClose={close} />
      )}
    </article>
  );
}

function iconOf({ provider }: StorageConnection) {
  if (provider === "r2") return <IconHome />;
  return provider === "s3" ? <IconBucket /> : <IconDisk />;
}

function placeOf({ provider, settings }: StorageConnection): string {
  const name = t.storage.providers[provider];
  if (provider === "r2" || !settings) return name;
  if (provider === "yandex_disk") return `${name}, ${settings.root}`;
  const folder = settings.prefix ? `/${settings.prefix}` : "";
  const host = URL.parse(String(settings.endpoint))?.host ?? settings.endpoint;
  return `${host}, ${settings.bucket}${folder}`;
}

function filesText({ count: files, bytes }: StorageConnection["files"]): string {
  return files === 0 ? t.storage.noFiles : t.storage.files(files, byteSize(bytes));
}

function percentOf(part: number, whole: number): string {
  const percent = (100 * part) / whole;
  return percent > 0 && percent < 1 ? t.storage.lessThanOnePercent : t.storage.percent(Math.round(percent));
}

/** The text contains everything; screen readers skip the bar. */
function Bar(props: { words: string; aside: string; fraction: number }) {
  const fraction = Math.min(1, Math.max(0, props.fraction));
  return (
    <div class="progress">
      <div class="progress-track" aria-hidden="true">
        <div class="progress-fill" style={{ transform: `scaleX(${fraction})` }} />
      </div>
      <p class="progress-text">
        <span>{props.words}</span>
        <span class="progress-percent">{props.aside}</span>
      </p>
    </div>
  );
}

/** The quota of the whole storage, if the provider reports it. */
function Quota({ usage }: { usage: StorageUsage | null }) {
  if (!usage?.quota) return null;
  const { used_bytes: used, total_bytes: total } = usage.quota;
  if (total === null) return <p class="hint">{t.storage.usedInTotal(byteSize(used))}</p>;
  const aside = t.storage.free(byteSize(Math.max(0, total - used)));
  const words = t.storage.usedOf(byteSize(used), byteSize(total));
  return <Bar words={words} aside={aside} fraction={used / total} />;
}

/** Returns the last measured usage, then the current one. */
function useUsage({ id, usage, updated_at }: StorageConnection) {
  const [measured, setMeasured] = useState<StorageUsage | null>(usage);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    api.getUsage(id, stop.signal).then(
      (answer) => setMeasured(answer.usage),
      (reason) => !stop.signal.aborted && setError(messageOf(reason)),
    );
    return () => stop.abort();
  }, [id, updated_at]);
  return { usage: measured, error };
}

function UseDialog(props: {
  connection: StorageConnection;
  held: number;
  onUsed: () => void;
  onClose: () => void;
}) {
  const { id, name } = props.connection;
  return (
    <ConfirmDialog
      title={t.storage.useQuestion(name)}
      action={t.storage.use}
      actionRunning={t.storage.testingConnection}
      work={async () => {
        await api.useConnection(id);
        toast(t.storage.used(name));
        props.onUsed();
      }}
      onClose={props.onClose}
    >
      {t.storage.useAdvice}
      {props.held > 0 && ` ${t.storage.existingFiles}`}
    </ConfirmDialog>
  );
}
