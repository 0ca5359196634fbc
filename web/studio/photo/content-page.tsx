import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { ArContent, CompileTask } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import type { Quality } from "../../../compiler/quality.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { loadProjects, projects } from "../company/projects.ts";
import { isMoving } from "../photos/content-list.ts";
import { contents } from "../photos/contents.ts";
import { StatusBadge } from "../photos/status.tsx";
import { QualityReport } from "../quality.tsx";
import { useAction } from "../ui/action.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { dateTime, megabytes } from "../ui/format.ts";
import { IconBack, IconEdit, IconTrash } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { NotFound } from "../ui/not-found.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import { jobOf } from "../upload/jobs.ts";
import { VideoPanel } from "../video/video-panel.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { MarkerPanel } from "./marker-panel.tsx";
import { PhotoStage } from "./photo-stage.tsx";
import { SharePanel } from "./share-panel.tsx";
import "./content-page.css";

interface Loaded {
  readonly content: ArContent;
  readonly tasks: readonly CompileTask[];
}

export function ContentPage({ id }: { id: string }) {
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<Error | null>(null);
  // Increased after a change, to load the result at once.
  const [changes, setChanges] = useState(0);
  useTitle(loaded?.content.title ?? "");

  const gone = error instanceof ApiError && error.status === 404;
  useEffect(() => {
    if (gone) return;
    return poll(async (signal) => {
      try {
        const [content, tasks] = await Promise.all([api.getContent(id, signal), api.listTasks(id, signal)]);
        setLoaded({ content, tasks });
        setError(null);
        contents.put(content);
        return isMoving(content);
      } catch (reason) {
        if (!signal.aborted) setError(reason as Error);
        throw reason;
      }
    });
  }, [id, changes, gone]);

  if (gone) return <NotFound what="photo" />;
  if (!loaded) {
    return (
      <div class="notice" aria-busy={!error}>
        {error ? <p>{messageOf(error)}</p> : <Loading />}
      </div>
    );
  }

  const { content, tasks } = loaded;
  const show = (changed: ArContent) => {
    setLoaded({ content: changed, tasks });
    contents.put(changed);
    setChanges((count) => count + 1);
  };
  const quality = content.marker_status === "ready" ? content.marker_metadata?.quality : null;
  return (
    <div class="content-page">
      <a class="back-link" href="/">
        <IconBack />
        All photos
      </a>
      {error && (
        <p class="banner bad" role="status">
          {messageOf(error)}
        </p>
      )}
      <ContentHead content={content} onChange={show} />
      <div class="content-columns">
        <PhotoStage content={content} />
        {quality && <QualityPanel quality={quality} />}
        <div class="panels">
          <MarkerPanel content={content} task={tasks[0] ?? null} job={jobOf(id)} onChange={show} />
          <VideoPanel content={content} onChange={show} />
          <SharePanel content={content} />
        </div>
        <HistoryPanel tasks={tasks} />
      </div>
    </div>
  );
}

function QualityPanel({ quality }: { quality: Quality }) {
  return (
    <section class="panel quality-panel" aria-labelledby="quality-title">
      <h2 id="quality-title">Tracking score</h2>
      <QualityReport quality={quality} />
    </section>
  );
}

function ContentHead({ content, onChange }: { content: ArContent; onChange: (content: ArContent) => void }) {
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="content-head">
      <div>
        <h1>{content.title}</h1>
        {content.description && <p class="description">{content.description}</p>}
        <p class="content-meta">
          <StatusBadge status={content.marker_status} />
          <span>
            {content.image_width} × {content.image_height} px, {megabytes(content.image_bytes)}
          </span>
          <span>Added {dateTime(content.created_at)}</span>
          {content.expires_at && <span>{expiry(content.expires_at)}</span>}
        </p>
      </div>
      {may("content:manage") && (
        <div class="content-actions">
          <button type="button" class="button" onClick={() => setOpen("edit")}>
            <IconEdit />
            Edit photo
          </button>
          <button type="button" class="button danger-quiet" onClick={() => setOpen("delete")}>
            <IconTrash />
            Delete photo
          </button>
        </div>
      )}
      {open === "edit" && <EditDialog content={content} onChange={onChange} onClose={close} />}
      {open === "delete" && <DeleteDialog content={content} onClose={close} />}
    </div>
  );
}

function expiry(at: string): string {
  return Date.parse(at) > Date.now() ? `Shown until ${dateTime(at)}` : `Hidden since ${dateTime(at)}`;
}

function EditDialog(props: {
  content: ArContent;
  onChange: (content: ArContent) => void;
  onClose: () => void;
}) {
  const { run, isRunning, error } = useAction();
  const save = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const title = String(fields.get("title")).trim();
    const description = String(fields.get("description")).trim();
    const project_id = String(fields.get("project_id") ?? props.content.project_id);
    const expires_at = endOf(String(fields.get("expires_on")));
    const change = { title, description, expires_at, ...moved(props.content, project_id) };
    props.onChange(await api.updateContent(props.content.id, change));
    toast("Changes saved.");
    props.onClose();
  };
  return (
    <Dialog title="Edit photo" error={error} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          void run(() => save(form));
        }}
      >
        <label class="field">
          <span>Title</span>
          <input name="title" required maxLength={200} defaultValue={props.content.title} />
        </label>
        <label class="field">
          <span>Description</span>
          <textarea name="description" rows={4} maxLength={2000} defaultValue={props.content.description} />
        </label>
        <ProjectField content={props.content} />
        <label class="field">
          <span>Last day visible to viewers</span>
          <input name="expires_on" type="date" defaultValue={lastDay(props.content.expires_at)} />
          <small>Leave empty for no expiry date.</small>
        </label>
        <DialogActions submit="Save changes" isRunning={isRunning} onClose={props.onClose} />
      </form>
    </Dialog>
  );
}

/** Hidden if there is only one project. */
function ProjectField({ content }: { content: ArContent }) {
  useEffect(() => void loadProjects(), []);
  const choices = (projects.value ?? []).filter(
    ({ id, archived_at }) => archived_at === null || id === content.project_id,
  );
  if (choices.length < 2) return null;
  return (
    <label class="field">
      <span>Project</span>
      <select name="project_id">
        {choices.map(({ id, name }) => (
          <option key={id} value={id} selected={id === content.project_id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Leaves out an unchanged project: the API refuses to move content into an archived one. */
function moved(content: ArContent, projectId: string) {
  return projectId === content.project_id ? {} : { project_id: projectId };
}

/** Returns the end of a day in this browser's time zone, for the API; null for no day. */
function endOf(day: string): string | null {
  return day === "" ? null : new Date(`${day}T23:59:59.999`).toISOString();
}

/** Returns the day in this browser's time zone, for a date field. */
function lastDay(expiresAt: string | null): string {
  if (expiresAt === null) return "";
  const time = new Date(expiresAt);
  const digits = (value: number) => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${digits(time.getMonth() + 1)}-${digits(time.getDate())}`;
}

function DeleteDialog({ content, onClose }: { content: ArContent; onClose: () => void }) {
  const { route } = useLocation();
  return (
    <ConfirmDialog
      title={`Delete “${content.title}”?`}
      action="Delete photo"
      isDanger
      work={async () => {
        jobOf(content.id)?.cancel();
        await api.deleteContent(content.id);
        contents.remove(content.id);
        toast(`“${content.title}” deleted.`);
        route("/");
      }}
      onClose={onClose}
    >
      This deletes the photo, its marker and its video. Printed QR codes stop working. You cannot undo this.
    </ConfirmDialog>
  );
}
