/** A queue for a limited resource: at most `capacity` jobs run; the others wait in order. */
export interface Slots {
  /** Runs the job when a slot is free. Rejects with the signal's reason if it is aborted while it waits. */
  run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createSlots(capacity: number): Slots {
  let free = capacity;
  const waiting: (() => void)[] = [];

  const acquire = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return resolve();
      }
      const admit = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(admit), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(admit);
    });

  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };

  return {
    async run(job, signal) {
      await acquire(signal);
      try {
        return await job();
      } finally {
        release();
      }
    },
  };
}

/** Returns how many photos to compile at once: at most two, for their memory, and one core less than there are, for the page. */
export function compileCapacity(cores: number | undefined): number {
  return Math.min(2, Math.max(1, (cores ?? 2) - 1));
}
