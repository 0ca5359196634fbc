/** Why the viewer cannot show the video through the camera. */
export type Problem =
  | "insecure"
  | "unsupported"
  | "denied"
  | "no_camera"
  | "in_use"
  | "camera_failed"
  | "camera_stopped"
  | "offline"
  | "limited"
  | "bad_marker"
  | "player_failed"
  | "player_stopped";

/** An expected failure of the camera, the download or the player. */
export class ViewerError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem, options);
    this.name = "ViewerError";
    this.problem = problem;
  }
}

export interface ProblemText {
  readonly title: string;
  /** What the person can do. */
  readonly advice: string;
  /** False if trying again on this page cannot help. */
  readonly canRetry: boolean;
}

export const PROBLEM_TEXTS: Record<Problem, ProblemText> = {
  insecure: {
    title: "This page is not secure",
    advice:
      "Browsers allow the camera only on https pages. Open this page with an address that starts with https.",
    canRetry: false,
  },
  unsupported: {
    title: "This browser has no camera access",
    advice: "Browsers inside other apps often block the camera. Open this page in Safari, Chrome or Firefox.",
    canRetry: false,
  },
  denied: {
    title: "The camera is blocked",
    advice:
      "Tap the icon next to the address, choose Permissions, and allow the camera. If it is already allowed, check the browser's camera permission in your device settings.",
    canRetry: true,
  },
  no_camera: {
    title: "No camera found",
    advice: "Connect a camera and try again, or open this page on your phone.",
    canRetry: true,
  },
  in_use: {
    title: "The camera is busy",
    advice: "Another app or tab is using it. Close it, then try again.",
    canRetry: true,
  },
  camera_failed: {
    title: "The camera did not start",
    advice: "Try again. If that does not help, restart the browser.",
    canRetry: true,
  },
  camera_stopped: {
    title: "The camera stopped",
    advice: "It was turned off, unplugged or taken over by another app. Reconnect it, then try again.",
    canRetry: true,
  },
  offline: {
    title: "The download failed",
    advice: "Check your connection and try again.",
    canRetry: true,
  },
  limited: {
    title: "Too many requests",
    advice: "Your network has sent too many requests. Try again in a minute.",
    canRetry: true,
  },
  bad_marker: {
    title: "This photo cannot be recognized",
    advice: "Its marker is damaged. Ask the owner to recompile it.",
    canRetry: false,
  },
  player_failed: {
    title: "The player did not start",
    advice: "Reload the page. If that does not help, update this browser or use another one.",
    canRetry: true,
  },
  player_stopped: {
    title: "The player stopped",
    advice: "Try again. If it stops again, reload the page.",
    canRetry: true,
  },
};
