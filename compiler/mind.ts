/**
 * The `.mind` file format, version 2, which MindAR's player loads.
 *
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) of
 *
 *     { v: 2, dataList: [target] }
 *     target   = { targetImage: { width, height }, trackingData: [tracking × 2], matchingData: [keyframe] }
 *     tracking = { data: bin (grey, width × height), scale, width, height, points: [{ x, y }] }
 *     keyframe = { maximaPoints: [point], minimaPoints: [point],
 *                  maximaPointsCluster: { rootNode: node }, minimaPointsCluster: { rootNode: node },
 *                  width, height, scale }
 *     point    = { maxima: bool, x, y, scale, angle, descriptors: [21 × u32] }
 *     node     = { centerPointIndex, leaf: true, pointIndexes: [index] }
 *              | { centerPointIndex, leaf: false, children: [node] }
 *
 * `centerPointIndex` is nil at the root and a decimal string below it, because the reference compiler
 * takes it from object keys. Encoding follows the reference down to the byte (key order, shortest
 * integers, 64-bit floats), so decoding a file of mind-ar 1.2.5 and encoding it again gives the same bytes.
 */

import { hasAscii, SIGNATURES, startOfText } from "./image/sniff.ts";
import { InvalidMarkerError, MAX_TARGETS, type MarkerFault } from "./invalid-marker.ts";
import {
  type ClusterNode,
  type CompileError,
  DESCRIPTOR_WORDS,
  type FeaturePoints,
  type ImageTarget,
  type Keyframe,
  type TrackingImage,
} from "./types.ts";

const VERSION = 2;

/** The player indexes this list by position: tracking images of shorter side 256 and 128. */
const TRACKING_IMAGES = 2;

// Ceilings for files of unknown origin. The reference stays far below: at most 500 points a keyframe
// (10 × 10 buckets of 5), one keyframe per third of an octave, one tracking point per exclusion square.
const MAX_KEYFRAMES = 64;
const MAX_POINTS = 10_000;
/** mind-ar cannot write deeper trees: its encoder stops at 100 nested values, two per level. */
const MAX_TREE_DEPTH = 64;
const MAX_SIDE = 1_000_000;
/** Images with a short side under 256 are enlarged for tracking, so a scale can exceed 1. */
const MAX_SCALE = 256;
/** The scale of a point is 2^octave. The reference has points in the octaves 1 to 3. */
const MAX_POINT_SCALE = 64;
/** The reference writes angles from -π to π; a full turn more is the same direction. */
const MAX_ANGLE = 2 * Math.PI;

/** Fewest bytes of one element. A count that does not fit into the rest of the file is refused. */
const MIN_BYTES = { target: 40, keyframe: 80, tracking: 30, point: 65, coordinates: 7, node: 32 } as const;

/**
 * Writes a `.mind` file.
 *
 * @param targets one per image, in the order of the player's target indexes
 */
export function encodeMind(targets: readonly ImageTarget[]): Uint8Array {
  const writer = new Writer(estimateBytes(targets));
  writer.map(2);
  writer.string("v");
  writer.number(VERSION);
  writer.string("dataList");
  writer.array(targets.length);
  for (const target of targets) writeTarget(writer, target);
  return writer.finish();
}

/**
 * Decodes and checks a `.mind` file: every type, index and size, that points lie within their images, missing and
 * unknown fields, and bytes after the end. Memory use is proportional to the actual bytes, whatever sizes the file claims. Tracking images are
 * views of `bytes`, not copies.
 *
 * @throws InvalidMarkerError with the position of the fault and the expected value
 */
export function decodeMind(bytes: Uint8Array): ImageTarget[] {
  refuseForeignFile(bytes);
  const reader = new Reader(bytes);
  let targets: ImageTarget[] = [];
  readFields(reader, "the file", {
    v: () => {
      const version = reader.number("the version");
      if (version !== VERSION) {
        throw new InvalidMarkerError(
          "wrong_version",
          `This .mind file has version ${version}, expected ${VERSION}: compile the image again.`,
        );
      }
    },
    dataList: () => {
      targets = readArray(reader, "the list of targets", 1, MAX_TARGETS, MIN_BYTES.target, readTarget);
    },
  });
  reader.end();
  return targets;
}

