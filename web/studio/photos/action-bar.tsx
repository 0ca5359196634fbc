import { useEffect, useState } from "preact/hooks";
import { may } from "../account/me.ts";
import { loadProjects, openProjects, projects } from "../company/projects.ts";
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
        <section class="action-bar" aria-label="Selected photos">
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
  const more = contents.isTotalExact.value ? "" : "+";
  if (loaded !== null) {
    return (
      <>
        <p class="action-count" role="status">
          Selecting {count(loaded)} of {count(total)}
          {more}
        </p>
        <button type="button" class="button small" onClick={selection.clear}>
          Cancel
        </button>
      </>
    );
  }
  return (
    <>
      <p class="action-count" role="status">
        {count(photos.length)} selected
      </p>
      {(photos.length < total || more !== "") && (
        <button type="button" class="button small" onClick={() => void selection.selectAll()}>
          Select all {count(total)}
          {more}
        </button>
      )}
      <div class="action-buttons">
        {may("content:manage") && (
          <>
            <button type="button" class="button small" onClick={() => onOpen("move")}>
              <IconFolder />
              Move
            </button>
            <button
              type="button"
              class="button small"
              onClick={() => void perform({ action: "pause" }, photos)}
            >
              <IconPause />
              Pause
            </button>
            <button
              type="button"
              class="button small"
              onClick={() => void perform({ action: "resume" }, photos)}
            >
              <IconPlay />
              Resume
            </button>
            <button type="button" class="button small" onClick={() => onOpen("expiry")}>
              <IconCalendar />
              Set expiry
            </button>
          </>
        )}
        <button type="button" class="button small" onClick={() => onOpen("qr")}>
          <IconDownload />
          Download QR codes
        </button>
        <button type="button" class="button small" onClick={() => onOpen("print")}>
          <IconPrint />
          Print sheet
        </button>
        {may("content:manage") && may("content:submit") && (
          <button
            type="button"
            class="button small"
            onClick={() => void perform({ action: "recompile" }, photos)}
          >
            <IconRetry />
            Recompile
          </button>
        )}
        {may("content:manage") && (
          <button type="button" class="button small danger-quiet" onClick={() => performDeletion(photos)}>
            <IconTrash />
            Delete
          </button>
        )}
      </div>
      <button type="button" class="icon-button" aria-label="Clear selection" onClick={selection.clear}>
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
      <p class="action-count">
        {count(done)} of {count(total)}
      </p>
      <button type="button" class="button small" onClick={cancel}>
        Cancel
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
  const start = (fields: FormData) =>
    void perform({ action: "move", project_id: String(fields.get("project_id")) }, photos);
  return (
    <ActionDialog title="Move to project" submit="Move photos" start={start} onClose={onClose}>
      <label class="field">
        <span>Project</span>
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
  const start = (fields: FormData) =>
    void perform({ action: "set_expiry", expires_at: endOf(String(fields.get("expires_on"))) }, photos);
  return (
    <ActionDialog title="Set expiry" submit="Set expiry" start={start} onClose={onClose}>
      <label class="field">
        <span>Last day visible to viewers</span>
        <input name="expires_on" type="date" />
        <small>Leave empty for no expiry date.</small>
      </label>
    </ActionDialog>
  );
}

function QrDialog({ photos, onClose }: DialogProps) {
  const start = (fields: FormData) =>
    void downloadQrCodes(photos, fields.get("format") === "png" ? "png" : "svg");
  return (
    <ActionDialog title="Download QR codes" submit="Download QR codes" start={start} onClose={onClose}>
      <fieldset class="choices">
        <legend>Format</legend>
        <label class="choice">
          <input type="radio" name="format" value="svg" defaultChecked />
          <span>
            <strong>SVG</strong>For layouts and any print size
          </span>
        </label>
        <label class="choice">
          <input type="radio" name="format" value="png" />
          <span>
            <strong>PNG</strong>1024 × 1024 px, 85 mm at 300 dpi
          </span>
        </label>
      </fieldset>
      <PhoneWarning address={codeAddress(photos[0])} />
      <p>One ZIP archive. The files have the order number and the title as their name.</p>
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
          Close
        </button>
      </div>
    </Dialog>
  );
}
