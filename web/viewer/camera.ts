import { type Refusal, Refused } from "./refusals.ts";

const REFUSAL_OF: Record<string, Refusal> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_camera",
  OverconstrainedError: "no_camera",
  NotReadableError: "in_use",
  AbortError: "in_use",
};

/**
 * Asks for the camera that looks away from the person, or for any other where there is none.
 *
 * @throws {Refused} with the reason in the person's terms.
 */
export async function openCamera(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new Refused("insecure");
  if (!navigator.mediaDevices?.getUserMedia) throw new Refused("unsupported");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : "";
    throw new Refused(REFUSAL_OF[name] ?? "camera_failed", { cause });
  }
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