function invalid(sentence: string, fault: MarkerFault = "malformed"): InvalidMarkerError {
  return new InvalidMarkerError(fault, `Not a valid .mind file: ${sentence}`);
}

/** Throws for the kinds of file that are often saved or served as `.mind` by mistake. */
function refuseForeignFile(bytes: Uint8Array): void {
  if (bytes.length === 0) throw invalid("it is empty (0 bytes).", "empty");
  switch (bytes[startOfText(bytes)]) {
    case 0x3c: // <
      throw invalid(
        "it is an HTML or XML page; the address it came from probably answered with a web page.",
        "html",
      );
    case 0x7b: // {
    case 0x5b: // [
      throw invalid("it is JSON text; a .mind file is binary MessagePack.", "json");
  }
  const foreign = (sentence: string) => invalid(sentence, "foreign_file");
  const starts = (signature: string) => hasAscii(bytes, 0, signature);
  if (starts(SIGNATURES.jpeg)) throw foreign("it is a JPEG image; compile the image first.");
  if (starts(SIGNATURES.png)) throw foreign("it is a PNG image; compile the image first.");
  if (starts(SIGNATURES.riff)) throw foreign("it is a RIFF file, perhaps a WebP image.");
  if (starts(SIGNATURES.zip)) throw foreign("it is a ZIP archive; take the .mind file out of it.");
  if (starts(SIGNATURES.gzip)) throw foreign("it is compressed with gzip; send it uncompressed.");
}

// Reading

function readTarget(reader: Reader): ImageTarget {
  let width = 0;
  let height = 0;
  let keyframes: Keyframe[] = [];
  let tracking: TrackingImage[] = [];
  readFields(reader, "a target", {
    targetImage: () =>
      readFields(reader, "targetImage", {
        width: () => (width = reader.integer("a target's width", 1, MAX_SIDE)),
        height: () => (height = reader.integer("a target's height", 1, MAX_SIDE)),
      }),
    trackingData: () => {
      tracking = readArray(
        reader,
        "trackingData",
        TRACKING_IMAGES,
        TRACKING_IMAGES,
        MIN_BYTES.tracking,
        readTracking,
      );
    },
    matchingData: () => {
      keyframes = readArray(reader, "matchingData", 1, MAX_KEYFRAMES, MIN_BYTES.keyframe, readKeyframe);
    },
  });
  for (const keyframe of keyframes) checkScale("keyframe", keyframe, width, height);
  for (const image of tracking) checkScale("tracking image", image, width, height);
  return { width, height, keyframes, tracking };
}

/** Throws unless `scale` fits the sizes: the player converts image pixels to target pixels by `scale` alone. */
function checkScale(
  what: string,
  image: { readonly width: number; readonly height: number; readonly scale: number },
  width: number,
  height: number,
): void {
  if (Math.abs(image.width - width * image.scale) > 1 || Math.abs(image.height - height * image.scale) > 1) {
    throw invalid(
      `a ${what} of ${image.width} × ${image.height} does not fit a target of ${width} × ${height} at scale ${image.scale}.`,
    );
  }
}

function readTracking(reader: Reader): TrackingImage {
  let data = new Uint8Array(0);
  let width = 0;
  let height = 0;
  let scale = 0;
  let points: { x: number; y: number }[] = [];
  readFields(reader, "a tracking image", {
    data: () => (data = reader.binary("a tracking image's data")),
    scale: () => (scale = reader.positive("a tracking image's scale", MAX_SCALE)),
    width: () => (width = reader.integer("a tracking image's width", 1, MAX_SIDE)),
    height: () => (height = reader.integer("a tracking image's height", 1, MAX_SIDE)),
    points: () => {
      points = readArray(
        reader,
        "the list of tracking points",
        0,
        MAX_POINTS,
        MIN_BYTES.coordinates,
        readCoordinates,
      );
    },
  });
  if (data.length !== width * height) {
    throw invalid(`a tracking image of ${width} × ${height} has ${data.length} bytes of pixels.`);
  }
  for (const { x, y } of points) checkWithin("tracking point", x, y, width, height);
  return { data, width, height, scale, points };
}

