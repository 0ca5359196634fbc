import type { CompileProgress, CompileStage } from "../../compiler/types.ts";

/** Where each stage begins and ends, as parts of a photo's whole time; decoding and matching take the most. */
const SPANS: Record<CompileStage, readonly [start: number, end: number]> = {
  decode: [0, 0.3],
  resize: [0.3, 0.35],
  match: [0.35, 0.85],
  track: [0.85, 0.97],
  encode: [0.97, 1],
};

const BAR = 24;

export interface ProgressBar {
  update(photo: number, progress: CompileProgress): void;
  /** Takes the bar away, so that what comes next begins on a clean line. */
  clear(): void;
}

/** A terminal that bars can be drawn on: `process.stderr`, unless it goes to a file or a pipe. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A bar for `count` photos on one line of a terminal; elsewhere nothing at all. */
export function progressBar(terminal: Terminal, count: number): ProgressBar {
  if (!terminal.isTTY || process.env.TERM === "dumb") return { update: () => {}, clear: () => {} };
  const parts = new Float64Array(count);
  let shown = "";
  const draw = () => {
    const part = parts.reduce((sum, each) => sum + each, 0) / count;
    const text = line(part, count, terminal.columns || 80);
    if (text !== shown) terminal.write(`\r${text}\x1b[K`);
    shown = text;
  };
  return {
    update(photo, { stage, done, total }) {
      const [start, end] = SPANS[stage];
      parts[photo] = start + ((end - start) * done) / total;
      draw();
    },
    clear() {
      if (shown !== "") terminal.write("\r\x1b[K");
      shown = "";
    },
  };
}

/** At most one column less than the terminal has: in the last one some terminals would begin a new line. */
function line(part: number, count: number, columns: number): string {
  const filled = Math.floor(part * BAR);
  const percent = `${Math.floor(part * 100)} %`.padStart(5);
  const what = count === 1 ? "Compiling" : `Compiling ${count} photos`;
  return `${percent} ${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${what}`.slice(0, columns - 1);
}
