import { useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";

export interface Action {
  /** Runs `work`. Its error becomes `error`. */
  readonly run: (work: () => Promise<void>) => Promise<void>;
  readonly isRunning: boolean;
  /** The message of the last error; null after a success. */
  readonly error: string | null;
}

/** Tracks an action of a dialog or a form. */
export function useAction(): Action {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (work: () => Promise<void>) => {
    setRunning(true);
    setError(null);
    try {
      await work();
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setRunning(false);
    }
  };
  return { run, isRunning, error };
}