/** Throws unless a point lies within its image, borders included. */
function checkWithin(what: string, x: number, y: number, width: number, height: number): void {
  if (x >= 0 && x <= width && y >= 0 && y <= height) return;
  throw invalid(`a ${what} at (${x}, ${y}) lies outside its image of ${width} × ${height}.`);
}

function readCoordinates(reader: Reader): { x: number; y: number } {
  let x = 0;
  let y = 0;
  readFields(reader, "a tracking point", {
    x: () => (x = reader.number("a tracking point's x")),
    y: () => (y = reader.number("a tracking point's y")),
  });
  return { x, y };
}

function readKeyframe(reader: Reader): Keyframe {
  let width = 0;
  let height = 0;
  let scale = 0;
  let maxima = noPoints;
  let minima = noPoints;
  let maximaCluster = emptyLeaf;
  let minimaCluster = emptyLeaf;
  readFields(reader, "a keyframe", {
    maximaPoints: () => (maxima = readPoints(reader, true)),
    minimaPoints: () => (minima = readPoints(reader, false)),
    maximaPointsCluster: () => (maximaCluster = readCluster(reader)),
    minimaPointsCluster: () => (minimaCluster = readCluster(reader)),
    width: () => (width = reader.integer("a keyframe's width", 1, MAX_SIDE)),
    height: () => (height = reader.integer("a keyframe's height", 1, MAX_SIDE)),
    scale: () => (scale = reader.positive("a keyframe's scale", MAX_SCALE)),
  });
  for (const { count, x, y } of [maxima, minima]) {
    for (let i = 0; i < count; i++) checkWithin("feature point", x[i], y[i], width, height);
  }
  checkCluster("maxima", maximaCluster, maxima.count);
  checkCluster("minima", minimaCluster, minima.count);
  return { width, height, scale, maxima, minima, maximaCluster, minimaCluster };
}

const noPoints: FeaturePoints = {
  count: 0,
  x: new Float64Array(0),
  y: new Float64Array(0),
  scale: new Float64Array(0),
  angle: new Float64Array(0),
  descriptors: new Uint32Array(0),
};

const emptyLeaf: ClusterNode = { leaf: true, centerPointIndex: null, pointIndexes: [] };

function readPoints(reader: Reader, maxima: boolean): FeaturePoints {
  const count = reader.array("a list of feature points", 0, MAX_POINTS, MIN_BYTES.point);
  const x = new Float64Array(count);
  const y = new Float64Array(count);
  const scale = new Float64Array(count);
  const angle = new Float64Array(count);
  const descriptors = new Uint32Array(count * DESCRIPTOR_WORDS);
  let i = 0;
  const fields = fieldsOf({
    maxima: () => {
      if (reader.boolean("a feature point's maxima") !== maxima) {
        throw invalid(`a ${maxima ? "minimum is among the maxima" : "maximum is among the minima"}.`);
      }
    },
    x: () => (x[i] = reader.number("a feature point's x")),
    y: () => (y[i] = reader.number("a feature point's y")),
    scale: () => (scale[i] = reader.powerOfTwo("a feature point's scale", MAX_POINT_SCALE)),
    angle: () => (angle[i] = reader.angle("a feature point's angle")),
    descriptors: () => {
      if (reader.atNil) throw reader.noDescriptors("a feature point's descriptors", "an array");
      reader.array("a feature point's descriptors", DESCRIPTOR_WORDS, DESCRIPTOR_WORDS, 1);
      reader.words("a descriptor word", descriptors, i * DESCRIPTOR_WORDS, DESCRIPTOR_WORDS);
    },
  });
  for (; i < count; i++) readMap(reader, "a feature point", fields);
  return { count, x, y, scale, angle, descriptors };
}

