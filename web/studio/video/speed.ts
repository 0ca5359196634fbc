/** Long enough that the number can be read, short enough that it is true. */
const WINDOW_MILLISECONDS = 12_000;
/** Before that, a speed would be a guess. */
const MIN_MILLISECONDS = 1_500;

/** How fast a count of bytes grows, over the last seconds. */
export class Speedometer {
  #readings: { readonly at: number; readonly bytes: number }[] = [];

  /** @param at milliseconds of a clock that does not go back */
  note(bytes: number, at: number): void {
    const newest = this.#readings.at(-1);
    // A part that broke off counts back: what was measured before says nothing about what comes.
    if (newest && bytes < newest.bytes) this.#readings = [];
    this.#readings.push({ at, bytes });
    while (this.#readings.length > 2 && at - this.#readings[1].at >= WINDOW_MILLISECONDS) {
      this.#readings.shift();
    }
  }

  /** Bytes a second; null when it is too early to tell, or nothing moves. */
  speed(at: number): number | null {
    const [oldest] = this.#readings;
    const newest = this.#readings.at(-1);
    if (!oldest || !newest || at - oldest.at < MIN_MILLISECONDS) return null;
    const bytes = newest.bytes - oldest.bytes;
    return bytes > 0 ? (bytes * 1_000) / (at - oldest.at) : null;
  }
}
