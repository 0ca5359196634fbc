/** The time over which the speed is averaged. */
const WINDOW_MILLISECONDS = 12_000;
/** No speed is shown before this time has passed. */
const MIN_MILLISECONDS = 1_500;

/** Measures how fast a count of bytes grows, over the last seconds. */
export class Speedometer {
  #readings: { readonly at: number; readonly bytes: number }[] = [];

  /** @param at milliseconds of a monotonic clock */
  note(bytes: number, at: number): void {
    const newest = this.#readings.at(-1);
    // The count drops when a part fails. Earlier readings are then useless.
    if (newest && bytes < newest.bytes) this.#readings = [];
    this.#readings.push({ at, bytes });
    while (this.#readings.length > 2 && at - this.#readings[1].at >= WINDOW_MILLISECONDS) {
      this.#readings.shift();
    }
  }

  /** Returns bytes per second; null if it is too early to tell, or nothing moves. */
  speed(at: number): number | null {
    const [oldest] = this.#readings;
    const newest = this.#readings.at(-1);
    if (!oldest || !newest || at - oldest.at < MIN_MILLISECONDS) return null;
    const bytes = newest.bytes - oldest.bytes;
    return bytes > 0 ? (bytes * 1_000) / (at - oldest.at) : null;
  }
}
