import { convert, inspect, UnreadableFile } from "./conversion.ts";
import { ConversionFailed, type VideoProblem } from "./problem.ts";
import type { VideoReply, VideoRequest } from "./protocol.ts";

/** The Web Worker that inspects a video or converts it. It ends with its last reply. */

const answer = (reply: VideoReply, transfer: Transferable[] = []) => postMessage(reply, { transfer });

self.onmessage = async ({ data: request }: MessageEvent<VideoRequest>) => {
  try {
    if (request.kind === "inspect") {
      answer({ kind: "inspected", plan: await inspect(request.file) });
    } else {
      const { file, keepsSound } = request;
      const onProgress = (fraction: number) => answer({ kind: "progress", fraction });
      const bytes = await convert(file, { keepsSound, onProgress });
      answer({ kind: "converted", bytes }, [bytes]);
    }
  } catch (error) {
    if (error instanceof UnreadableFile) answer({ kind: "unreadable", reason: error.reason });
    else answer({ kind: "failed", problem: problemOf(error) });
  }
};

function problemOf(error: unknown): VideoProblem {
  if (error instanceof ConversionFailed) return error.problem;
  return { kind: "other", message: error instanceof Error ? error.message : String(error) };
}
