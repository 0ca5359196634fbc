import { useEffect, useState } from "preact/hooks";
import { may } from "../account/me.ts";
import { loadProjects, openProjects, projects } from "../company/projects.ts";
import { t } from "../language.ts";
import { OpenPrintDialog } from "../print/open-print-dialog.tsx";
import { codeAddress, PhoneWarning } from "../print/phone-warning.tsx";
import { endOf } from "../ui/day.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { count } from "../ui/format.ts";
import {
  IconCalendar,
  IconClose,
  IconDownload,
  IconFolder,
  IconPause,
  IconPlay,
  IconPrint,
  IconRetry,
  IconTrash,
} from "../ui/icons.tsx";
import { downloadQrCodes, failures, perform, performDeletion, running } from "./actions.ts";
import { contents } from "./contents.ts";
import type { QrFormat } from "./qr-archive.ts";
import { type SelectedPhoto, selection } from "./selection.ts";
import "./action-bar.css";

type OpenDialog = "move" | "expiry" | "qr" | "print";

/** The number of selected photos, and the actions on them. Hidden while nothing is selected. */
export function ActionBar() {
  const [open, setOpen] = useState<OpenDialog | null>(null);
  const photos = [...selection.photos.value.values()];
  const close = () => setOpen(null);
  const isShown = photos.length > 0 || selection.loaded.value !== null || running.value !== null;
  return (
    <>
      {isShown && (
        <section class="action-bar" aria-label={t.photos.selection.heading}>
          {running.value ? <Progress /> : <Actions photos={photos} onOpen={setOpen} />}
        </section>
      )}
      {open === "move" && <MoveDialog photos={photos} onClose={close} />}
      {open === "expiry" && <ExpiryDialog photos={photos} onClose={close} />}
      {open === "qr" && <QrDialog photos={photos} onClose={close} />}
      {open === "print" && <OpenPrintDialog photos={photos.map(newest)} onClose={close} />}
      {failures.value && <FailuresDialog />}
    </>
  );
}

/** Returns a photo as the list shows it now: its marker may have become ready since it was selected. */
function newest(photo: SelectedPhoto): SelectedPhoto {
  return contents.items.peek()?.find(({ id }) => id === photo.id) ?? photo;
}

function Actions({
  photos,
  onOpen,
}: {
  photos: readonly SelectedPhoto[];
  onOpen: (dialog: OpenDialog) => void;
}) {
  const loaded = selection.loaded.value;
  const total = contents.total.value;
  const isExact = contents.isTotalExact.value;
  const shownTotal = isExact ? count(total) : t.photos.atLeast(count(total));
  const texts = t.photos.selection;
  if (loaded !== null) {
    return (
      <>
        <p class="action-count" role="status">
          {texts.selecting(count(loaded), shownTotal)}
        </p>
        <button type="button" class="button small" onClick={selection.clear}>
          {t.ui.cancel}
        </button>
      </>
    );
  }
  return (
    <>
      <p class="action-count" role="status">
        {texts.selected(photos.length)}
      </p>
      {(photos.length < total || !isExact) && (
        <button type="button" class="button small" onClick={() => void selection.selectAll()}>
          {texts.selectAll(shownTotal)}
        </button>
      )}
      <div class="action-buttons">
        {may("content:manage") && (
          <>
            <button type="button" class="button small" onClick={() => onOpen("move")}>
              <IconFolder />
              {texts.move}
            </button>
            <button
              type="button"
              class="button small"
              onClick={() => void perform({ action: "pause" }, photos)}
            >
              <IconPause />
              {texts.pause}
            </button>
            <button
              type="button"
              class="button small"
              onClick={() => void perform({ action: "resume" }, photos)}
            >
              <IconPlay />
              {texts.resume}
            </button>
            <button type="button" class="button small" onClick={() => onOpen("expiry")}>
              <IconCalendar />
              {texts.setExpiry}
            </button>
          </>
        )}
        <button type="button" class="button small" onClick={() => onOpen("qr")}>
          <IconDownload />
          {texts.downloadQrCodes}
        </button>
        <button type="button" class="button small" onClick={() => onOpen("print")}>
          <IconPrint />
          {texts.print}
        </button>
        {may("content:manage") && may("content:submit") && (
          <button
            type="button"
            class="button small"
            onClick={() => void perform({ action: "recompile" }, photos)}
          >
            <IconRetry />
            {texts.recompile}
          </button>
        )}
        {may("content:manage") && (
          <button type="button" class="button small danger-quiet" onClick={() => performDeletion(photos)}>
            <IconTrash />
            {texts.delete}
          </button>
        )}
      </div>
      <button type="button" class="icon-button" aria-label={texts.clear} onClick={selection.clear}>
        <IconClose />
      </button>
    </>
  );
}

