/** What settings are when they are left out, also in rows from before they existed. */
export const DEFAULTS = {
  s3: { region: "us-east-1", prefix: "", style: "path" },
  yandex_disk: { root: "app:/" },
} as const;
