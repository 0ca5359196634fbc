/** Why the living picture cannot be shown through the camera, and what a person can do about it. */
export type Refusal =
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
  | "no_webgl"
  | "player_stopped";

export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal, options);
    this.name = "Refused";
    this.refusal = refusal;
  }
}

export interface Advice {
  readonly title: string;
  readonly advice: string;
  /** False where trying again on this page cannot help. */
  readonly retry: boolean;
}

/** What is counted by network address, many people can share. */
export const MANY_ASK = "Very many pictures are looked at from your network at this moment.";

export const ADVICE: Record<Refusal, Advice> = {
  insecure: {
    title: "This page is not secure",
    advice:
      "Browsers open the camera only on pages whose address begins with https. Open the secure address of this page.",
    retry: false,
  },
  unsupported: {
    title: "This browser has no camera access",
    advice:
      "Apps often open links in a small browser of their own. Open this page in Safari, Chrome or Firefox.",
    retry: false,
  },
  denied: {
    title: "The camera is blocked",
    advice:
      "Allow the camera for this page: tap the icon beside the address, choose Permissions, then Camera. If it is allowed there, look at the browser's camera permission in the settings of your device.",
    retry: true,
  },
  no_camera: {
    title: "No camera found",
    advice: "Connect a camera and try again, or open this page on your phone.",
    retry: true,
  },
  in_use: {
    title: "The camera is busy",
    advice: "Another app or tab is using it. Close a video call or another camera page, then try again.",
    retry: true,
  },
  camera_failed: {
    title: "The camera did not start",
    advice: "Try again. If that does not help, restart the browser.",
    retry: true,
  },
  camera_stopped: {
    title: "The camera stopped",
    advice: "It was switched off, unplugged or taken by another app. Try again when it is free.",
    retry: true,
  },
  offline: {
    title: "The download broke off",
    advice: "Check your connection and try again.",
    retry: true,
  },
  limited: {
    title: "Too many at once",
    advice: `${MANY_ASK} Try again in a minute.`,
    retry: true,
  },
  bad_marker: {
    title: "This picture cannot be recognised",
    advice: "Its marker is damaged. The owner of the picture can compile it again.",
    retry: false,
  },
  no_webgl: {
    title: "This browser cannot look for pictures",
    advice:
      "It has no WebGL. Switch on hardware acceleration in its settings, or open this page in another browser.",
    retry: true,
  },
  player_stopped: {
    title: "The player stopped",
    advice: "Try again. Reload the page if it stops once more.",
    retry: true,
  },
};
