import { Icon } from "../ui/icons.tsx";

export const IconBucket = () => (
  <Icon>
    <ellipse cx="12" cy="6" rx="8" ry="2.6" />
    <path d="M4 6l2 12.500c.3 1.200 3 2 6 2s5.700-.8 6-2L20 6M9 12h6" />
  </Icon>
);

export const IconDisk = () => (
  <Icon>
    <path d="M7 18a4.500 4.500 0 0 1-.5-9A6 6 0 0 1 18 10.200 4 4 0 0 1 17.500 18zM12 10v4" />
  </Icon>
);

export const IconHome = () => (
  <Icon>
    <rect x="4" y="4" width="16" height="7" rx="2" />
    <rect x="4" y="13" width="16" height="7" rx="2" />
    <path d="M8 7.500h.010M8 16.500h.010" />
  </Icon>
);

export const IconMove = () => (
  <Icon>
    <path d="M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4" />
  </Icon>
);

export const IconPlus = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);
