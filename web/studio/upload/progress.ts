import type { Progress } from "../../../client/client.ts";
import type { CompileProgress } from "../../../compiler/types.ts";
import { t } from "../language.ts";
import { moment } from "../ui/format.ts";
import type { JobProgress } from "./job.ts";

/** The part of a compilation that each stage is, by its usual share of the time. */
const STAGES: Record<CompileProgress["stage"], { from: number; to: number }> = {
  decode: { from: 0, to: 0.12 },
  resize: { from: 0.12, to: 0.18 },
  match: { from: 0.18, to: 0.75 },
  track: { from: 0.75, to: 0.96 },
  encode: { from: 0.96, to: 1 },
};

export interface ProgressView {
  readonly label: string;
  /** 0 to 1. */
  readonly fraction: number;
}

/** Returns the progress of a compilation. */
export function compileProgressView({ stage, done, total }: Progress): ProgressView {
  const { from, to } = STAGES[stage];
  return { label: t.upload.stages[stage], fraction: from + (to - from) * Math.min(1, done / total) };
}

/** Returns the progress of a job: uploading counts 30 percent, compiling the rest. At most 0.99. */
export function jobProgressView({ sent, compile, delivering, pausedUntil }: JobProgress): ProgressView {
  const compiling = compile ? compileProgressView(compile) : null;
  const compiled = delivering ? 1 : (compiling?.fraction ?? 0);
  const fraction = 0.97 * (sent === null ? compiled : 0.3 * sent + 0.7 * compiled) + (delivering ? 0.02 : 0);
  const texts = t.upload;
  if (pausedUntil !== null) return { label: texts.paused(moment(pausedUntil)), fraction };
  if (delivering) return { label: texts.saving, fraction };
  if (compiling && !(compiled === 1 && sent !== null && sent < 1))
    return { label: compiling.label, fraction };
  if (sent === 0) return { label: texts.waiting, fraction };
  if (sent !== null && sent < 1) return { label: texts.uploading(Math.round(sent * 100)), fraction };
  return { label: compiled === 1 ? texts.waitingForServer : texts.waiting, fraction };
}

/** The progress of several uploads together. */
export interface RunProgress {
  readonly total: number;
  readonly done: number;
  /** 0 to 1. */
  readonly fraction: number;
  /** Null while it is unknown. */
  readonly secondsLeft: number | null;
}

/** Below this fraction, the time so far tells little about the time left. */
const MIN_FRACTION = 0.05;

/** @param fractions of each upload, 0 to 1 @param seconds since the first one began */
export function runProgress(fractions: readonly number[], seconds: number): RunProgress {
  const fraction = fractions.reduce((sum, part) => sum + part, 0) / fractions.length;
  return {
    total: fractions.length,
    done: fractions.filter((part) => part === 1).length,
    fraction,
    secondsLeft: fraction < MIN_FRACTION ? null : (seconds * (1 - fraction)) / fraction,
  };
}
