import { useEffect, useState } from "preact/hooks";
import { t } from "../language.ts";
import { byteSize, timeLeft } from "../ui/format.ts";
import { rich } from "../ui/rich.tsx";
import { toastError } from "../ui/toasts.tsx";
import { recall, type UnfinishedUpload } from "./unfinished-uploads.ts";
import {
  discardUnfinished,
  readUnfinished,
  sentOf,
  type TransferState,
  type VideoTransfer,
} from "./video-transfers.ts";
import "./video-transfer.css";

/** The upload of a large video, with its controls. */
export function TransferStatus({ transfer }: { transfer: VideoTransfer }) {
  const state = transfer.state.value;
  if (state.kind === "refused") {
    return (
      <div class="situation bad" role="alert">
        <p>{state.reason}</p>
        <div class="transfer-actions">
          <button type="button" class="button small" onClick={transfer.resume}>
            {t.video.retryUpload}
          </button>
          <button type="button" class="button small" onClick={transfer.dismiss}>
            {t.video.dismiss}
          </button>
        </div>
      </div>
    );
  }
  const fraction = sentOf(transfer);
  const percent = Math.floor(fraction * 100);
  return (
    <div class="situation">
      <div class="progress">
        <div
          class={`progress-track ${state.kind === "paused" ? "paused" : ""}`}
          role="progressbar"
          aria-label={t.video.uploading(transfer.name)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={percent}
          aria-valuetext={t.video.progressValue(wordsOf(state), percent)}
        >
          <div class="progress-fill" style={{ transform: `scaleX(${fraction})` }} />
        </div>
        <p class="progress-text">
          <span>{wordsOf(state)}</span>
          <span class="progress-percent">{t.video.percent(percent)}</span>
        </p>
        <p class="progress-text">
          <span>{amountOf(state, transfer.bytes)}</span>
          <span class="progress-percent">{paceOf(state, transfer.bytes)}</span>
        </p>
      </div>
      {/* Screen readers announce the state only when it changes. */}
      <p class="visually-hidden" role="status">
        {wordsOf(state)}
      </p>
      {state.kind === "paused" && state.reason && <p class="hint warn">{state.reason}</p>}
      <div class="situation-foot">
        <p class="hint">{transfer.name}</p>
        <div class="transfer-actions">
          {state.kind === "sending" && (
            <button type="button" class="button small" onClick={transfer.pause}>
              {t.video.pauseUpload}
            </button>
          )}
          {state.kind === "paused" && (
            <button type="button" class="button small primary" onClick={transfer.resume}>
              {t.video.resumeUpload}
            </button>
          )}
          {state.kind !== "completing" && (
            <button type="button" class="button small" onClick={transfer.cancel}>
              {t.video.cancelUpload}
            </button>
          )}
        </div>
      </div>
    </div>
  );
}

type Shown = Exclude<TransferState, { kind: "refused" }>;

function wordsOf(state: Shown): string {
  const isInterrupted = state.kind === "paused" && state.reason;
  return t.video.steps[isInterrupted ? "interrupted" : state.kind];
}

function amountOf(state: Shown, bytes: number): string {
  const sent = state.kind === "preparing" ? 0 : state.kind === "completing" ? bytes : state.sentBytes;
  return t.video.sent(byteSize(sent), byteSize(bytes));
}

function paceOf(state: Shown, bytes: number): string {
  if (state.kind !== "sending" || state.speed === null) return "";
  return t.video.pace(byteSize(state.speed), timeLeft((bytes - state.sentBytes) / state.speed));
}

/** An upload that this browser started before the page was left. */
export interface Unfinished extends UnfinishedUpload {
  /** The bytes that are stored; null until they are known. */
  readonly sentBytes: number | null;
}

/** Returns the unfinished upload of a content, and a function that discards it. */
export function useUnfinished(
  contentId: string,
  isMoving: boolean,
): [Unfinished | null, () => Promise<void>] {
  const [unfinished, setUnfinished] = useState<Unfinished | null>(null);
  useEffect(() => {
    const found = isMoving ? null : recall(contentId);
    setUnfinished(found && { ...found, sentBytes: null });
    if (!found) return;
    // The upload may have expired, or another tab may have finished or discarded it.
    const stop = new AbortController();
    readUnfinished(contentId, found, stop.signal).then(
      (sentBytes) => setUnfinished(sentBytes === null ? null : { ...found, sentBytes }),
      () => {},
    );
    return () => stop.abort();
  }, [contentId, isMoving]);
  const discard = async () => {
    if (!unfinished) return;
    try {
      await discardUnfinished(contentId, unfinished);
      setUnfinished(null);
    } catch (error) {
      toastError(error);
    }
  };
  return [unfinished, discard];
}

export function UnfinishedStatus(props: {
  unfinished: Unfinished;
  onChoose: () => void;
  onDiscard: () => void;
}) {
  const { name, bytes, sentBytes } = props.unfinished;
  const text =
    sentBytes === null ? t.video.unfinished : t.video.unfinishedAt(byteSize(sentBytes), byteSize(bytes));
  return (
    <div class="situation unfinished">
      <p>{rich(text, { strong: (part) => <strong>{part}</strong>, name: () => name })}</p>
      <div class="transfer-actions">
        <button type="button" class="button small primary" onClick={props.onChoose}>
          {t.video.chooseFile}
        </button>
        <button type="button" class="button small" onClick={props.onDiscard}>
          {t.video.discardUpload}
        </button>
      </div>
    </div>
  );
}
