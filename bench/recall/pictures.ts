// The pictures on which the quality score is fitted and evaluated: pictures of many kinds, and degraded
// versions of some. bench/pictures/README.md lists the sources of the files; the patterns are drawn here.

import { readFile } from "node:fs/promises";
import { encode } from "uqr";
import { decodeImage, toGrey } from "../../compiler/image/decode.ts";
import type { GreyImage } from "../../compiler/types.ts";
import { seeded } from "./camera.ts";

export type Kind =
  | "photograph"
  | "portrait"
  | "painting"
  | "drawing"
  | "logo"
  | "text"
  | "texture"
  | "pattern";

export interface Subject {
  /** Name of the picture and of its degradation: `astronaut`, `astronaut, blurred`. */
  readonly name: string;
  readonly kind: Kind;
  /** Whether it is not used to fit the score. The same for a picture and its versions. */
  readonly heldOut: boolean;
  readonly image: GreyImage;
}

/** Names of the files. Every second picture of a kind is held out. */
const FILES: Readonly<Record<Exclude<Kind, "pattern">, readonly string[]>> = {
  photograph: [
    "airplane-from-above",
    "allium-oreophilum",
    "dust-bowl-home",
    "french-alpine-landscape",
    "black-canyon",
    "march-pastoral",
    "nagasaki-boats",
    "rocket",
    "coffee",
    "coins",
    "moon",
    "clock",
    "galaxies",
    "retina",
    "cell",
    "vessels",
    "locomotion-house-cat",
    "acanthus-mollis",
  ],
  portrait: ["astronaut", "photographer", "photographer-face", "astronaut-face", "gogh-tanguy", "cat-face"],
  painting: [
    "gogh-bridge",
    "gogh-cafe-terrace",
    "gogh-church",
    "gogh-harvest",
    "gogh-painter",
    "gogh-vestibule",
  ],
  drawing: [
    "drawn-beach",
    "drawn-circle",
    "drawn-column",
    "drawn-country",
    "drawn-map",
    "drawn-factory",
    "drawn-fire-engine",
    "drawn-jazz",
    "drawn-landscape",
    "drawn-man-face",
    "drawn-manga-face",
    "drawn-statue",
    "drawn-youngster",
    "horse",
  ],
  logo: ["logo-letters", "logo-monogram"],
  text: ["text-book", "text-letter", "text-photographed", "text-poster", "text-sign", "text-handwritten"],
  texture: ["brick", "grass", "gravel", "tissue"],
};

/** Pictures that also get degraded versions. */
const WORSENED = [
  "astronaut",
  "photographer",
  "photographer-face",
  "gogh-tanguy",
  "dust-bowl-home",
  "allium-oreophilum",
  "nagasaki-boats",
  "coffee",
  "gogh-church",
  "gogh-bridge",
  "drawn-beach",
  "drawn-circle",
  "text-book",
  "text-poster",
];

const VERSIONS: Readonly<Record<string, (image: GreyImage) => GreyImage>> = {
  "a little blurred": (image) => blur(image, 0.006),
  blurred: (image) => blur(image, 0.018),
  "of low contrast": (image) => level(image, (grey) => 110 + (grey - 128) * 0.25),
  pale: (image) => level(image, (grey) => 200 + (grey - 128) * 0.1),
  dark: (image) => level(image, (grey) => (grey / 255) ** 2.2 * 70),
  "small on a page": page,
};

/** Returns two versions for each picture, in turn, so that each version is used several times. */
function versionsOf(index: number): string[] {
  const names = Object.keys(VERSIONS);
  return [names[index % names.length], names[(index * 2 + 3) % names.length]];
}

/** Loads all subjects, at most 640 pixels long. Call `loadCodecs` first. */
export async function loadSubjects(): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const kind of Object.keys(FILES) as (keyof typeof FILES)[]) {
    for (const [i, name] of FILES[kind].entries()) {
      const url = new URL(`../pictures/${name}.webp`, import.meta.url);
      const image = toGrey(await decodeImage(await readFile(url)));
      const heldOut = i % 2 === 1;
      subjects.push({ name, kind, heldOut, image });
      const worse = WORSENED.indexOf(name);
      if (worse === -1) continue;
      for (const version of new Set(versionsOf(worse))) {
        subjects.push({ name: `${name}, ${version}`, kind, heldOut, image: VERSIONS[version](image) });
      }
    }
  }
  Object.entries(PATTERNS).forEach(([name, draw], i) => {
    subjects.push({ name, kind: "pattern", heldOut: i % 2 === 1, image: draw() });
  });
  return subjects;
}

