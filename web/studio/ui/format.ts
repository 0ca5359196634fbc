import { language, t } from "../language.ts";

/** Formats bytes as "1.2 MB" (decimal, like the limits). */
export function megabytes(bytes: number): string {
  if (bytes < 999_500) return t.ui.kilobytes(count(Math.max(1, Math.round(bytes / 1_000))));
  const value = bytes / 1_000_000;
  return t.ui.megabytes(value >= 9.95 ? count(Math.round(value)) : TENTHS.format(value));
}

/** Formats bytes from "0 kB" to "1.2 GB". */
export function byteSize(bytes: number): string {
  if (bytes === 0) return t.ui.kilobytes("0");
  if (bytes < 999_500_000) return megabytes(bytes);
  const value = bytes / 1_000_000_000;
  return t.ui.gigabytes(count(value >= 9.95 ? Math.round(value) : Number(value.toFixed(1))));
}

/** Formats a remaining time: "less than a minute", "about 3 minutes". */
export function timeLeft(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return t.ui.lessThanAMinute;
  return minutes < 90 ? t.ui.aboutMinutes(minutes) : t.ui.aboutHours(Math.round(minutes / 60));
}

const NUMBER = new Intl.NumberFormat(language);
const TENTHS = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Formats a count: "2,620". */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** Formats a number of photos: "1 photo", "2,620 photos". */
export function photoCount(value: number): string {
  return t.ui.photos(value);
}

/** Formats seconds with tenths: "1.5 s". */
export function tenths(seconds: number): string {
  return t.ui.seconds(TENTHS.format(seconds));
}

/** Formats a duration: "0.4 s", "12 s", "3 min 5 s". */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 9.95) return tenths(seconds);
  if (seconds < 59.5) return t.ui.seconds(count(Math.round(seconds)));
  const whole = Math.round(seconds);
  return t.ui.minutesAndSeconds(Math.floor(whole / 60), whole % 60);
}

/** Turns a file name into a title: without extension and separators, capitalised. */
export function titleOf(fileName: string): string {
  const words = fileName
    .replace(/\.[^.]*$/, "")
    .replace(/[_-]+/g, " ")
    .trim();
  return words ? words[0].toUpperCase() + words.slice(1, 200) : t.ui.untitled;
}

const RELATIVE = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const ABSOLUTE = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

/** Formats a time as "just now", "5 minutes ago", "yesterday", or the date. */
export function ago(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1_000;
  if (Math.abs(seconds) < 45) return t.ui.justNow;
  if (Math.abs(seconds) < 45 * 60) return RELATIVE.format(Math.round(seconds / 60), "minute");
  if (Math.abs(seconds) < 22 * 3_600) return RELATIVE.format(Math.round(seconds / 3_600), "hour");
  if (Math.abs(seconds) < 6.5 * 86_400) return RELATIVE.format(Math.round(seconds / 86_400), "day");
  return ABSOLUTE.format(Date.parse(iso));
}

const CLOCK = new Intl.DateTimeFormat(language, { timeStyle: "medium" });

/** Formats a time of today: "2:03:20 PM". */
export function moment(time: number): string {
  return CLOCK.format(time);
}

export function dateTime(iso: string): string {
  return ABSOLUTE.format(Date.parse(iso));
}
