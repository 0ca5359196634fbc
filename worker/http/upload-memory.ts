import { Refusal } from "../errors.ts";

/** What the oldest request may hold without being counted, so that one always continues: the largest photo. */
const RESERVED_BYTES = 20_000_000;
/** Most bytes of all other request bodies that one isolate holds at a time. An isolate has 128 MB for everything. */
const MAX_BYTES = 40_000_000;
/** The same for one caller, whose own oldest request is not counted either: others always have room for a photo. */
const MAX_CALLER_BYTES = 12_000_000;
/** What every request may hold, so that uploads do not delay other requests. JSON has at most as many bytes. */
const FREE_BYTES = 65_536;

/** The longest wait for memory of other requests. */
const WAIT_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 50;
const RETRY_SECONDS = 5;

/** How often a request that holds bytes shows that it runs. */
const BEAT_MILLISECONDS = 2_000;
/**
 * A request that was silent for longer has ended: the platform ends requests of clients that have disconnected. Less
 * than the wait of others.
 */
const SILENCE_MILLISECONDS = 8_000;

interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/**
 * The memory that request bodies take in one isolate, and each caller's share of it. Counts the bytes that have
 * arrived and are held. A request that finds no room stops reading, so that its client stops sending.
 */
export class UploadMemory {
  /** The requests that hold bytes, the oldest first. */
  readonly #holds = new Set<HeldBytes>();

  /** Returns a counter for one request. Call its `release` when the request ends. */
  open(caller: string, clock: Clock): HeldBytes {
    return new HeldBytes(this.#holds, caller, clock);
  }

  /** The bytes of all requests. */
  get bytes(): number {
    return [...this.#holds].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** The bytes that one request holds. */
export class HeldBytes {
  /** The bounds apply to all requests of one caller together. The guards of routes know it better than the network. */
  caller: string;
  readonly #holds: Set<HeldBytes>;
  readonly #clock: Clock;
  #bytes = 0;
  #seenAt = 0;
  #beat: ReturnType<typeof setInterval> | undefined;

  constructor(holds: Set<HeldBytes>, caller: string, clock: Clock) {
    this.#holds = holds;
    this.caller = caller;
    this.#clock = clock;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts bytes before they are kept. Waits until there is room for them.
   *
   * @throws Refusal `too_many_uploads` after 10 s without room
   */
  async add(bytes: number): Promise<void> {
    const { now, sleep } = this.#clock;
    for (let waited = 0; !this.#fits(bytes); waited += POLL_MILLISECONDS) {
      if (waited >= WAIT_MILLISECONDS) throw tooManyUploads();
      this.#seenAt = now();
      await sleep(POLL_MILLISECONDS);
    }
    this.#bytes += bytes;
    this.#seenAt = now();
    this.#holds.add(this);
    this.#beat ??= setInterval(() => (this.#seenAt = now()), BEAT_MILLISECONDS);
  }

  /** Stops counting `bytes`, or all of them. */
  release(bytes = this.#bytes): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
    if (this.#bytes > 0) return;
    this.#holds.delete(this);
    if (this.#beat !== undefined) clearInterval(this.#beat);
    this.#beat = undefined;
  }

  #fits(bytes: number): boolean {
    if (this.#bytes + bytes <= FREE_BYTES) return true;
    const oldestAlive = this.#clock.now() - SILENCE_MILLISECONDS;
    for (const held of this.#holds) if (held.#seenAt < oldestAlive) this.#holds.delete(held);
    // Those that hold bytes already, the oldest first, and this one last if it is new.
    const all = [...new Set([...this.#holds, this])];
    const ofCaller = all.filter(({ caller }) => caller === this.caller);
    const sizeOf = (held: HeldBytes) => held.#bytes + (held === this ? bytes : 0);
    const counted = ([oldest, ...others]: readonly HeldBytes[]) =>
      others.reduce((sum, held) => sum + sizeOf(held), Math.max(0, sizeOf(oldest) - RESERVED_BYTES));
    return counted(all) <= MAX_BYTES && counted(ofCaller) <= MAX_CALLER_BYTES;
  }
}

function tooManyUploads(): Refusal {
  return new Refusal(
    "too_many_uploads",
    `Other uploads used up the memory for ${WAIT_MILLISECONDS / 1000} s. Nothing was stored; try again in ${RETRY_SECONDS} s.`,
    { "Retry-After": String(RETRY_SECONDS) },
  );
}
