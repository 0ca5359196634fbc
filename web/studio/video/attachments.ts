import { type Signal, signal } from "@preact/signals";
import type { ArContent } from "../../../client/client.ts";
import { createSlots, type Slots } from "../../compile/slots.ts";
import type { VideoPlan, VideoType } from "../../video/plan.ts";
import * as api from "../api/content.ts";
import { messageOf } from "../api/errors.ts";
import { contents } from "../photos/contents.ts";
import { type PreparedVideo, prepareVideo, VideoStopped } from "./prepare.ts";
import { MAX_BYTES_AT_ONCE, refusalOf } from "./video.ts";
import { sentOf, startTransfer, type VideoTransfer } from "./video-transfers.ts";

/** A video that is converted and sent for a photo. It continues while other pages of the studio are shown. */
export interface Attachment {
  readonly contentId: string;
  /** Of the photo. */
  readonly title: string;
  /** Of the video's file. */
  readonly name: string;
  readonly state: Signal<AttachmentState>;
  /** The content with its video; null if the attachment was cancelled or dismissed. */
  readonly finished: Promise<ArContent | null>;
  retry(): void;
  /** Sends the file without converting it. */
  keep(type: VideoType): void;
  dropSound(): void;
  /** Cancels it. Nothing of it stays. */
  dismiss(): void;
}

export type AttachmentState =
  | { readonly kind: "waiting" | "checking" }
  /** `fraction`: 0 to 1. */
  | { readonly kind: "copying" | "converting"; readonly fraction: number }
  | { readonly kind: "sending"; readonly fraction: number; readonly isConverted: boolean }
  /** It is a transfer, which shows its own progress. */
  | { readonly kind: "transferring"; readonly transfer: VideoTransfer; readonly isConverted: boolean }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly isRetryable: boolean;
      /** What the person may do instead; null: nothing. */
      readonly plan: VideoPlan | null;
    };

export const attachments = signal<readonly Attachment[]>([]);

export function attachmentOf(contentId: string): Attachment | undefined {
  return attachments.value.find((attachment) => attachment.contentId === contentId);
}

/** The videos that were chosen together with new photos go one after another. */
export const inTurn = createSlots(1);

const atOnce: Slots = { run: (job) => job() };

/**
 * Converts a video where needed, sends it and attaches it to a photo. A failed one of the same photo is dismissed.
 *
 * @param keptType the type as which the file is sent without a conversion; null: it is checked and converted
 */
export function attachVideo(
  { id, title }: Pick<ArContent, "id" | "title">,
  file: File,
  { turns = atOnce, keptType = null }: { readonly turns?: Slots; readonly keptType?: VideoType | null } = {},
): Attachment {
  attachmentOf(id)?.dismiss();
  const stop = new AbortController();
  const { signal: stopped } = stop;
  const state = signal<AttachmentState>({ kind: "waiting" });
  const finished = Promise.withResolvers<ArContent | null>();

  const leave = (content: ArContent | null) => {
    attachments.value = attachments.value.filter((other) => other !== attachment);
    finished.resolve(content);
  };

  /** Large videos can be paused on the photo's page. */
  const send = async ({ file, type, isChosen }: PreparedVideo): Promise<ArContent | null> => {
    if (file.size > MAX_BYTES_AT_ONCE) {
      const transfer = startTransfer(id, file, { contentType: type, isChosen });
      state.value = { kind: "transferring", transfer, isConverted: !isChosen };
      stopped.addEventListener("abort", transfer.cancel);
      return transfer.finished;
    }
    const typed = file.type === type ? file : new File([file], file.name, { type });
    const onSent = (fraction: number) => {
      state.value = { kind: "sending", fraction, isConverted: !isChosen };
    };
    onSent(0);
    return api.putVideo(id, typed, { onSent, signal: stopped });
  };

  const run = async (prepare: () => Promise<PreparedVideo>) => {
    state.value = { kind: "waiting" };
    try {
      const content = await turns.run(async () => send(await prepare()), stopped);
      if (content) contents.put(content);
      leave(content);
    } catch (error) {
      if (stopped.aborted) return;
      const isStopped = error instanceof VideoStopped;
      const plan = isStopped ? error.plan : null;
      state.value = { kind: "failed", message: messageOf(error), isRetryable: !isStopped, plan };
    }
  };

  const convert = (keepsSound: boolean) =>
    run(async () => {
      const refusal = refusalOf(file);
      if (refusal) throw new VideoStopped(refusal, null);
      state.value = { kind: "checking" };
      const onConverting = (isCopied: boolean, fraction: number) => {
        state.value = { kind: isCopied ? "copying" : "converting", fraction };
      };
      const prepared = await prepareVideo(file, { keepsSound, onConverting, signal: stopped });
      stopped.throwIfAborted();
      return prepared;
    });

  const keep = (type: VideoType) => run(async () => ({ file, type, isChosen: true }));

  let again: () => Promise<void>;
  const begin = (work: () => Promise<void>) => {
    again = work;
    void work();
  };
  const attachment: Attachment = {
    contentId: id,
    title,
    name: file.name,
    state,
    finished: finished.promise,
    retry: () => void again(),
    keep: (type) => begin(() => keep(type)),
    dropSound: () => begin(() => convert(false)),
    dismiss() {
      stop.abort();
      leave(null);
    },
  };
  attachments.value = [...attachments.value, attachment];
  begin(() => (keptType ? keep(keptType) : convert(true)));
  return attachment;
}

/** The part of the progress that a conversion is. */
const CONVERTED = 0.5;

/** Returns how much of an attachment is done, 0 to 1; null: it failed. */
export function doneOf({ state: { value } }: Attachment): number | null {
  const afterConversion = (isConverted: boolean, sent: number) =>
    isConverted ? CONVERTED + (1 - CONVERTED) * sent : sent;
  switch (value.kind) {
    case "waiting":
    case "checking":
      return 0;
    case "copying":
    case "converting":
      return CONVERTED * value.fraction;
    case "sending":
      return afterConversion(value.isConverted, value.fraction);
    case "transferring":
      return afterConversion(value.isConverted, sentOf(value.transfer));
    case "failed":
      return null;
  }
}
