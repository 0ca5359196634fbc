import { t } from "../language.ts";
import { ProgressBar } from "../photos/status.tsx";
import { rich } from "../ui/rich.tsx";
import type { Attachment, AttachmentState } from "./attachments.ts";

type Failed = Extract<AttachmentState, { kind: "failed" }>;
type Running = Exclude<AttachmentState, Failed>;

/** Shows a video that is being attached, and what the person can do. */
export function AttachmentStatus({ attachment }: { readonly attachment: Attachment }) {
  const state = attachment.state.value;
  if (state.kind === "failed") return <FailedStatus attachment={attachment} state={state} />;
  const isSending = state.kind === "sending";
  return (
    <div class="situation">
      <ProgressBar
        view={{ label: wordsOf(state), fraction: "fraction" in state ? state.fraction : 0 }}
        label={isSending ? t.video.uploading(attachment.name) : t.video.preparing(attachment.name)}
      />
      <div class="situation-foot">
        <p class="hint">{attachment.name}</p>
        <button type="button" class="button small" onClick={attachment.dismiss}>
          {isSending ? t.video.cancelUpload : "fraction" in state ? t.video.cancelConversion : t.ui.cancel}
        </button>
      </div>
    </div>
  );
}

function wordsOf(state: Running): string {
  const { steps } = t.video;
  if (state.kind === "transferring") return steps.preparing;
  if (state.kind === "sending") return state.fraction < 1 ? steps.sending : steps.completing;
  return steps[state.kind];
}

function FailedStatus({ attachment, state }: { readonly attachment: Attachment; readonly state: Failed }) {
  const { name, dismiss } = attachment;
  const { message, plan } = state;
  const isOffer = plan !== null && (plan.keptType !== null || plan.obstacle?.track === "sound");
  return (
    <div class={`situation ${isOffer ? "unfinished" : "bad"}`} role="alert">
      <p>{rich(t.video.notAttached, { name: () => <strong>{name}</strong>, reason: () => message })}</p>
      {plan?.keptType && <p>{t.video.mayUploadAsItIs}</p>}
      <div class="transfer-actions">
        <Alternatives attachment={attachment} state={state} />
        <button type="button" class="button small" onClick={dismiss}>
          {t.video.dismiss}
        </button>
      </div>
    </div>
  );
}

/** What the person may do with a video that is not attached. */
export function Alternatives({
  attachment,
  state: { plan, isRetryable },
}: {
  readonly attachment: Attachment;
  readonly state: Failed;
}) {
  const keptType = plan?.keptType;
  return (
    <>
      {keptType && (
        <button type="button" class="button small" onClick={() => attachment.keep(keptType)}>
          {t.video.uploadAsItIs}
        </button>
      )}
      {plan?.obstacle?.track === "sound" && (
        <button type="button" class="button small" onClick={attachment.dropSound}>
          {t.video.convertWithoutSound}
        </button>
      )}
      {isRetryable && (
        <button type="button" class="button small" onClick={attachment.retry}>
          {t.video.retryUpload}
        </button>
      )}
    </>
  );
}