const PATTERNS: Readonly<Record<string, () => GreyImage>> = {
  "gradient, linear": () => paint(640, 480, (x, y) => (x / 640) * 200 + (y / 480) * 50),
  "gradient, radial": () => paint(480, 480, (x, y) => 255 - Math.hypot(x - 240, y - 240) * 0.7),
  checkerboard: () => paint(480, 480, (x, y) => ((Math.floor(x / 60) + Math.floor(y / 60)) % 2) * 255),
  "checkerboard, fine": () =>
    paint(480, 480, (x, y) => ((Math.floor(x / 16) + Math.floor(y / 16)) % 2) * 255),
  stripes: () => paint(480, 640, (x) => (Math.floor(x / 24) % 2) * 255),
  "polka dots": () => paint(480, 480, (x, y) => (Math.hypot((x % 48) - 24, (y % 48) - 24) < 14 ? 40 : 230)),
  rings: () => paint(480, 480, (x, y) => 128 + 120 * Math.sign(Math.sin(Math.hypot(x - 240, y - 240) / 9))),
  disc: () => paint(480, 480, (x, y) => (Math.hypot(x - 240, y - 240) < 150 ? 60 : 240)),
  "polygons, many": () => polygons(90, 11),
  "polygons, few": () => polygons(9, 12),
  "noise, fine": () => noise(2, 13),
  "noise, coarse": () => noise(24, 14),
  "QR code": () => code("https://vivimark.example/v/0f5c2a7e-5a0e-4b51-9e0b-3f1f6f3f2b11"),
  "QR code, small": () => code("hello"),
};

function paint(width: number, height: number, grey: (x: number, y: number) => number): GreyImage {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = Math.min(Math.max(grey(x, y), 0), 255);
  }
  return { data, width, height };
}

/** Draws triangles and bars of random greys. */
function polygons(count: number, seed: number): GreyImage {
  const random = seeded(seed);
  const shapes = Array.from({ length: count }, () => ({
    x: random() * 560,
    y: random() * 420,
    size: (20 + 100 * random()) * (count < 20 ? 2 : 1),
    angle: random() * Math.PI,
    flat: 0.2 + 0.8 * random(),
    grey: random() * 255,
  }));
  return paint(560, 420, (x, y) => {
    let grey = 225;
    for (const shape of shapes) {
      const [c, s] = [Math.cos(shape.angle), Math.sin(shape.angle)];
      const u = ((x - shape.x) * c + (y - shape.y) * s) / shape.size;
      const v = ((y - shape.y) * c - (x - shape.x) * s) / shape.size / shape.flat;
      if (v > 0 && v < 1 && Math.abs(u) < 1 - v) grey = shape.grey;
    }
    return grey;
  });
}

function noise(cell: number, seed: number): GreyImage {
  const random = seeded(seed);
  const columns = Math.ceil(480 / cell);
  const cells = Array.from({ length: columns * columns }, () => random() * 255);
  return paint(480, 480, (x, y) => cells[Math.floor(y / cell) * columns + Math.floor(x / cell)]);
}

function code(text: string): GreyImage {
  const { data, size } = encode(text, { border: 2 });
  const cell = Math.floor(480 / size);
  return paint(size * cell, size * cell, (x, y) =>
    data[Math.floor(y / cell)][Math.floor(x / cell)] ? 0 : 255,
  );
}

function level({ data, width, height }: GreyImage, change: (grey: number) => number): GreyImage {
  const table = Uint8Array.from({ length: 256 }, (_, grey) => Math.min(Math.max(change(grey), 0), 255));
  return { data: data.map((grey) => table[grey]), width, height };
}

/** Blurs with three box filters, which approximate a Gaussian. `share`: its deviation per longer side. */
function blur({ data, width, height }: GreyImage, share: number): GreyImage {
  const radius = Math.max(1, Math.round(share * Math.max(width, height)));
  let from = Float32Array.from(data);
  for (let round = 0; round < 6; round++) {
    const across = round % 2 === 0;
    const [lines, length, line, step] = across ? [height, width, width, 1] : [width, height, 1, width];
    const to = new Float32Array(from.length);
    for (let l = 0; l < lines; l++) {
      const at = (i: number) => from[l * line + Math.min(Math.max(i, 0), length - 1) * step];
      let sum = 0;
      for (let i = -radius; i <= radius; i++) sum += at(i);
      for (let i = 0; i < length; i++) {
        to[l * line + i * step] = sum / (2 * radius + 1);
        sum += at(i + radius + 1) - at(i - radius);
      }
    }
    from = to;
  }
  return { data: Uint8Array.from(from, Math.round), width, height };
}

/** Puts the picture in a corner of a white page of twice its width. */
function page(image: GreyImage): GreyImage {
  const [width, height] = [image.width * 2, image.height * 2];
  return paint(width, height, (x, y) => {
    const [u, v] = [x - Math.round(image.width * 0.15), y - Math.round(image.height * 0.8)];
    return u >= 0 && v >= 0 && u < image.width && v < image.height ? image.data[v * image.width + u] : 250;
  });
}
