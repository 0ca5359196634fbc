import type { Progress } from "../../../client/client.ts";
import type { CompileProgress } from "../../../compiler/types.ts";
import { moment } from "../ui/format.ts";
import type { JobProgress } from "./job.ts";

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
export function compileShown({ stage, done, total }: Progress): Shown {
  const { words, from, to } = STAGES[stage];
  return { words, fraction: from + (to - from) * Math.min(1, done / total) };
}

/** A whole job: sending a third, compiling the rest, the delivery the last step. Never more than 0.99. */
export function jobShown({ sent, compile, delivering, pausedUntil }: JobProgress): Shown {
  const compiling = compile ? compileShown(compile) : null;
  const compiled = delivering ? 1 : (compiling?.fraction ?? 0);
  const fraction = 0.97 * (sent === null ? compiled : 0.3 * sent + 0.7 * compiled) + (delivering ? 0.02 : 0);
  if (pausedUntil !== null)
    return { words: `Rate limit reached. Resuming at ${moment(pausedUntil)}`, fraction };
  if (delivering) return { words: "Checking and storing the marker", fraction };
  if (compiling && !(compiled === 1 && sent !== null && sent < 1))
    return { words: compiling.words, fraction };
  if (sent !== null && sent < 1) return { words: `Sending the photo, ${Math.round(sent * 100)} %`, fraction };
  return { words: compiled === 1 ? "Waiting for the server" : "Waiting for its turn", fraction };
}