function readCluster(reader: Reader): ClusterNode {
  let root = emptyLeaf;
  const budget = { indexes: MAX_POINTS };
  readFields(reader, "a cluster", { rootNode: () => (root = readNode(reader, 0, budget)) });
  return root;
}

function readNode(reader: Reader, depth: number, budget: { indexes: number }): ClusterNode {
  if (depth > MAX_TREE_DEPTH) throw invalid(`a cluster tree is deeper than ${MAX_TREE_DEPTH} levels.`);
  const node: {
    centerPointIndex: number | null;
    leaf: boolean;
    pointIndexes?: number[];
    children?: ClusterNode[];
  } = { centerPointIndex: null, leaf: false };
  readFields(
    reader,
    "a cluster node",
    {
      centerPointIndex: () => (node.centerPointIndex = reader.center(depth === 0)),
      leaf: () => (node.leaf = reader.boolean("a cluster node's leaf")),
      pointIndexes: () => {
        node.pointIndexes = readArray(reader, "a leaf's pointIndexes", 0, budget.indexes, 1, readIndex);
        budget.indexes -= node.pointIndexes.length;
      },
      children: () => {
        node.children = readArray(reader, "a cluster node's children", 1, MAX_POINTS, MIN_BYTES.node, (of) =>
          readNode(of, depth + 1, budget),
        );
      },
    },
    1,
  );
  const { leaf, centerPointIndex, pointIndexes, children } = node;
  if (leaf && pointIndexes && !children) return { leaf, centerPointIndex, pointIndexes };
  if (!leaf && children && !pointIndexes) return { leaf, centerPointIndex, children };
  throw invalid("a cluster leaf has pointIndexes and any other node has children, never both.");
}

function readIndex(reader: Reader): number {
  return reader.integer("a leaf's point index", 0, MAX_POINTS - 1);
}

/** Throws unless the leaves hold every point exactly once and every centre is a point. */
function checkCluster(what: string, root: ClusterNode, count: number): void {
  const seen = new Uint8Array(count);
  let covered = 0;
  const visit = (node: ClusterNode): void => {
    if (node.centerPointIndex !== null && node.centerPointIndex >= count) {
      throw invalid(`a ${what} cluster is centred on point ${node.centerPointIndex} of ${count}.`);
    }
    if (!node.leaf) {
      for (const child of node.children) visit(child);
      return;
    }
    for (const index of node.pointIndexes) {
      if (index >= count) throw invalid(`a ${what} cluster names point ${index} of ${count}.`);
      if (seen[index]) throw invalid(`a ${what} cluster names point ${index} twice.`);
      seen[index] = 1;
      covered++;
    }
  };
  visit(root);
  if (covered !== count) throw invalid(`a ${what} cluster holds ${covered} of ${count} points.`);
}

/** The keys of a map, and the function that reads the value of each. */
interface Fields {
  readonly names: readonly string[];
  readonly reads: readonly (() => void)[];
}

function fieldsOf(reads: Record<string, () => void>): Fields {
  return { names: Object.keys(reads), reads: Object.values(reads) };
}

/** Reads one map. For maps that occur by the thousand, prepare the fields once and call `readMap`. */
function readFields(reader: Reader, what: string, reads: Record<string, () => void>, absent = 0): void {
  readMap(reader, what, fieldsOf(reads), absent);
}

/**
 * Reads a map whose keys are those of `fields`, in any order, each at most once. Exactly `absent` keys must be
 * missing.
 */
function readMap(reader: Reader, what: string, { names, reads }: Fields, absent = 0): void {
  const length = reader.map(what);
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const field = reader.field(what, names, i);
    if (seen & (1 << field)) throw reader.fault(`${what} has the field "${names[field]}" twice`);
    seen |= 1 << field;
    reads[field]();
  }
  if (length !== names.length - absent) {
    const missing = names.filter((_, field) => !(seen & (1 << field))).join(", ");
    throw reader.fault(missing ? `${what} lacks ${missing}` : `${what} has too many fields`);
  }
}

