import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { ProgressBar } from "../photos/status.tsx";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { byteSize, duration } from "../ui/format.ts";
import { IconTrash, IconVideo } from "../ui/icons.tsx";
import { toast } from "../ui/toasts.tsx";
import { PreparationStatus, usePreparation } from "./preparation.tsx";
import type { PreparedVideo } from "./prepare.ts";
import { MAX_BYTES_AT_ONCE, MAX_VIDEO_BYTES, refusalOf, VIDEO_FILES } from "./video.ts";
import { TransferStatus, UnfinishedStatus, useUnfinished } from "./video-transfer.tsx";
import { isSameFile, startTransfer, transferOf } from "./video-transfers.ts";

interface Props {
  content: ArContent;
  onChange: (content: ArContent) => void;
}

interface Upload {
  readonly name: string;
  readonly sent: number;
  readonly stop: AbortController;
}

export function VideoPanel({ content, onChange }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [upload, setUpload] = useState<Upload | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const submits = may("content:submit");
  const transfer = transferOf(content.id);
  const [unfinished, discard] = useUnfinished(content.id, transfer !== undefined);
  useEffect(() => {
    let isShown = true;
    void transfer?.finished.then((changed) => isShown && changed && onChange(changed));
    return () => {
      isShown = false;
    };
  }, [transfer]);

  const preparation = usePreparation((video) => void send(video));
  const { step } = preparation;

  const isPreparing = step !== null && step.kind !== "stopped";

  const attach = async (video: File | undefined) => {
    if (!submits || !video || transfer || running.current || isPreparing) return;
    const refusal = refusalOf(video);
    setError(refusal);
    if (refusal) return;
    if (!unfinished) return preparation.prepare(video);
    if (!(await isSameFile(video, unfinished))) {
      setError(
        `“${video.name}” does not match the unfinished upload. Choose “${unfinished.name}” ` +
          `(${byteSize(unfinished.bytes)}), or discard the upload.`,
      );
      return;
    }
    await send({ file: video, type: unfinished.type, isChosen: true });
  };

  const send = async ({ file, type, isChosen }: PreparedVideo) => {
    if (file.size > MAX_BYTES_AT_ONCE) {
      startTransfer(content.id, file, { contentType: type, isChosen });
      return;
    }
    const video = file.type === type ? file : new File([file], file.name, { type });
    const stop = new AbortController();
    running.current = stop;
    const show = (sent: number) => setUpload({ name: video.name, sent, stop });
    show(0);
    try {
      onChange(await api.putVideo(content.id, video, { onSent: show, signal: stop.signal }));
      toast("Video attached.");
    } catch (reason) {
      if (!stop.signal.aborted) setError(messageOf(reason));
    } finally {
      running.current = null;
      setUpload(null);
    }
  };

  const detach = async () => {
    await api.deleteVideo(content.id);
    onChange(await api.getContent(content.id));
    toast("Video removed.");
    setRemoving(false);
  };

  const choose = () => input.current!.click();
  const isIdle = !upload && !transfer && !unfinished && !isPreparing;
  return (
    <section
      class="panel"
      aria-labelledby="video-title"
      onDrop={(event) => {
        event.preventDefault();
        void attach(event.dataTransfer?.files[0]);
      }}
    >
      <div class="panel-head">
        <h2 id="video-title">Video</h2>
        {content.video_url && isIdle && (
          <div class="panel-actions">
            {submits && (
              <button type="button" class="button small" onClick={choose}>
                Replace video
              </button>
            )}
            {may("content:manage") && (
              <button
                type="button"
                class="icon-button"
                aria-label="Remove video"
                onClick={() => setRemoving(true)}
              >
                <IconTrash />
              </button>
            )}
          </div>
        )}
      </div>
      {content.video_url && !upload && !transfer && !isPreparing && (
        <figure class="video">
          {/* biome-ignore lint/a11y/useMediaCaption: the uploader's own video has no captions to offer */}
          <video key={content.video_url} src={content.video_url} controls preload="metadata" playsInline />
          <figcaption>{videoFacts(content).join(", ")}</figcaption>
        </figure>
      )}
      {!content.video_url && isIdle && !submits && <p class="hint">No video attached.</p>}
      {!content.video_url && isIdle && submits && (
        <button type="button" class="attach" onClick={choose}>
          <IconVideo />
          <span>
            <strong>Attach video</strong>
            MP4, MOV or WebM, up to {byteSize(MAX_VIDEO_BYTES)}
          </span>
        </button>
      )}
      {step && <PreparationStatus {...preparation} step={step} />}
      {transfer && <TransferStatus transfer={transfer} />}
      {unfinished && submits && (
        <UnfinishedStatus
          unfinished={unfinished}
          onChoose={choose}
          onDiscard={() => {
            setError(null);
            void discard();
          }}
        />
      )}
      {upload && (
        <div class="situation">
          <ProgressBar
            view={{
              label: upload.sent < 1 ? "Uploading the video" : "Saving the video",
              fraction: upload.sent,
            }}
            label={`Uploading ${upload.name}`}
          />
          <div class="situation-foot">
            <p class="hint">{upload.name}</p>
            <button type="button" class="button small" onClick={() => upload.stop.abort()}>
              Cancel upload
            </button>
          </div>
        </div>
      )}
      {error && (
        <p class="situation bad" role="alert">
          {error}
        </p>
      )}
      {removing && (
        <ConfirmDialog
          title="Remove the video?"
          action="Remove video"
          isDanger
          work={detach}
          onClose={() => setRemoving(false)}
        >
          The file is deleted. Viewers see no video until you attach another one.
        </ConfirmDialog>
      )}
      {submits && (
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          accept={VIDEO_FILES}
          tabIndex={-1}
          aria-label="Video to attach"
          onChange={({ currentTarget }) => {
            void attach(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
      )}
    </section>
  );
}

/** Returns what people want to know about the attached video. */
function videoFacts({ video_type, video_bytes, video_metadata }: ArContent): string[] {
  const facts = [video_type === "video/webm" ? "WebM" : "MP4", byteSize(video_bytes ?? 0)];
  if (!video_metadata) return facts;
  const { width, height, duration: seconds, has_sound: hasSound } = video_metadata;
  facts.push(`${width} × ${height} px`);
  if (seconds !== null) facts.push(duration(seconds * 1_000));
  if (!hasSound) facts.push("no sound");
  return facts;
}
