/** The time in which a transfer must move `MIN_BYTES`. */
const WINDOW_MILLISECONDS = 10_000;
/** 64 kB per second, which the slowest storages exceed. */
export const MIN_BYTES = 655_360;

/** Calls `tick` again and again. Returns a function that ends this. */
export type Every = (milliseconds: number, tick: () => void) => () => void;

/** The platform's clock. */
export const everyInterval: Every = (milliseconds, tick) => {
  const timer = setInterval(tick, milliseconds);
  return () => clearInterval(timer);
};

/** Watches that an upload or an answer does not get too slow. */
export interface RateWatch {
  /** Notes bytes that were received or sent. */
  moved(bytes: number): void;
  stop(): void;
}

/** Calls `onSlow`, once, after 10 s in which fewer than 640 kB moved. Stop it when the transfer ends. */
export function watchRate(every: Every, onSlow: () => void): RateWatch {
  let bytesInWindow = 0;
  const stop = every(WINDOW_MILLISECONDS, () => {
    if (bytesInWindow < MIN_BYTES) {
      stop();
      onSlow();
    }
    bytesInWindow = 0;
  });
  return {
    moved: (bytes) => {
      bytesInWindow += bytes;
    },
    stop,
  };
}