function readArray<T>(
  reader: Reader,
  what: string,
  min: number,
  max: number,
  minBytes: number,
  readItem: (reader: Reader) => T,
): T[] {
  const length = reader.array(what, min, max, minBytes);
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(readItem(reader));
  return items;
}

/** Reads MessagePack values of expected types from a cursor; throws for any other value. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  /** Start of the current value, for messages. */
  #start = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fault(sentence: string, fault?: MarkerFault): CompileError {
    return invalid(`at byte ${this.#start} ${sentence}.`, fault);
  }

  /** Whether the next value is null. */
  get atNil(): boolean {
    return this.#bytes[this.#offset] === 0xc0;
  }

  /** Returns the fault of a null in place of a descriptor or its words, which broken compilers write. */
  noDescriptors(what: string, expected: string): CompileError {
    this.#start = this.#offset;
    return this.fault(
      `${what} is null, expected ${expected}; the compiler that wrote it described no points`,
      "null_descriptors",
    );
  }

  end(): void {
    const extra = this.#bytes.length - this.#offset;
    if (extra > 0) throw invalid(`${extra} bytes follow after its end at byte ${this.#offset}.`);
  }

  map(what: string): number {
    const head = this.#head(what);
    if (head >= 0x80 && head <= 0x8f) return head & 0x0f;
    if (head === 0xde) return this.#view.getUint16(this.#take(2, what));
    if (head === 0xdf) return this.#view.getUint32(this.#take(4, what));
    throw this.#unexpected(what, "a map", head);
  }

  /** Reads the length of an array of `min` to `max` elements of at least `minBytes` each. */
  array(what: string, min: number, max: number, minBytes: number): number {
    const head = this.#head(what);
    let length: number;
    if (head >= 0x90 && head <= 0x9f) length = head & 0x0f;
    else if (head === 0xdc) length = this.#view.getUint16(this.#take(2, what));
    else if (head === 0xdd) length = this.#view.getUint32(this.#take(4, what));
    else throw this.#unexpected(what, "an array", head);
    if (length < min || length > max) {
      const expected = min === max ? `${min}` : `${min} to ${max}`;
      throw this.fault(`${what} has ${length} elements, expected ${expected}`);
    }
    if (length * minBytes > this.#bytes.length - this.#offset) throw this.#truncated(what);
    return length;
  }

  /** Reads a key and returns its index in `names`. Tries `guess` first, because most files are in order. */
  field(what: string, names: readonly string[], guess: number): number {
    if (guess < names.length && this.#skipKey(names[guess])) return guess;
    const text = this.#string(what);
    if (text === null) {
      throw this.#unexpected(`a field name of ${what}`, "a short string", this.#bytes[this.#start]);
    }
    const field = names.indexOf(text);
    if (field < 0) throw this.fault(`${what} has an unknown field "${text}"`);
    return field;
  }

  /** Reads `count` unsigned 32-bit integers into `target`. */
  words(what: string, target: Uint32Array, start: number, count: number): void {
    for (let i = start; i < start + count; i++) {
      const offset = this.#offset;
      if (this.#bytes[offset] === 0xce && offset + 5 <= this.#bytes.length) {
        target[i] = this.#view.getUint32(offset + 1);
        this.#offset = offset + 5;
      } else {
        if (this.atNil) throw this.noDescriptors(what, "a number");
        target[i] = this.integer(what, 0, 0xffffffff);
      }
    }
  }

  binary(what: string): Uint8Array<ArrayBuffer> {
    const head = this.#head(what);
    let length: number;
    if (head === 0xc4) length = this.#view.getUint8(this.#take(1, what));
    else if (head === 0xc5) length = this.#view.getUint16(this.#take(2, what));
    else if (head === 0xc6) length = this.#view.getUint32(this.#take(4, what));
    else throw this.#unexpected(what, "bytes", head);
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length) as Uint8Array<ArrayBuffer>;
  }

  boolean(what: string): boolean {
    const head = this.#head(what);
    if (head === 0xc2) return false;
    if (head === 0xc3) return true;
    throw this.#unexpected(what, "true or false", head);
  }

  /** Reads a finite number of any MessagePack width. */
  number(what: string): number {
    const head = this.#head(what);
    const value = this.#numberAfter(head, what);
    if (!Number.isFinite(value)) throw this.fault(`${what} is ${value}, expected a finite number`);
    return value;
  }

  integer(what: string, min: number, max: number): number {
    const value = this.number(what);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw this.fault(`${what} is ${value}, expected a whole number from ${min} to ${max}`);
    }
    return value;
  }

  positive(what: string, max: number): number {
    const value = this.number(what);
    if (value <= 0 || value > max) {
      throw this.fault(`${what} is ${value}, expected more than 0 and at most ${max}`);
    }
    return value;
  }

  powerOfTwo(what: string, max: number): number {
    const value = this.number(what);
    if (!(value >= 1 && value <= max) || !Number.isInteger(Math.log2(value))) {
      throw this.fault(`${what} is ${value}, expected a power of two from 1 to ${max}`);
    }
    return value;
  }

  /** Reads an angle in radians. */
  angle(what: string): number {
    const value = this.number(what);
    if (Math.abs(value) > MAX_ANGLE) throw this.fault(`${what} is ${value}, expected -2π to 2π`);
    return value;
  }

  /** Reads a cluster node's centre: nil at the root; below the root a decimal string or a number. */
  center(root: boolean): number | null {
    const what = "a cluster node's centerPointIndex";
    if (this.#bytes[this.#offset] === 0xc0) {
      this.#head(what);
      if (!root) throw this.fault(`${what} is null below the root`);
      return null;
    }
    if (root) throw this.#unexpected(`${what} at the root`, "null", this.#head(what));
    const text = this.#string(what);
    if (text === null) {
      this.#offset = this.#start;
      return this.integer(what, 0, MAX_POINTS - 1);
    }
    if (!/^(0|[1-9][0-9]{0,3})$/.test(text)) {
      throw this.fault(`${what} is "${text}", expected a decimal number`);
    }
    return Number(text);
  }

  /** Moves past the key `name` if it comes next. */
  #skipKey(name: string): boolean {
    const start = this.#offset + 1;
    if (this.#bytes[start - 1] !== (0xa0 | name.length)) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[start + i] !== name.charCodeAt(i)) return false;
    }
    this.#start = this.#offset;
    this.#offset = start + name.length;
    return true;
  }

  /** Reads a string of at most 31 bytes, unprintable ones as "?"; returns null for any other value. */
  #string(what: string): string | null {
    const head = this.#head(what);
    if (head !== 0xd9 && (head < 0xa0 || head > 0xbf)) return null;
    const length = head === 0xd9 ? this.#view.getUint8(this.#take(1, what)) : head & 0x1f;
    if (length > 31) return null;
    const start = this.#take(length, what);
    let text = "";
    for (let i = start; i < start + length; i++) {
      const byte = this.#bytes[i];
      text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
    }
    return text;
  }

  #numberAfter(head: number, what: string): number {
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    const view = this.#view;
    switch (head) {
      case 0xca:
        return view.getFloat32(this.#take(4, what));
      case 0xcb:
        return view.getFloat64(this.#take(8, what));
      case 0xcc:
        return view.getUint8(this.#take(1, what));
      case 0xcd:
        return view.getUint16(this.#take(2, what));
      case 0xce:
        return view.getUint32(this.#take(4, what));
      case 0xcf:
        return Number(view.getBigUint64(this.#take(8, what)));
      case 0xd0:
        return view.getInt8(this.#take(1, what));
      case 0xd1:
        return view.getInt16(this.#take(2, what));
      case 0xd2:
        return view.getInt32(this.#take(4, what));
      case 0xd3:
        return Number(view.getBigInt64(this.#take(8, what)));
    }
    throw this.#unexpected(what, "a number", head);
  }

  #head(what: string): number {
    this.#start = this.#offset;
    return this.#bytes[this.#take(1, what)];
  }

  #take(length: number, what: string): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw this.#truncated(what);
    this.#offset = start + length;
    return start;
  }

  #truncated(what: string): CompileError {
    return invalid(`it is cut off after ${this.#bytes.length} bytes, in the middle of ${what}.`, "truncated");
  }

  #unexpected(what: string, expected: string, head: number): CompileError {
    return this.fault(`${what} is ${typeOf(head)}, expected ${expected}`);
  }
}

/** Names the type of a MessagePack value by its first byte. */
function typeOf(head: number): string {
  if (head < 0x80 || head >= 0xe0 || (head >= 0xca && head <= 0xd3)) return "a number";
  if (head <= 0x8f || head === 0xde || head === 0xdf) return "a map";
  if (head <= 0x9f || head === 0xdc || head === 0xdd) return "an array";
  if (head <= 0xbf || (head >= 0xd9 && head <= 0xdb)) return "a string";
  if (head === 0xc0) return "null";
  if (head === 0xc2 || head === 0xc3) return "true or false";
  if (head >= 0xc4 && head <= 0xc6) return "bytes";
  return head === 0xc1 ? "not MessagePack" : "an extension type";
}

// Writing

/** Estimates the size of the file, so that the buffer rarely has to grow. */
function estimateBytes(targets: readonly ImageTarget[]): number {
  let bytes = 64;
  for (const target of targets) {
    for (const image of target.tracking) bytes += image.data.length + image.points.length * 11 + 64;
    for (const keyframe of target.keyframes) {
      bytes += (keyframe.maxima.count + keyframe.minima.count) * 190 + 256;
    }
  }
  return bytes;
}

function writeTarget(writer: Writer, target: ImageTarget): void {
  writer.map(3);
  writer.string("targetImage");
  writer.map(2);
  writer.field("width", target.width);
  writer.field("height", target.height);
  writer.string("trackingData");
  writer.array(target.tracking.length);
  for (const image of target.tracking) writeTracking(writer, image);
  writer.string("matchingData");
  writer.array(target.keyframes.length);
  for (const keyframe of target.keyframes) writeKeyframe(writer, keyframe);
}

function writeTracking(writer: Writer, image: TrackingImage): void {
  writer.map(5);
  writer.string("data");
  writer.binary(image.data);
  writer.field("scale", image.scale);
  writer.field("width", image.width);
  writer.field("height", image.height);
  writer.string("points");
  writer.array(image.points.length);
  for (const point of image.points) {
    writer.map(2);
    writer.field("x", point.x);
    writer.field("y", point.y);
  }
}

function writeKeyframe(writer: Writer, keyframe: Keyframe): void {
  writer.map(7);
  writer.string("maximaPoints");
  writePoints(writer, keyframe.maxima, true);
  writer.string("minimaPoints");
  writePoints(writer, keyframe.minima, false);
  writer.string("maximaPointsCluster");
  writer.map(1);
  writer.string("rootNode");
  writeNode(writer, keyframe.maximaCluster);
  writer.string("minimaPointsCluster");
  writer.map(1);
  writer.string("rootNode");
  writeNode(writer, keyframe.minimaCluster);
  writer.field("width", keyframe.width);
  writer.field("height", keyframe.height);
  writer.field("scale", keyframe.scale);
}

function writePoints(writer: Writer, points: FeaturePoints, maxima: boolean): void {
  writer.array(points.count);
  for (let i = 0; i < points.count; i++) {
    writer.map(6);
    writer.string("maxima");
    writer.boolean(maxima);
    writer.field("x", points.x[i]);
    writer.field("y", points.y[i]);
    writer.field("scale", points.scale[i]);
    writer.field("angle", points.angle[i]);
    writer.string("descriptors");
    writer.array(DESCRIPTOR_WORDS);
    writer.words(points.descriptors, i * DESCRIPTOR_WORDS, DESCRIPTOR_WORDS);
  }
}

function writeNode(writer: Writer, node: ClusterNode): void {
  writer.map(3);
  writer.string("centerPointIndex");
  if (node.centerPointIndex === null) writer.nil();
  else writer.string(String(node.centerPointIndex));
  writer.string("leaf");
  writer.boolean(node.leaf);
  if (node.leaf) {
    writer.string("pointIndexes");
    writer.array(node.pointIndexes.length);
    for (const index of node.pointIndexes) writer.number(index);
  } else {
    writer.string("children");
    writer.array(node.children.length);
    for (const child of node.children) writeNode(writer, child);
  }
}

/** Appends MessagePack in its shortest form. Numbers other than 32-bit integers become 64-bit floats. */
class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  nil(): void {
    this.#byte(0xc0);
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** Writes the head of a map of at most 15 fields. */
  map(length: number): void {
    this.#byte(0x80 | length);
  }

  array(length: number): void {
    if (length < 0x10) this.#byte(0x90 | length);
    else if (length < 0x10000) this.#uint16(0xdc, length);
    else this.#uint32(0xdd, length);
  }

  /** Writes ASCII text of at most 31 characters. */
  string(text: string): void {
    const start = this.#grow(1 + text.length);
    this.#bytes[start] = 0xa0 | text.length;
    for (let i = 0; i < text.length; i++) this.#bytes[start + 1 + i] = text.charCodeAt(i);
  }

  binary(data: Uint8Array): void {
    if (data.length < 0x100) this.#uint8(0xc4, data.length);
    else if (data.length < 0x10000) this.#uint16(0xc5, data.length);
    else this.#uint32(0xc6, data.length);
    const start = this.#grow(data.length);
    this.#bytes.set(data, start);
  }

  field(name: string, value: number): void {
    this.string(name);
    this.number(value);
  }

  number(value: number): void {
    if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
      const start = this.#grow(9);
      this.#bytes[start] = 0xcb;
      this.#view.setFloat64(start + 1, value);
    } else if (value >= 0) {
      if (value < 0x80) this.#byte(value);
      else if (value < 0x100) this.#uint8(0xcc, value);
      else if (value < 0x10000) this.#uint16(0xcd, value);
      else this.#uint32(0xce, value);
    } else if (value >= -0x20) this.#byte(value & 0xff);
    else if (value >= -0x80) this.#uint8(0xd0, value);
    else if (value >= -0x8000) this.#uint16(0xd1, value);
    else this.#uint32(0xd2, value);
  }

  /** Writes 32-bit integers; optimised for those that need all their bits. */
  words(values: Uint32Array, first: number, count: number): void {
    let to = this.#grow(5 * count);
    const bytes = this.#bytes;
    for (let i = first; i < first + count; i++) {
      const value = values[i];
      if (value < 0x10000) {
        // The buffer has room already, so `number` does not replace it.
        this.#length = to;
        this.number(value);
        to = this.#length;
        continue;
      }
      bytes[to++] = 0xce;
      bytes[to++] = value >>> 24;
      bytes[to++] = value >>> 16;
      bytes[to++] = value >>> 8;
      bytes[to++] = value;
    }
    this.#length = to;
  }

  #byte(value: number): void {
    const start = this.#grow(1);
    this.#bytes[start] = value;
  }

  #uint8(head: number, value: number): void {
    const start = this.#grow(2);
    this.#bytes[start] = head;
    this.#view.setUint8(start + 1, value);
  }

  #uint16(head: number, value: number): void {
    const start = this.#grow(3);
    this.#bytes[start] = head;
    this.#view.setUint16(start + 1, value);
  }

  #uint32(head: number, value: number): void {
    const start = this.#grow(5);
    this.#bytes[start] = head;
    this.#view.setUint32(start + 1, value);
  }

  /** Makes room for `bytes` more and returns their offset. */
  #grow(bytes: number): number {
    const start = this.#length;
    this.#length = start + bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }
}
