/** The texts of the viewer. */
export const viewer = {
  loading: "Loading",
  waiting: "Waiting",
  tryAgain: "Try again",
  notFound: {
    title: "Photo not found",
    advice: "It may have been removed, or the address is incomplete. Scan the QR code again.",
  },
  limited: {
    title: "Please wait",
    advice: "Too many requests from your network. The photo will load automatically within a minute.",
  },
  unreachable: {
    title: "The photo cannot be loaded",
    advice: "Check your connection and try again.",
  },
  start: {
    leadWithVideo: "Point your camera at this photo to bring it to life.",
    lead: "Point your camera at this photo.",
    startCamera: "Start camera",
    withoutCameraWithVideo: "View photo and video without the camera",
    withoutCamera: "View photo without the camera",
    privacy: "Camera images stay on this device.",
    failed: "This photo could not be prepared for the camera. Its owner can try again.",
    preparing: "This photo is being prepared for the camera. This page updates automatically.",
  },
  plain: {
    back: "Back",
    photo: "Photo",
    video: "Video",
    videoOf: (title: string) => `Video of ${title}`,
    noVideo: "This photo has no video yet.",
  },
  live: {
    cameraViewOf: (title: string) => `${title}, camera view`,
    camera: "Camera",
    closeCamera: "Close camera",
    play: "Play",
    mute: "Mute",
    unmute: "Unmute",
    withoutCamera: "Without camera",
    viewPhotoAndVideo: "View photo and video",
    viewPhoto: "View photo",
    hints: {
      searching: "Point the camera at this photo",
      none: "Found. This photo has no video yet.",
      loading: "Found. The video is loading…",
      ready: "Found. The video is playing on the photo.",
      "needs-tap": "Found. Tap Play to start the video.",
      broken: "Found, but this browser cannot play its video.",
    },
    steps: {
      camera: "Camera",
      allowAccess: "Allow access when asked",
      marker: "Marker",
      player: "Player",
      starting: "Starting",
      video: "Video",
      ready: "ready",
    },
  },
  /** What is wrong, and what the person can do. */
  problems: {
    insecure: {
      title: "This page is not secure",
      advice:
        "Browsers allow the camera only on https pages. Open this page with an address that starts with https.",
    },
    unsupported: {
      title: "This browser has no camera access",
      advice:
        "Browsers inside other apps often block the camera. Open this page in Safari, Chrome or Firefox.",
    },
    denied: {
      title: "The camera is blocked",
      advice:
        "Tap the icon next to the address, choose Permissions, and allow the camera. If it is already allowed, check the browser's camera permission in your device settings.",
    },
    no_camera: {
      title: "No camera found",
      advice: "Connect a camera and try again, or open this page on your phone.",
    },
    in_use: {
      title: "The camera is busy",
      advice: "Another app or tab is using it. Close it, then try again.",
    },
    camera_failed: {
      title: "The camera did not start",
      advice: "Try again. If that does not help, restart the browser.",
    },
    camera_stopped: {
      title: "The camera stopped",
      advice: "It was turned off, unplugged or taken over by another app. Reconnect it, then try again.",
    },
    offline: {
      title: "The download failed",
      advice: "Check your connection and try again.",
    },
    limited: {
      title: "Too many requests",
      advice: "Your network has sent too many requests. Try again in a minute.",
    },
    bad_marker: {
      title: "This photo cannot be recognized",
      advice: "Its marker is damaged. Ask the owner to recompile it.",
    },
    player_failed: {
      title: "The player did not start",
      advice: "Reload the page. If that does not help, update this browser or use another one.",
    },
    player_stopped: {
      title: "The player stopped",
      advice: "Try again. If it stops again, reload the page.",
    },
  },
};
