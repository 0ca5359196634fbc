import { type Signal, signal } from "@preact/signals";
import type { ArContent, VideoUpload } from "../../../client/client.ts";
import { createSlots } from "../../compile/slots.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { contents } from "../photos/contents.ts";
import { MAX_BYTES_AT_ONCE } from "../video/video.ts";
import { startTransfer } from "../video/video-transfers.ts";

/** The videos that were chosen together with new photos. They are sent one after another once their photo is stored. */

export interface PairedVideo {
  readonly contentId: string;
  readonly title: string;
  readonly name: string;
  readonly state: Signal<PairedState>;
  retry(): void;
  dismiss(): void;
}

type PairedState =
  | { readonly kind: "waiting" }
  /** The fraction that has been sent, 0 to 1. */
  | { readonly kind: "sending"; readonly sent: number }
  | { readonly kind: "failed"; readonly message: string };

export const pairedVideos = signal<readonly PairedVideo[]>([]);

const sending = createSlots(1);

export function attachVideo({ id, title }: ArContent, file: File): void {
  const stop = new AbortController();
  const state = signal<PairedState>({ kind: "waiting" });
  const dismiss = () => {
    stop.abort();
    pairedVideos.value = pairedVideos.value.filter((other) => other !== video);
  };
  const run = async () => {
    state.value = { kind: "waiting" };
    try {
      await sending.run(async () => {
        const onSent = (sent: number) => {
          state.value = { kind: "sending", sent };
        };
        onSent(0);
        const content = await send(id, file, { onSent, signal: stop.signal });
        if (content) contents.put(content);
      }, stop.signal);
      dismiss();
    } catch (error) {
      if (!stop.signal.aborted) state.value = { kind: "failed", message: messageOf(error) };
    }
  };
  const video: PairedVideo = {
    contentId: id,
    title,
    name: file.name,
    state,
    retry: () => void run(),
    dismiss,
  };
  pairedVideos.value = [...pairedVideos.value, video];
  void run();
}

/** Sends a video. Large ones are shown on the photo's page, where they can be paused. */
async function send(
  id: string,
  file: File,
  progress: Parameters<typeof api.putVideo>[2],
): Promise<ArContent | null> {
  const type: VideoUpload["content_type"] = /webm/i.test(file.type || file.name) ? "video/webm" : "video/mp4";
  if (file.size > MAX_BYTES_AT_ONCE) return startTransfer(id, file, type).finished;
  const typed = file.type === type ? file : new File([file], file.name, { type });
  return api.putVideo(id, typed, progress);
}
