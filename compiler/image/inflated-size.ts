/** Base values and extra bits of the length symbols 257 to 285 (RFC 1951, 3.2.5). */
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const END_OF_BLOCK = 256;
const DISTANCES = 30;
/** The order of the code lengths at the start of a dynamic block (RFC 1951, 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_CODE = 15;
/** A table has the codes of up to this many bits; longer ones are rare, and read bit by bit. */
const TABLE_BITS = 9;
const TABLE_MASK = (1 << TABLE_BITS) - 1;

/**
 * Returns the number of bytes that DEFLATE data inflates to, without inflating it, up to where it is cut off or
 * damaged: a decoder gets no further. Stops at the first number above `most`.
 */
export function inflatedSize(deflated: Uint8Array, most: number): number {
  const bits = new BitReader(deflated);
  let size = 0;
  const readCoded = ({ literals, distances }: Codes): boolean => {
    while (size <= most) {
      const symbol = literals.read(bits);
      if (symbol === END_OF_BLOCK) return true;
      if (symbol < 0 || bits.isOver) return false;
      if (symbol < END_OF_BLOCK) {
        size += 1;
        continue;
      }
      const at = symbol - END_OF_BLOCK - 1;
      if (at >= LENGTHS.length) return false;
      size += LENGTHS[at] + bits.take(LENGTH_BITS[at]);
      const distance = distances.read(bits);
      if (distance < 0 || distance >= DISTANCES) return false;
      bits.take(Math.max(0, (distance >> 1) - 1));
    }
    return true;
  };
  for (let isLast = false; !isLast && size <= most; ) {
    isLast = bits.take(1) === 1;
    const type = bits.take(2);
    if (type === 0) {
      size += bits.skipStored();
    } else {
      const codes = type === 1 ? FIXED : type === 2 ? readCodes(bits) : null;
      if (!codes || !readCoded(codes)) break;
    }
    if (bits.isOver) break;
  }
  return size;
}

interface Codes {
  readonly literals: HuffmanCode;
  readonly distances: HuffmanCode;
}

/** Reads the codes of a dynamic block; null if they are damaged. */
function readCodes(bits: BitReader): Codes | null {
  const literals = bits.take(5) + 257;
  const total = literals + bits.take(5) + 1;
  const ofLengths = new Uint8Array(ORDER.length);
  for (let i = bits.take(4) + 4, at = 0; at < i; at++) ofLengths[ORDER[at]] = bits.take(3);
  const code = new HuffmanCode(ofLengths);
  const lengths = new Uint8Array(total);
  for (let at = 0; at < total; ) {
    const symbol = code.read(bits);
    if (symbol < 0 || bits.isOver) return null;
    if (symbol <= LONGEST_CODE) {
      lengths[at++] = symbol;
    } else {
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      if (at + times > total || (symbol === 16 && at === 0)) return null;
      if (symbol === 16) lengths.fill(lengths[at - 1], at, at + times);
      at += times;
    }
  }
  return {
    literals: new HuffmanCode(lengths.subarray(0, literals)),
    distances: new HuffmanCode(lengths.subarray(literals)),
  };
}

/** Reads bits, the lowest of a byte first. Bits after the end are 0. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether more bits were taken than there are. */
  get isOver(): boolean {
    return 8 * this.#at - this.#count > 8 * this.#bytes.length;
  }

  /** Returns the next bits, at least `LONGEST_CODE` of them. */
  peek(): number {
    for (; this.#count <= 24; this.#count += 8) this.#held |= (this.#bytes[this.#at++] ?? 0) << this.#count;
    return this.#held;
  }

  drop(count: number): void {
    this.#held >>>= count;
    this.#count -= count;
  }

  /** Returns the next `count` bits, at most 16, as a number. */
  take(count: number): number {
    const value = this.peek() & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  /** Skips a stored block. Returns its length, or the number of bytes that are left if it is cut off. */
  skipStored(): number {
    this.drop(this.#count % 8);
    const length = this.take(16);
    this.take(16);
    const start = this.#at - this.#count / 8;
    this.#at = start + length;
    this.#held = 0;
    this.#count = 0;
    return Math.max(0, Math.min(length, this.#bytes.length - start));
  }
}

/** A canonical Huffman code. */
class HuffmanCode {
  /** By the next bits: the symbol × 16 + the length of its code; 0 for longer codes. */
  readonly #table = new Uint16Array(1 << TABLE_BITS);
  /** The number of codes by length, and the symbols in the order of their codes. */
  readonly #counts = new Uint16Array(LONGEST_CODE + 1);
  readonly #symbols: Uint16Array;

  /** @param lengths of the code of each symbol; 0: it has none */
  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    for (const length of lengths) this.#counts[length] += 1;
    this.#counts[0] = 0;
    const places = new Uint16Array(LONGEST_CODE + 2);
    const codes = new Uint32Array(LONGEST_CODE + 2);
    for (let length = 1; length <= LONGEST_CODE; length++) {
      places[length + 1] = places[length] + this.#counts[length];
      codes[length + 1] = (codes[length] + this.#counts[length]) << 1;
    }
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      const length = lengths[symbol];
      if (length === 0) continue;
      this.#symbols[places[length]++] = symbol;
      const code = codes[length]++;
      if (length > TABLE_BITS) continue;
      const step = 1 << length;
      for (let at = reversed(code, length); at <= TABLE_MASK; at += step)
        this.#table[at] = symbol * 16 + length;
    }
  }

  /** Returns the next symbol; -1 for bits that are not a code. */
  read(bits: BitReader): number {
    let next = bits.peek();
    const entry = this.#table[next & TABLE_MASK];
    if (entry !== 0) {
      bits.drop(entry & 15);
      return entry >> 4;
    }
    for (let length = 1, code = 0, first = 0, place = 0; length <= LONGEST_CODE; length++) {
      code |= next & 1;
      next >>>= 1;
      const count = this.#counts[length];
      if (code < first + count) {
        bits.drop(length);
        return this.#symbols[place + code - first];
      }
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return -1;
  }
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) result |= ((code >> i) & 1) << (length - 1 - i);
  return result;
}

const FIXED: Codes = {
  literals: new HuffmanCode(
    Uint8Array.from({ length: 288 }, (_, symbol) =>
      symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
    ),
  ),
  distances: new HuffmanCode(new Uint8Array(DISTANCES).fill(5)),
};
