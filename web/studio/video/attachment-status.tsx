import { ProgressBar } from "../photos/status.tsx";
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
        label={`${isSending ? "Uploading" : "Preparing"} ${attachment.name}`}
      />
      <div class="situation-foot">
        <p class="hint">{attachment.name}</p>
        <button type="button" class="button small" onClick={attachment.dismiss}>
          {isSending ? "Cancel upload" : "fraction" in state ? "Cancel conversion" : "Cancel"}
        </button>
      </div>
    </div>
  );
}

function wordsOf(state: Running): string {
  switch (state.kind) {
    case "waiting":
      return "Waiting";
    case "checking":
      return "Checking the video";
    case "copying":
      return "Copying the video";
    case "converting":
      return "Converting the video";
    case "sending":
      return state.fraction < 1 ? "Uploading the video" : "Saving the video";
    case "transferring":
      return "Preparing the upload";
  }
}

function FailedStatus({ attachment, state }: { readonly attachment: Attachment; readonly state: Failed }) {
  const { name, dismiss } = attachment;
  const { message, plan } = state;
  const isOffer = plan !== null && (plan.keptType !== null || plan.obstacle?.track === "sound");
  return (
    <div class={`situation ${isOffer ? "unfinished" : "bad"}`} role="alert">
      <p>
        <strong>{name}</strong> is not attached. {message}
      </p>
      {plan?.keptType && <p>You can upload the file as it is. It plays on phones that support its format.</p>}
      <div class="transfer-actions">
        <Alternatives attachment={attachment} state={state} />
        <button type="button" class="button small" onClick={dismiss}>
          Dismiss
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
          Upload as it is
        </button>
      )}
      {plan?.obstacle?.track === "sound" && (
        <button type="button" class="button small" onClick={attachment.dropSound}>
          Convert without sound
        </button>
      )}
      {isRetryable && (
        <button type="button" class="button small" onClick={attachment.retry}>
          Retry upload
        </button>
      )}
    </>
  );
}
