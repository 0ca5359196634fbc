import { type Problem, ViewerError } from "./problems.ts";

const PROBLEM_BY_EXCEPTION: Record<string, Problem> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_camera",
  OverconstrainedError: "no_camera",
  NotReadableError: "in_use",
  AbortError: "in_use",
};

/**
 * Opens the rear camera, or any other camera if the device has no rear one.
 *
 * @throws {ViewerError} if the camera cannot be opened.
 */
export async function openCamera(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new ViewerError("insecure");
  if (!navigator.mediaDevices?.getUserMedia) throw new ViewerError("unsupported");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : "";
    throw new ViewerError(PROBLEM_BY_EXCEPTION[name] ?? "camera_failed", { cause });
  }
}

export function closeCamera(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