function Progress() {
  const { label, done, total, cancel } = running.value!;
  return (
    <>
      <p class="action-count" role="status">
        {label}
      </p>
      <progress aria-label={label} value={done} max={total} />
      <p class="action-count">{t.photos.selection.progress(count(done), count(total))}</p>
      <button type="button" class="button small" onClick={cancel}>
        {t.ui.cancel}
      </button>
    </>
  );
}

interface DialogProps {
  readonly photos: readonly SelectedPhoto[];
  readonly onClose: () => void;
}

/** A dialog whose form starts an action. */
function ActionDialog(props: {
  title: string;
  submit: string;
  start: (fields: FormData) => void;
  onClose: () => void;
  children: preact.ComponentChildren;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          props.start(new FormData(event.currentTarget));
          props.onClose();
        }}
      >
        {props.children}
        <DialogActions submit={props.submit} isRunning={false} onClose={props.onClose} />
      </form>
    </Dialog>
  );
}

function MoveDialog({ photos, onClose }: DialogProps) {
  useEffect(() => void loadProjects(), []);
  const texts = t.photos.selection;
  const start = (fields: FormData) =>
    void perform({ action: "move", project_id: String(fields.get("project_id")) }, photos);
  return (
    <ActionDialog title={texts.moveToProject} submit={texts.movePhotos} start={start} onClose={onClose}>
      <label class="field">
        <span>{texts.project}</span>
        <select name="project_id" required>
          {openProjects(projects.value ?? []).map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </ActionDialog>
  );
}

function ExpiryDialog({ photos, onClose }: DialogProps) {
  const texts = t.photos.selection;
  const start = (fields: FormData) =>
    void perform({ action: "set_expiry", expires_at: endOf(String(fields.get("expires_on"))) }, photos);
  return (
    <ActionDialog title={texts.setExpiry} submit={texts.setExpiry} start={start} onClose={onClose}>
      <label class="field">
        <span>{texts.lastDay}</span>
        <input name="expires_on" type="date" />
        <small>{texts.lastDayHint}</small>
      </label>
    </ActionDialog>
  );
}

const QR_FORMATS: readonly QrFormat[] = ["svg", "png"];

function QrDialog({ photos, onClose }: DialogProps) {
  const texts = t.photos.selection;
  const start = (fields: FormData) =>
    void downloadQrCodes(photos, fields.get("format") === "png" ? "png" : "svg");
  return (
    <ActionDialog
      title={texts.downloadQrCodes}
      submit={texts.downloadQrCodes}
      start={start}
      onClose={onClose}
    >
      <fieldset class="choices">
        <legend>{texts.format}</legend>
        {QR_FORMATS.map((format) => (
          <label key={format} class="choice">
            <input type="radio" name="format" value={format} defaultChecked={format === "svg"} />
            <span>
              <strong>{format.toUpperCase()}</strong>
              {texts.formats[format]}
            </span>
          </label>
        ))}
      </fieldset>
      <PhoneWarning address={codeAddress(photos[0])} />
      <p>{texts.archiveHint}</p>
    </ActionDialog>
  );
}

function FailuresDialog() {
  const { title, items } = failures.value!;
  const close = () => {
    failures.value = null;
  };
  return (
    <Dialog title={title} onClose={close}>
      <ul class="failures">
        {items.map(({ id, title, message }) => (
          <li key={id}>
            <strong dir="auto">{title}</strong>
            <span>{message}</span>
          </li>
        ))}
      </ul>
      <div class="dialog-actions">
        <button type="button" class="button primary" autofocus onClick={close}>
          {t.photos.selection.close}
        </button>
      </div>
    </Dialog>
  );
}
