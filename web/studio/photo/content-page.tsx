import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { ArContent, CompileTask } from "../../../client/client.ts";
import { ApiError } from "../../../client/client.ts";
import type { Quality } from "../../../compiler/quality.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { t } from "../language.ts";
import { isMoving } from "../photos/content-list.ts";
import { contents } from "../photos/contents.ts";
import { addressOf } from "../photos/filter.ts";
import { StatusBadge } from "../photos/status.tsx";
import { QualityReport } from "../quality.tsx";
import { useAction } from "../ui/action.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { dateTime, megabytes } from "../ui/format.ts";
import { IconBack, IconEdit, IconPause, IconPhoto, IconPlay, IconTrash } from "../ui/icons.tsx";
import { Loading } from "../ui/loading.tsx";
import { NotFound } from "../ui/not-found.tsx";
import { useTitle } from "../ui/title.ts";
import { toast, toastError } from "../ui/toasts.tsx";
import { jobOf } from "../upload/jobs.ts";
import { VideoPanel } from "../video/video-panel.tsx";
import { EditDialog } from "./edit-dialog.tsx";
import { MarkerPanel } from "./marker-panel.tsx";
import { OrderPanel } from "./order-panel.tsx";
import { PhotoStage } from "./photo-stage.tsx";
import { ReplaceDialog } from "./replace-dialog.tsx";
import { SharePanel } from "./share-panel.tsx";
import { TechnicalDetails } from "./technical-details.tsx";
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
  const job = jobOf(id);
  const quality = content.marker_status === "ready" ? content.marker_metadata?.quality : null;
  return (
    <div class="content-page">
      <a class="back-link" href={addressOf(contents.filter.value)}>
        <IconBack />
        {t.photo.allPhotos}
      </a>
      {error && (
        <p class="banner bad" role="status">
          {messageOf(error)}
        </p>
      )}
      <ContentHead content={content} onChange={show} />
      <div class="content-columns">
        <PhotoStage content={content} />
        <div class="panels">
          <MarkerPanel content={content} task={tasks[0] ?? null} job={job} onChange={show} />
          <VideoPanel content={content} onChange={show} />
          <SharePanel content={content} />
          <OrderPanel content={content} />
        </div>
        {quality && <QualityPanel quality={quality} />}
        <TechnicalDetails
          content={content}
          tasks={tasks}
          canRecompile={content.marker_status === "ready" && !job}
          onChange={show}
        />
      </div>
    </div>
  );
}

function QualityPanel({ quality }: { quality: Quality }) {
  return (
    <section class="panel quality-panel" aria-labelledby="quality-title">
      <h2 id="quality-title">{t.photo.trackingScore}</h2>
      <QualityReport quality={quality} />
    </section>
  );
}

function ContentHead({ content, onChange }: { content: ArContent; onChange: (content: ArContent) => void }) {
  const [open, setOpen] = useState<"edit" | "replace" | "delete" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="content-head">
      <div>
        <h1 dir="auto">{content.title}</h1>
        {content.description && (
          <p class="description" dir="auto">
            {content.description}
          </p>
        )}
        <p class="content-meta">
          <StatusBadge status={content.marker_status} />
          {!content.is_active && <span class="badge paused">{t.photo.paused}</span>}
          <span>
            {t.photo.dimensionsAndSize(
              content.image_width,
              content.image_height,
              megabytes(content.image_bytes),
            )}
          </span>
          <span>{t.photo.added(dateTime(content.created_at))}</span>
          {content.expires_at && <span>{expiry(content.expires_at)}</span>}
        </p>
      </div>
      {may("content:manage") && (
        <div class="content-actions">
          <PauseButton content={content} onChange={onChange} />
          <button type="button" class="button" onClick={() => setOpen("edit")}>
            <IconEdit />
            {t.photo.edit.title}
          </button>
          {may("content:submit") && !jobOf(content.id) && (
            <button type="button" class="button" onClick={() => setOpen("replace")}>
              <IconPhoto />
              {t.photo.replace.replace}
            </button>
          )}
          <button type="button" class="button danger-quiet" onClick={() => setOpen("delete")}>
            <IconTrash />
            {t.photo.delete}
          </button>
        </div>
      )}
      {open === "edit" && <EditDialog content={content} onChange={onChange} onClose={close} />}
      {open === "replace" && <ReplaceDialog content={content} onClose={close} />}
      {open === "delete" && <DeleteDialog content={content} onClose={close} />}
    </div>
  );
}

/** Pauses or resumes the photo: viewers do not show a paused one. */
function PauseButton({ content, onChange }: { content: ArContent; onChange: (content: ArContent) => void }) {
  const { run, isRunning } = useAction();
  const { id, is_active } = content;
  const change = async () => {
    try {
      onChange(await api.updateContent(id, { is_active: !is_active }));
      toast(is_active ? t.photo.nowPaused : t.photo.nowResumed);
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <button type="button" class="button" disabled={isRunning} onClick={() => run(change)}>
      {is_active ? <IconPause /> : <IconPlay />}
      {is_active ? t.photo.pause : t.photo.resume}
    </button>
  );
}

function expiry(at: string): string {
  return Date.parse(at) > Date.now() ? t.photo.shownUntil(dateTime(at)) : t.photo.hiddenSince(dateTime(at));
}

function DeleteDialog({ content, onClose }: { content: ArContent; onClose: () => void }) {
  const { route } = useLocation();
  const [keepFiles, setKeepFiles] = useState(true);
  return (
    <ConfirmDialog
      title={t.photo.deleteQuestion(content.title)}
      action={t.photo.delete}
      isDanger
      work={async () => {
        jobOf(content.id)?.cancel();
        await api.deleteContent(content.id, { keepFiles });
        contents.remove(content.id);
        toast(t.photo.deleted(content.title));
        route(addressOf(contents.filter.value));
      }}
      onClose={onClose}
    >
      {t.photo.deleteEffect}
      <label class="delete-choice">
        <input
          type="checkbox"
          checked={!keepFiles}
          onChange={({ currentTarget }) => setKeepFiles(!currentTarget.checked)}
        />
        {t.photo.deleteFilesNow}
      </label>
    </ConfirmDialog>
  );
}
