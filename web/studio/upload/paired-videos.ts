import { type Signal, signal } from "@preact/signals";
import type { ArContent } from "../../../client/client.ts";
import { createSlots } from "../../compile/slots.ts";
import type { VideoPlan, VideoType } from "../../video/plan.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { contents } from "../photos/contents.ts";
import { type PreparedVideo, prepareVideo, VideoStopped } from "../video/prepare.ts";
import { MAX_BYTES_AT_ONCE, refusalOf } from "../video/video.ts";
import { startTransfer } from "../video/video-transfers.ts";

/**
 * The videos that were chosen together with new photos. Once their photo is stored, they are converted and sent one
 * after another.
 */

export interface PairedVideo {
  readonly contentId: string;
  readonly title: string;
  readonly name: string;
  readonly state: Signal<PairedState>;
  retry(): void;
  /** Sends the file without converting it. */
  keep(type: VideoType): void;
  dropSound(): void;
  dismiss(): void;
}

type PairedState =
  | { readonly kind: "waiting" }
  /** The fraction of converting and sending that is done, 0 to 1. */
  | { readonly kind: "running"; readonly fraction: number }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly isRetryable: boolean;
      readonly plan: VideoPlan | null;
    };

export const pairedVideos = signal<readonly PairedVideo[]>([]);

const sending = createSlots(1);

export function attachVideo({ id, title }: ArContent, file: File): void {
  const stop = new AbortController();
  const state = signal<PairedState>({ kind: "waiting" });
  const dismiss = () => {
    stop.abort();
    pairedVideos.value = pairedVideos.value.filter((other) => other !== video);
  };
  const show = (fraction: number) => {
    state.value = { kind: "running", fraction };
  };
  const run = async (prepare: () => Promise<PreparedVideo>) => {
    state.value = { kind: "waiting" };
    try {
      await sending.run(async () => {
        show(0);
        const prepared = await prepare();
        const from = prepared.isChosen ? 0 : CONVERTED;
        const onSent = (sent: number) => show(from + (1 - from) * sent);
        const content = await send(id, prepared, { onSent, signal: stop.signal });
        if (content) contents.put(content);
      }, stop.signal);
      dismiss();
    } catch (error) {
      if (stop.signal.aborted) return;
      const isStopped = error instanceof VideoStopped;
      const plan = isStopped ? error.plan : null;
      state.value = { kind: "failed", message: messageOf(error), isRetryable: !isStopped, plan };
    }
  };
  const convert = (keepsSound: boolean) =>
    run(() => {
      const refusal = refusalOf(file);
      if (refusal) throw new VideoStopped(refusal, null);
      const onConverting = (_isCopied: boolean, fraction: number) => show(CONVERTED * fraction);
      return prepareVideo(file, { keepsSound, onConverting, signal: stop.signal });
    });
  const keep = (type: VideoType) => run(async () => ({ file, type, isChosen: true }));
  let again: () => Promise<void>;
  const begin = (work: () => Promise<void>) => {
    again = work;
    void work();
  };
  const video: PairedVideo = {
    contentId: id,
    title,
    name: file.name,
    state,
    retry: () => void again(),
    keep: (type) => begin(() => keep(type)),
    dropSound: () => begin(() => convert(false)),
    dismiss,
  };
  pairedVideos.value = [...pairedVideos.value, video];
  begin(() => convert(true));
}

/** The part of a video's progress that its conversion is. */
const CONVERTED = 0.5;

/** Sends a video. Large ones are shown on the photo's page, where they can be paused. */
async function send(
  id: string,
  { file, type, isChosen }: PreparedVideo,
  progress: Parameters<typeof api.putVideo>[2],
): Promise<ArContent | null> {
  if (file.size > MAX_BYTES_AT_ONCE) return startTransfer(id, file, { contentType: type, isChosen }).finished;
  const typed = file.type === type ? file : new File([file], file.name, { type });
  return api.putVideo(id, typed, progress);
}
