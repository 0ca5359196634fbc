import type { CompileProgress, CompileStage } from "../../compiler/types.ts";

/** The start and end of each stage, as shares of a photo's total time. Decoding and matching take the most. */
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
  /** Removes the bar, so that the next output begins on a clean line. */
  clear(): void;
}

/** A terminal to draw bars on: `process.stderr`, unless it goes to a file or a pipe. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Returns a bar for `count` photos on one line of a terminal; elsewhere it draws nothing. */
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

/** Returns the line. Leaves the last column free: some terminals begin a new line there. */
function line(part: number, count: number, columns: number): string {
  const filled = Math.floor(part * BAR);
  const percent = `${Math.floor(part * 100)} %`.padStart(5);
  const what = count === 1 ? "Compiling" : `Compiling ${count} photos`;
  return `${percent} ${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${what}`.slice(0, columns - 1);
}
