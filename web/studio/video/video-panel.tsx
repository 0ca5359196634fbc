import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import * as api from "../api/content.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { byteSize, duration } from "../ui/format.ts";
import { IconTrash, IconVideo } from "../ui/icons.tsx";
import { toast } from "../ui/toasts.tsx";
import { AttachmentStatus } from "./attachment-status.tsx";
import { attachmentOf, attachVideo } from "./attachments.ts";
import { visibleShare } from "./placement.ts";
import { PlaybackDialog } from "./playback-dialog.tsx";
import { MAX_VIDEO_BYTES, VIDEO_FILES } from "./video.ts";
import { TransferStatus, UnfinishedStatus, useUnfinished } from "./video-transfer.tsx";
import { isSameFile, transferOf } from "./video-transfers.ts";

interface Props {
  content: ArContent;
  onChange: (content: ArContent) => void;
}

export function VideoPanel({ content, onChange }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [error, setError] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const [adjusting, setAdjusting] = useState(false);

  const submits = may("content:submit");
  const transfer = transferOf(content.id);
  const attachment = attachmentOf(content.id);
  const isAttaching = attachment !== undefined && attachment.state.value.kind !== "failed";
  const [unfinished, discard] = useUnfinished(content.id, transfer !== undefined);
  useEffect(() => {
    let isShown = true;
    void attachment?.finished.then((changed) => isShown && changed && onChange(changed));
    return () => {
      isShown = false;
    };
  }, [attachment]);

  const attach = async (video: File | undefined) => {
    if (!submits || !video || transfer || isAttaching) return;
    setError(null);
    if (unfinished && !(await isSameFile(video, unfinished))) {
      setError(t.video.differentFile(video.name, unfinished.name, byteSize(unfinished.bytes)));
      return;
    }
    const { finished } = attachVideo(content, video, { keptType: unfinished?.type });
    if (await finished) toast(t.video.attached);
  };

  const detach = async () => {
    await api.deleteVideo(content.id);
    onChange(await api.getContent(content.id));
    toast(t.video.removed);
    setRemoving(false);
  };

  const choose = () => input.current!.click();
  const isIdle = !transfer && !unfinished && !isAttaching;
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
        <h2 id="video-title">{t.video.heading}</h2>
        {content.video_url && isIdle && (
          <div class="panel-actions">
            {submits && (
              <button type="button" class="button small" onClick={choose}>
                {t.video.replace}
              </button>
            )}
            {may("content:manage") && (
              <button
                type="button"
                class="icon-button"
                aria-label={t.video.remove}
                onClick={() => setRemoving(true)}
              >
                <IconTrash />
              </button>
            )}
          </div>
        )}
      </div>
      {content.video_url && !transfer && !isAttaching && (
        <figure class="video">
          {/* biome-ignore lint/a11y/useMediaCaption: the uploader's own video has no captions to offer */}
          <video key={content.video_url} src={content.video_url} controls preload="metadata" playsInline />
          <figcaption>{videoFacts(content).join(", ")}</figcaption>
          {submits && (
            <>
              <CropWarning content={content} />
              <button type="button" class="button small" onClick={() => setAdjusting(true)}>
                {t.video.adjust}
              </button>
            </>
          )}
        </figure>
      )}
      {!content.video_url && isIdle && !submits && <p class="hint">{t.video.none}</p>}
      {!content.video_url && isIdle && submits && (
        <button type="button" class="attach" onClick={choose}>
          <IconVideo />
          <span>
            <strong>{t.video.attach}</strong>
            {t.video.formats(byteSize(MAX_VIDEO_BYTES))}
          </span>
        </button>
      )}
      {transfer && <TransferStatus transfer={transfer} />}
      {attachment && !transfer && <AttachmentStatus attachment={attachment} />}
      {unfinished && submits && !isAttaching && (
        <UnfinishedStatus
          unfinished={unfinished}
          onChoose={choose}
          onDiscard={() => {
            setError(null);
            void discard();
          }}
        />
      )}
      {error && (
        <p class="situation bad" role="alert">
          {error}
        </p>
      )}
      {adjusting && (
        <PlaybackDialog content={content} onChange={onChange} onClose={() => setAdjusting(false)} />
      )}
      {removing && (
        <ConfirmDialog
          title={t.video.removeTitle}
          action={t.video.remove}
          isDanger
          work={detach}
          onClose={() => setRemoving(false)}
        >
          {t.video.removeEffect}
        </ConfirmDialog>
      )}
      {submits && (
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          accept={VIDEO_FILES}
          tabIndex={-1}
          aria-label={t.video.toAttach}
          onChange={({ currentTarget }) => {
            void attach(currentTarget.files?.[0]);
            currentTarget.value = "";
          }}
        />
      )}
    </section>
  );
}

/** Less is not worth a warning. */
const WARNED_SHARE = 0.9;

/** Says how much of a video is cut off, until the person chooses how it plays. */
function CropWarning({ content }: { content: ArContent }) {
  const {
    image_width: width,
    image_height: height,
    video_metadata: video,
    video_playback: playback,
  } = content;
  const share = video && !playback ? visibleShare({ width, height }, video) : 1;
  if (share > WARNED_SHARE) return null;
  return <p class="hint warn">{t.video.cropped(Math.round(100 * share))}</p>;
}

/** Returns what people want to know about the attached video. */
function videoFacts({ video_type, video_bytes, video_metadata, video_playback }: ArContent): string[] {
  const texts = t.video.facts;
  const facts = [video_type === "video/webm" ? "WebM" : "MP4", byteSize(video_bytes ?? 0)];
  const { start = 0, end = null, is_muted: isMuted = false } = video_playback ?? {};
  if (start > 0 || end !== null) facts.push(texts.trimmed);
  if (isMuted) facts.push(texts.muted);
  if (!video_metadata) return facts;
  const { width, height, duration: seconds, has_sound: hasSound } = video_metadata;
  facts.push(texts.size(width, height));
  if (seconds !== null) facts.push(duration(seconds * 1_000));
  if (!hasSound) facts.push(texts.noSound);
  return facts;
}
