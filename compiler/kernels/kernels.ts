// The compiler's inner loops. Each exists in TypeScript, which documents it, and in WebAssembly
// (wasm/assembly), which computes the same with vectors. Both give the same bits, so a host without the
// module is only slower.

import { averageBoxes } from "./boxes.ts";
import { chooseExtrema } from "./choice.ts";
import { findPlaneExtrema } from "./extrema.ts";
import { describePoints } from "./freak.ts";
import { chooseMedoids, hammingDistances, hammingRow } from "./medoids.ts";
import { findAngles } from "./orientation.ts";
import { baseDifferences, halve, halveSmoothed, smoothAndSubtract } from "./pyramid.ts";
import { choosePoints, findCorners, sumTemplates } from "./tracking.ts";

/** The kernels that find the points of an image, in TypeScript. */
export const DETECTOR_KERNELS = {
  halveSmoothed,
  smoothAndSubtract,
  halve,
  baseDifferences,
  findPlaneExtrema,
  chooseExtrema,
  findAngles,
  describePoints,
};

/** The kernels of the compiler. */
export const COMPILER_KERNELS = {
  ...DETECTOR_KERNELS,
  averageBoxes,
  hammingDistances,
  hammingRow,
  chooseMedoids,
  sumTemplates,
  findCorners,
  choosePoints,
};

/**
 * The kernels and the memory of their arrays: every array passed to a kernel must come from `place`.
 */
export type Kernels<Table = typeof COMPILER_KERNELS> = Table & {
  /**
   * Allocates arrays. `lay` runs twice, the first time to measure. The contents are undefined. The arrays are
   * valid until the next call, which reuses their memory.
   */
  place<Arrays>(lay: (room: Room) => Arrays): Arrays;
};

export type DetectorKernels = Kernels<typeof DETECTOR_KERNELS>;

/** Bytes between arrays, because vectors run over an array's end. Arrays are aligned to it too. */
const SPARE_BYTES = 64;

/** Allocates arrays one after another in a buffer, or empty arrays while it measures. */
export class Room {
  bytes: number;
  readonly #buffer: ArrayBuffer | null;

  /** @param start bytes at the start of the buffer that are in use */
  constructor(buffer: ArrayBuffer | null, start: number) {
    this.#buffer = buffer;
    this.bytes = start;
  }

  uint8(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#buffer ? new Uint8Array(this.#buffer, at, length) : new Uint8Array(0);
  }

  uint16(length: number): Uint16Array {
    const at = this.#take(2 * length);
    return this.#buffer ? new Uint16Array(this.#buffer, at, length) : new Uint16Array(0);
  }

  int16(length: number): Int16Array {
    const at = this.#take(2 * length);
    return this.#buffer ? new Int16Array(this.#buffer, at, length) : new Int16Array(0);
  }

  int32(length: number): Int32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Int32Array(this.#buffer, at, length) : new Int32Array(0);
  }

  uint32(length: number): Uint32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Uint32Array(this.#buffer, at, length) : new Uint32Array(0);
  }

  float32(length: number): Float32Array {
    const at = this.#take(4 * length);
    return this.#buffer ? new Float32Array(this.#buffer, at, length) : new Float32Array(0);
  }

  float64(length: number): Float64Array {
    const at = this.#take(8 * length);
    return this.#buffer ? new Float64Array(this.#buffer, at, length) : new Float64Array(0);
  }

  #take(bytes: number): number {
    const at = this.bytes;
    this.bytes = Math.ceil((at + bytes + SPARE_BYTES) / SPARE_BYTES) * SPARE_BYTES;
    return at;
  }
}

/** The `WebAssembly.Module` of wasm/kernels.wasm, once a host has loaded it. */
let loaded: object | null = null;

/** The kernels of each stage, kept from image to image so that their memory is not allocated again. */
const kept = new Map<string, Kernels>();

/**
 * Makes the kernels fast. Call it once, before the first image, like `loadCodecs`. Without it, the compiler
 * gives the same results more slowly.
 *
 * @param module the compiled `WebAssembly.Module` of wasm/kernels.wasm, which each host loads in its own way;
 * null returns to TypeScript. It has the type object because compiler/ uses no host's types.
 */
export function loadKernels(module: object | null): void {
  loaded = module;
  kept.clear();
}

/** Opens kernels with a memory of their own: those of `table`, or their twins of the same names. */
export function openKernels<Table extends object>(
  table: Table,
  module: object | null = loaded,
): Kernels<Table> {
  return module ? openVectorKernels(table, module) : openScalarKernels(table);
}

/** Returns the kernels of a stage. Two users of one stage share its memory, and so overwrite each other. */
export function stageKernels(stage: "match" | "cluster" | "track" | "score"): Kernels {
  const kernels = kept.get(stage) ?? openKernels(COMPILER_KERNELS);
  kept.set(stage, kernels);
  return kernels;
}

function measure(lay: (room: Room) => unknown, start: number): number {
  const room = new Room(null, start);
  lay(room);
  return room.bytes;
}

function openScalarKernels<Table extends object>(table: Table): Kernels<Table> {
  let buffer = new ArrayBuffer(0);
  return {
    ...table,
    place(lay) {
      const bytes = measure(lay, 0);
      if (isWrongSize(buffer.byteLength, bytes)) buffer = new ArrayBuffer(bytes);
      return lay(new Room(buffer, 0));
    },
  };
}

/** Memory above this is released when the next image needs less than half of it. */
const KEPT_BYTES = 32 * 2 ** 20;

function isWrongSize(present: number, needed: number): boolean {
  return needed > present || (present > KEPT_BYTES && needed < present / 2);
}

// A global that every host has and that compiler/'s types lack.
declare const WebAssembly: {
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Exports of a module: the same functions, with addresses instead of arrays. */
type Exports = Readonly<Record<string, (...values: number[]) => number>> & {
  readonly memory: Memory;
  firstFreeByte(): number;
};

const PAGE_BYTES = 65536;

function openVectorKernels<Table extends object>(table: Table, module: object): Kernels<Table> {
  const instantiate = () =>
    new WebAssembly.Instance(module, { orientation: { atan2: Math.atan2 } }).exports as Exports;
  let wasm = instantiate();
  const names = Object.keys(table);
  const calls = names.map((name) => [name, (...values: Value[]) => wasm[name](...values.map(addressOf))]);
  return {
    ...(Object.fromEntries(calls) as Table),
    place(lay) {
      const start = wasm.firstFreeByte();
      const bytes = measure(lay, start);
      const present = wasm.memory.buffer.byteLength;
      if (isWrongSize(present, bytes)) {
        // A WebAssembly memory only grows, so a smaller one needs a new instance.
        if (bytes < present) wasm = instantiate();
        wasm.memory.grow(Math.max(0, Math.ceil((bytes - wasm.memory.buffer.byteLength) / PAGE_BYTES)));
      }
      return lay(new Room(wasm.memory.buffer, start));
    },
  };
}

/** An argument of a kernel. */
type Value = number | { readonly byteOffset: number };

function addressOf(value: Value): number {
  return typeof value === "number" ? value : value.byteOffset;
}
