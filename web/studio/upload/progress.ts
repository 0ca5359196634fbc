import type { Progress } from "../../../client/client.ts";
import type { CompileProgress } from "../../../compiler/types.ts";
import { moment } from "../ui/format.ts";
import type { JobProgress } from "./job.ts";

const STAGES: Record<CompileProgress["stage"], { label: string; from: number; to: number }> = {
  decode: { label: "Reading the photo", from: 0, to: 0.12 },
  resize: { label: "Resizing the photo", from: 0.12, to: 0.18 },
  match: { label: "Finding feature points", from: 0.18, to: 0.75 },
  track: { label: "Choosing tracking points", from: 0.75, to: 0.96 },
  encode: { label: "Encoding the marker", from: 0.96, to: 1 },
};

export interface ProgressView {
  readonly label: string;
  /** 0 to 1. */
  readonly fraction: number;
}

/** Returns the progress of a compilation. The weights are the stages' usual share of the time. */
export function compileProgressView({ stage, done, total }: Progress): ProgressView {
  const { label, from, to } = STAGES[stage];
  return { label, fraction: from + (to - from) * Math.min(1, done / total) };
}

/** Returns the progress of a job: uploading counts 30 percent, compiling the rest. At most 0.99. */
export function jobProgressView({ sent, compile, delivering, pausedUntil }: JobProgress): ProgressView {
  const compiling = compile ? compileProgressView(compile) : null;
  const compiled = delivering ? 1 : (compiling?.fraction ?? 0);
  const fraction = 0.97 * (sent === null ? compiled : 0.3 * sent + 0.7 * compiled) + (delivering ? 0.02 : 0);
  if (pausedUntil !== null)
    return { label: `Rate limit reached. Resuming at ${moment(pausedUntil)}`, fraction };
  if (delivering) return { label: "Saving the marker", fraction };
  if (compiling && !(compiled === 1 && sent !== null && sent < 1))
    return { label: compiling.label, fraction };
  if (sent === 0) return { label: "Waiting", fraction };
  if (sent !== null && sent < 1)
    return { label: `Uploading the photo, ${Math.round(sent * 100)}%`, fraction };
  return { label: compiled === 1 ? "Waiting for the server" : "Waiting", fraction };
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
