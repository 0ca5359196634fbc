import type { ComponentChildren } from "preact";

// 24-pixel line icons. They are decorative: the control next to them has a label.
export function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** The logo: the corners of a picture around a play sign. */
export const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" width="28" height="28" fill="none" aria-hidden="true">
    <path
      d="M4 11V7a3 3 0 0 1 3-3h4M21 4h4a3 3 0 0 1 3 3v4M28 21v4a3 3 0 0 1-3 3h-4M11 28H7a3 3 0 0 1-3-3v-4"
      stroke="currentColor"
      stroke-width="3"
      stroke-linecap="round"
    />
    <path
      d="M12.5 10.8v10.4l8.5-5.2z"
      fill="currentColor"
      stroke="currentColor"
      stroke-width="2"
      stroke-linejoin="round"
    />
  </svg>
);

export const IconClose = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const IconMenu = () => (
  <Icon>
    <path d="M4 7h16M4 12h16M4 17h16" />
  </Icon>
);

export const IconCheck = () => (
  <Icon>
    <path d="M5 12.500l4.500 4.500L19 7.500" />
  </Icon>
);

export const IconPhoto = () => (
  <Icon>
    <rect x="3" y="4" width="18" height="16" rx="3" />
    <circle cx="8.5" cy="9.5" r="1.6" />
    <path d="M4 18l5.2-5.2 3.4 3.4 3-3L21 18" />
  </Icon>
);

export const IconVideo = () => (
  <Icon>
    <rect x="3" y="5" width="18" height="14" rx="3" />
    <path d="M10 9v6l5-3z" fill="currentColor" />
  </Icon>
);

export const IconScan = () => (
  <Icon>
    <path d="M4 8V6a2 2 0 0 1 2-2h2M16 4h2a2 2 0 0 1 2 2v2M20 16v2a2 2 0 0 1-2 2h-2M8 20H6a2 2 0 0 1-2-2v-2M8 12h8" />
  </Icon>
);

export const IconUpload = () => (
  <Icon>
    <path d="M12 15V4M7.5 8.5L12 4l4.5 4.5M4 15v2a3 3 0 0 0 3 3h10a3 3 0 0 0 3-3v-2" />
  </Icon>
);

export const IconDownload = () => (
  <Icon>
    <path d="M12 4v11M7.5 10.5L12 15l4.5-4.5M4 18v0a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v0" />
  </Icon>
);

export const IconSearch = () => (
  <Icon>
    <circle cx="11" cy="11" r="6.5" />
    <path d="M16 16l4.5 4.5" />
  </Icon>
);

export const IconCopy = () => (
  <Icon>
    <rect x="9" y="9" width="11" height="11" rx="2.5" />
    <path d="M5.5 15H5a2 2 0 0 1-2-2V6a3 3 0 0 1 3-3h7a2 2 0 0 1 2 2v.5" />
  </Icon>
);

export const IconOpen = () => (
  <Icon>
    <path d="M14 4h6v6M20 4l-9 9M18 14v3a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3V9a3 3 0 0 1 3-3h3" />
  </Icon>
);

export const IconEdit = () => (
  <Icon>
    <path d="M15.5 5.5l3 3M4 20l1-4L16 5a2.1 2.1 0 0 1 3 3L8 19z" />
  </Icon>
);

export const IconTrash = () => (
  <Icon>
    <path d="M4 7h16M9.5 7V5a1.5 1.5 0 0 1 1.5-1.5h2A1.5 1.5 0 0 1 14.5 5v2M6 7l.8 11.2A2 2 0 0 0 8.800 20h6.400a2 2 0 0 0 2-1.800L18 7M10 11v5M14 11v5" />
  </Icon>
);

export const IconRetry = () => (
  <Icon>
    <path d="M20 12a8 8 0 1 1-2.300-5.700M20 4v4.500h-4.500" />
  </Icon>
);

export const IconBack = () => (
  <Icon>
    <path d="M19 12H5M11 6l-6 6 6 6" />
  </Icon>
);

export const IconPrevious = () => (
  <Icon>
    <path d="M14.5 6l-6 6 6 6" />
  </Icon>
);

export const IconNext = () => (
  <Icon>
    <path d="M9.5 6l6 6-6 6" />
  </Icon>
);

export const IconPrint = () => (
  <Icon>
    <path d="M7 9V4h10v5M7 17H4v-6a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v6h-3M7 14h10v6H7z" />
  </Icon>
);

export const IconCrop = () => (
  <Icon>
    <path d="M7 3v11a3 3 0 0 0 3 3h11M3 7h11a3 3 0 0 1 3 3v11" />
  </Icon>
);

export const IconRotateLeft = () => (
  <Icon>
    <rect x="9" y="10" width="11" height="10" rx="2" />
    <path d="M4 15V9a4 4 0 0 1 4-4h5M10 2L7 5l3 3" />
  </Icon>
);

export const IconRotateRight = () => (
  <Icon>
    <rect x="4" y="10" width="11" height="10" rx="2" />
    <path d="M20 15V9a4 4 0 0 0-4-4h-5M14 2l3 3-3 3" />
  </Icon>
);

/** A landscape frame that turns into a portrait one. */
export const IconFlip = () => (
  <Icon>
    <rect x="3" y="12" width="13" height="8" rx="2" />
    <path d="M8 12V6a2 2 0 0 1 2-2h4a2 2 0 0 1 2 2v6M20 10v6M18 14l2 2 2-2" />
  </Icon>
);

export const IconFolder = () => (
  <Icon>
    <path d="M3 7a2 2 0 0 1 2-2h4l2 2.500h8a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z" />
  </Icon>
);

export const IconPause = () => (
  <Icon>
    <path d="M9 5v14M15 5v14" />
  </Icon>
);

export const IconPlay = () => (
  <Icon>
    <path d="M8 5l11 7-11 7z" />
  </Icon>
);

export const IconCalendar = () => (
  <Icon>
    <path d="M4 6h16v14H4zM4 10h16M8 3v4M16 3v4" />
  </Icon>
);
