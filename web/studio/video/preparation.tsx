import { useEffect, useRef, useState } from "preact/hooks";
import type { VideoPlan, VideoType } from "../../video/plan.ts";
import { ProgressBar } from "../photos/status.tsx";
import { type PreparedVideo, prepareVideo, VideoStopped } from "./prepare.ts";

/** What is done with a chosen video before it is sent. */
type Step = { readonly file: File } & (
  | { readonly kind: "checking" }
  | { readonly kind: "converting"; readonly isCopied: boolean; readonly fraction: number }
  | { readonly kind: "stopped"; readonly stopped: VideoStopped }
);

export interface Preparation {
  readonly step: Step | null;
  /** Checks a video, converts it where needed, and hands it to `onReady`. */
  prepare(file: File, keepsSound?: boolean): void;
  keep(file: File, type: VideoType): void;
  cancel(): void;
}

/** Prepares one video at a time. Leaving the page cancels. */
export function usePreparation(onReady: (video: PreparedVideo) => void): Preparation {
  const [step, setStep] = useState<Step | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const send = (video: PreparedVideo) => {
    setStep(null);
    onReady(video);
  };

  const prepare = async (file: File, keepsSound = true) => {
    running.current?.abort();
    running.current = new AbortController();
    const { signal } = running.current;
    setStep({ kind: "checking", file });
    const onConverting = (isCopied: boolean, fraction: number) =>
      setStep({ kind: "converting", file, isCopied, fraction });
    try {
      const video = await prepareVideo(file, { keepsSound, onConverting, signal });
      if (!signal.aborted) send(video);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof VideoStopped)) throw error;
      setStep({ kind: "stopped", file, stopped: error });
    }
  };

  return {
    step,
    prepare: (file, keepsSound) => void prepare(file, keepsSound),
    keep: (file, type) => send({ file, type, isChosen: true }),
    cancel() {
      running.current?.abort();
      setStep(null);
    },
  };
}

/** Shows the step, and what the person can do. */
export function PreparationStatus({ step, ...preparation }: Preparation & { readonly step: Step }) {
  const { file } = step;
  if (step.kind === "stopped") {
    const { message, plan } = step.stopped;
    const isOffer = plan !== null && (plan.keptType !== null || plan.obstacle?.track === "sound");
    return (
      <div class={`situation ${isOffer ? "unfinished" : "bad"}`} role="alert">
        <p>
          <strong>{file.name}</strong> is not attached. {message}
        </p>
        {plan?.keptType && (
          <p>You can upload the file as it is. It plays on phones that support its format.</p>
        )}
        <div class="transfer-actions">
          <Alternatives
            plan={plan}
            onKeep={(type) => preparation.keep(file, type)}
            onDropSound={() => preparation.prepare(file, false)}
          />
          <button type="button" class="button small" onClick={preparation.cancel}>
            Dismiss
          </button>
        </div>
      </div>
    );
  }
  const view =
    step.kind === "checking"
      ? { label: "Checking the video", fraction: 0 }
      : { label: step.isCopied ? "Copying the video" : "Converting the video", fraction: step.fraction };
  return (
    <div class="situation">
      <ProgressBar view={view} label={`Preparing ${file.name}`} />
      <div class="situation-foot">
        <p class="hint">{file.name}</p>
        <button type="button" class="button small" onClick={preparation.cancel}>
          {step.kind === "checking" ? "Cancel" : "Cancel conversion"}
        </button>
      </div>
    </div>
  );
}

/** What the person may do with a video that this browser does not convert. */
export function Alternatives({
  plan,
  onKeep,
  onDropSound,
}: {
  readonly plan: VideoPlan | null;
  readonly onKeep: (type: VideoType) => void;
  readonly onDropSound: () => void;
}) {
  const keptType = plan?.keptType;
  return (
    <>
      {keptType && (
        <button type="button" class="button small" onClick={() => onKeep(keptType)}>
          Upload as it is
        </button>
      )}
      {plan?.obstacle?.track === "sound" && (
        <button type="button" class="button small" onClick={onDropSound}>
          Convert without sound
        </button>
      )}
    </>
  );
}
