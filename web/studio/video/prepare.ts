import { convertVideo, inspectVideo, UnreadableVideo } from "../../video/convert.ts";
import type { VideoPlan, VideoType } from "../../video/plan.ts";
import { t } from "../language.ts";
import { failureText, obstacleText } from "./video.ts";

/** A video that can be sent. */
export interface PreparedVideo {
  readonly file: File;
  readonly type: VideoType;
  /** Whether it is the chosen file itself. */
  readonly isChosen: boolean;
}

/** Why a video is not sent, and what the person may do instead. */
export class VideoStopped extends Error {
  override readonly name = "VideoStopped";
  /** Null: nothing. */
  readonly plan: VideoPlan | null;

  constructor(reason: string, plan: VideoPlan | null) {
    super(reason);
    this.plan = plan;
  }
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** Default: true. */
  readonly keepsSound?: boolean;
  /** @param isCopied whether the frames are copied, which is quick @param fraction 0 to 1 */
  readonly onConverting: (isCopied: boolean, fraction: number) => void;
}

/**
 * Checks a video and converts it where phones would not play it.
 *
 * @throws VideoStopped; the reason of the signal
 */
export async function prepareVideo(
  file: File,
  { signal, keepsSound = true, onConverting }: PrepareOptions,
): Promise<PreparedVideo> {
  // Where no worker starts, the API still checks the file.
  let plan = planOfType(file);
  try {
    plan = await inspectVideo(file, { signal });
    const { step, obstacle, keptType } = plan;
    if (obstacle && (keepsSound || obstacle.track !== "sound")) {
      throw new VideoStopped(obstacleText(obstacle), plan);
    }
    if (step === "keep" && keptType) return { file, type: keptType, isChosen: true };
    const onProgress = (fraction: number) => onConverting(step === "remux", fraction);
    onProgress(0);
    const converted = await convertVideo(file, { keepsSound, onProgress, signal });
    return { file: converted, type: "video/mp4", isChosen: false };
  } catch (error) {
    if (signal.aborted || error instanceof VideoStopped) throw error;
    if (error instanceof UnreadableVideo) throw new VideoStopped(t.video.unreadable[error.reason], null);
    throw new VideoStopped(t.video.conversionFailed(failureText(error)), plan);
  }
}

function planOfType({ type }: File): VideoPlan | null {
  if (type !== "video/mp4" && type !== "video/webm") return null;
  return { step: "keep", obstacle: null, keptType: type };
}
