import type { CompileProgress } from "../../../compiler/types.ts";
import type { ProgressBody } from "../../../worker/schemas.ts";
import type { JobProgress } from "../upload/job.ts";

/** 1,234,567 bytes as "1.2 MB" (decimal, like the limits). */
export function megabytes(bytes: number): string {
  if (bytes < 999_500) return `${Math.max(1, Math.round(bytes / 1_000))} kB`;
  const value = bytes / 1_000_000;
  return `${value >= 9.95 ? Math.round(value) : value.toFixed(1)} MB`;
}

/** The same from nothing to gigabytes. */
export function byteSize(bytes: number): string {
  if (bytes === 0) return "0 kB";
  if (bytes < 999_500_000) return megabytes(bytes);
  const value = bytes / 1_000_000_000;
  return `${NUMBER.format(value >= 9.95 ? Math.round(value) : Number(value.toFixed(1)))} GB`;
}

/** How long something will still take: "less than a minute", "about 3 minutes". */
export function timeLeft(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 1) return "less than a minute";
  if (minutes < 90) return `about ${minutes} minutes`;
  return `about ${Math.round(minutes / 60)} hours`;
}

const NUMBER = new Intl.NumberFormat("en");

/** A count for people: "2,620". */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** A duration for people: "0.4 s", "12 s", "3 min 5 s". */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A file's name as a title: no extension, no separators, a capital. */
export function titleOf(fileName: string): string {
  const words = fileName
    .replace(/\.[^.]*$/, "")
    .replace(/[_-]+/g, " ")
    .trim();
  return words ? words[0].toUpperCase() + words.slice(1, 200) : "Untitled";
}

const STAGES: Record<CompileProgress["stage"], { words: string; from: number; to: number }> = {
  decode: { words: "Reading the photo", from: 0, to: 0.12 },
  resize: { words: "Preparing its sizes", from: 0.12, to: 0.18 },
  match: { words: "Finding feature points", from: 0.18, to: 0.75 },
  track: { words: "Choosing what to track", from: 0.75, to: 0.96 },
  encode: { words: "Packing the marker", from: 0.96, to: 1 },
};

export interface Shown {
  readonly words: string;
  /** 0 to 1. */
  readonly fraction: number;
}

/** A compilation's progress, wherever it runs. The weights are the stages' usual share of the time. */
export function compileShown({ stage, done, total }: ProgressBody): Shown {
  const { words, from, to } = STAGES[stage];
  return { words, fraction: from + (to - from) * Math.min(1, done / total) };
}

/** A whole job: sending a third, compiling the rest, the delivery the last step. Never more than 0.99. */
export function jobShown({ sent, compile, delivering, heldUntil }: JobProgress): Shown {
  const compiling = compile ? compileShown(compile) : null;
  const compiled = delivering ? 1 : (compiling?.fraction ?? 0);
  const fraction = 0.97 * (sent === null ? compiled : 0.3 * sent + 0.7 * compiled) + (delivering ? 0.02 : 0);
  if (heldUntil !== null) return { words: `Too many at once; goes on at ${moment(heldUntil)}`, fraction };
  if (delivering) return { words: "Checking and storing the marker", fraction };
  if (compiling && !(compiled === 1 && sent !== null && sent < 1))
    return { words: compiling.words, fraction };
  if (sent !== null && sent < 1) return { words: `Sending the photo, ${Math.round(sent * 100)} %`, fraction };
  return { words: compiled === 1 ? "Waiting for the server" : "Waiting for its turn", fraction };
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const ABSOLUTE = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** "just now", "5 minutes ago", "yesterday", then the date. */
export function ago(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1_000;
  if (Math.abs(seconds) < 45) return "just now";
  if (Math.abs(seconds) < 45 * 60) return RELATIVE.format(Math.round(seconds / 60), "minute");
  if (Math.abs(seconds) < 22 * 3_600) return RELATIVE.format(Math.round(seconds / 3_600), "hour");
  if (Math.abs(seconds) < 6.5 * 86_400) return RELATIVE.format(Math.round(seconds / 86_400), "day");
  return ABSOLUTE.format(Date.parse(iso));
}

const CLOCK = new Intl.DateTimeFormat("en", { timeStyle: "medium" });

/** A moment of today, to the second: "2:03:20 PM". */
export function moment(time: number): string {
  return CLOCK.format(time);
}

export function dateTime(iso: string): string {
  return ABSOLUTE.format(Date.parse(iso));
}
