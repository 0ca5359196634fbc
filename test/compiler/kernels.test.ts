// The WebAssembly kernels give the same bits as their TypeScript twins, on noise and on cases that are hard for
// vectors (odd widths, ties, extremes, flat areas, rows that end inside a vector).

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { describe, expect, test } from "vitest";
import { boxScratchBytes } from "../../compiler/kernels/boxes.ts";
import { PLANE } from "../../compiler/kernels/choice.ts";
import { BORDER } from "../../compiler/kernels/extrema.ts";
import { SAMPLES } from "../../compiler/kernels/freak.ts";
import { COMPILER_KERNELS, type Kernels, openKernels, type Room } from "../../compiler/kernels/kernels.ts";
import { BLOCK } from "../../compiler/kernels/matching.ts";
import { CENTERS, distanceStride } from "../../compiler/kernels/medoids.ts";
import {
  GEOMETRY_BITS,
  GEOMETRY_LENGTH,
  LARGEST_ENTRY,
  PATCH_SUMS,
  TEMPLATE_LENGTH,
} from "../../compiler/kernels/patches.ts";
import { pyramidScratchBytes } from "../../compiler/kernels/pyramid.ts";
import { sampleLine } from "../../compiler/kernels/sampling.ts";
import { GRADIENT_BINS, similarityCount } from "../../compiler/kernels/tracking.ts";
import { DESCRIPTOR_WORDS } from "../../compiler/types.ts";
import { PLAYER_KERNELS } from "../../player/kernels.ts";
import { KERNELS_WASM, kernelModule, PLAYER_WASM, playerModule } from "./kernels.ts";
import { paint, paintCollage, randomNumbers } from "./pictures.ts";

test.each([
  ["kernels.wasm", "index.ts", KERNELS_WASM],
  ["player.wasm", "player.ts", PLAYER_WASM],
])("%s matches its source; `npm run build:kernels` updates it", async (name, source, file) => {
  const folder = mkdtempSync(join(tmpdir(), "kernels-"));
  try {
    const path = (name: string) => fileURLToPath(new URL(name, file));
    const built = join(folder, name);
    const options = ["--config", path("asconfig.json"), "--outFile", built, "--baseDir", path(".")];
    const { error } = await asc.main([`assembly/${source}`, ...options]);
    expect(error).toBe(null);
    expect(readFileSync(built)).toEqualBytes(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const BOTH = [kernelModule, playerModule];

/** The kernels of all tables. A module has those of its own only. */
const KERNELS = { ...COMPILER_KERNELS, ...PLAYER_KERNELS, sampleLine };

/** Returns the results of `work` with the kernels in TypeScript and in `modules`, in arrays that `lay` allocates. */
function both<Arrays, Result>(
  lay: (room: Room) => Arrays,
  work: (kernels: Kernels<typeof KERNELS>, arrays: Arrays) => Result,
  modules: readonly WebAssembly.Module[] = [kernelModule],
): void {
  const [scalar, ...vector] = [null, ...modules].map((module) => {
    const kernels = openKernels(KERNELS, module);
    return work(kernels, kernels.place(lay));
  });
  for (const results of vector) expect(results).toEqual(scalar);
}

const random = randomNumbers(20);
const noise = (width: number, height: number) => paint(width, height, () => 255 * random());

const pictures = {
  noise: noise(67, 61),
  "black and white noise": paint(66, 47, () => 255 * Math.round(random())),
  "a collage of ties and borders": paintCollage(161, 83),
  white: paint(35, 33, () => 255),
  "a wide strip": noise(253, 9),
  "a tall strip": noise(8, 131),
  "one column more than a vector": noise(17, 16),
};

describe.each(Object.entries(pictures))("%s", (_name, { data, width, height }) => {
  const halfWidth = width >> 1;
  const halfHeight = height >> 1;
  const half = halfWidth * halfHeight;

  test("octave 0 smoothed twice and halved", () => {
    both(
      (room) => ({
        grey: room.uint8(data.length),
        scratch: room.uint8(pyramidScratchBytes(width)),
        out: room.float32(half),
      }),
      (kernels, { grey, scratch, out }) => {
        grey.set(data);
        kernels.halveSmoothed(grey, width, height, scratch, out);
        return out.slice();
      },
      BOTH,
    );
  });

  test("grey image halved", () => {
    both(
      (room) => ({ grey: room.uint8(data.length), out: room.uint8(half) }),
      (kernels, { grey, out }) => {
        grey.set(data);
        kernels.halveGrey(grey, width, height, out);
        return out.slice();
      },
      [playerModule],
    );
  });

  test("patches sampled and summed", () => {
    const count = 40;
    const unit = 2 ** GEOMETRY_BITS;
    const place = (size: number, steps: number) => {
      // Inside with all of the patch's pixels and one more.
      const extent = 7 * Math.abs(steps);
      const start = Math.max(0, size - 1.01 - extent) * random();
      return Math.round((steps < 0 ? start + extent : start) * unit);
    };
    const patches = Array.from({ length: count }, (_, i) => {
      const most = (Math.min(width, height) - 2) / 7.2;
      const scale = Math.min(most, 0.4 + 1.5 * random());
      const turn = i % 4 < 2 ? 0 : scale * 0.4;
      const mirror = i % 2 === 0 ? 1 : -1;
      const [ux, uy, vx, vy] = [mirror * (scale - turn), turn, turn, scale - turn];
      const steps = [ux, uy, vx, vy].map((step) => Math.trunc(step * unit));
      return [place(width, mirror * scale), place(height, scale), ...steps];
    });
    both(
      (room) => ({
        grey: room.uint8(data.length),
        geometry: room.int32(count * GEOMETRY_LENGTH),
        templates: room.int16(count * TEMPLATE_LENGTH),
        sums: room.int32(count * PATCH_SUMS),
      }),
      (kernels, { grey, geometry, templates, sums }) => {
        grey.set(data);
        geometry.set(patches.flat());
        const entries = randomNumbers(21);
        templates.forEach((_, i) => {
          templates[i] = Math.round((2 * entries() - 1) * LARGEST_ENTRY);
        });
        // Every seventh patch is not in the frame.
        sums.fill(0);
        for (let i = 0; i < count; i += 7) sums[i * PATCH_SUMS] = -1;
        kernels.samplePatches(grey, width, geometry, count, templates, sums);
        expect(sums.some((sum) => sum > 0)).toBe(true);
        return sums.slice();
      },
      [playerModule],
    );
  });

  test("differences of octave 0 at a point", () => {
    both(
      (room) => ({ grey: room.uint8(data.length), out: room.float32(9) }),
      (kernels, { grey, out }) => {
        grey.set(data);
        const found: number[][] = [];
        for (let y = 4; y < halfHeight - 4; y++) {
          for (let x = 4; x < halfWidth - 4; x++) {
            kernels.baseDifferences(grey, width, x, y, out);
            found.push(Array.from(out));
          }
        }
        return found;
      },
      BOTH,
    );
  });

  test("an octave's second image and its difference, and the next octave", () => {
    both(
      (room) => ({
        dog: room.float32(data.length),
        scratch: room.uint8(pyramidScratchBytes(width)),
        twice: room.float32(data.length),
        halved: room.float32(half),
      }),
      (kernels, { dog, scratch, twice, halved }) => {
        // Float32 values that use all their bits, of different magnitudes.
        const fraction = randomNumbers(5);
        for (let i = 0; i < dog.length; i++) dog[i] = data[i] * fraction() + fraction() ** 20;
        kernels.smoothAndSubtract(dog, width, height, scratch, twice);
        kernels.halve(twice, width, height, halved);
        return [dog.slice(), twice.slice(), halved.slice()];
      },
      BOTH,
    );
  });

  test("extrema of a plane", () => {
    both(
      (room) => ({ dog: room.float32(data.length), candidates: room.int32(data.length) }),
      (kernels, { dog, candidates }) => {
        // Few grey levels give many ties.
        dog.forEach((_, i) => {
          dog[i] = ((data[i] >> 4) - 8) / 2;
        });
        const count = kernels.findPlaneExtrema(dog, width, BORDER, height - BORDER, 3, candidates);
        return candidates.slice(0, count);
      },
      BOTH,
    );
  });

  test("the angle and the descriptor at every place, also beyond the borders", () => {
    const count = 300;
    both(
      (room) => ({
        plane: room.float32(data.length),
        planes: room.int32(PLANE),
        octave: room.uint8(count),
        x: room.float32(count),
        y: room.float32(count),
        angles: room.float32(count),
        cosines: room.float64(count),
        sines: room.float64(count),
        pattern: room.float32(2 * SAMPLES),
        descriptors: room.uint32(count * DESCRIPTOR_WORDS),
      }),
      (kernels, { plane, planes, octave, x, y, angles, cosines, sines, pattern, descriptors }) => {
        const random = randomNumbers(6);
        plane.set(data);
        planes.set([0, width, height, 0]);
        octave.fill(1);
        x.forEach((_, i) => {
          x[i] = (width + 40) * random() - 20;
          y[i] = (height + 40) * random() - 20;
        });
        pattern.forEach((_, i) => {
          pattern[i] = (2 * random() - 1) * Math.SQRT1_2;
        });
        kernels.findAngles(plane, planes, count, octave, x, y, angles);
        angles.forEach((angle, i) => {
          cosines[i] = 7 * Math.cos(angle);
          sines[i] = 7 * Math.sin(angle);
        });
        kernels.describePoints(plane, planes, count, octave, x, y, cosines, sines, pattern, descriptors);
        return [angles.slice(), descriptors.slice()];
      },
      BOTH,
    );
  });

  test.each([0.97, 0.61, 0.5, 0.31, 0.11, 0.03, 1.7])("boxes at scale %d", (scale) => {
    const outWidth = Math.round(width * scale);
    const outHeight = Math.round(height * scale);
    both(
      (room) => ({
        grey: room.uint8(data.length),
        columns: room.int32(outWidth + 1),
        rows: room.int32(outHeight + 1),
        scratch: room.uint8(boxScratchBytes(width, outWidth)),
        out: room.uint8(outWidth * outHeight),
      }),
      (kernels, { grey, columns, rows, scratch, out }) => {
        grey.set(data);
        columns.forEach((_, i) => {
          columns[i] = Math.min(width, Math.round(i / scale));
        });
        rows.forEach((_, i) => {
          rows[i] = Math.min(height, Math.round(i / scale));
        });
        kernels.averageBoxes(grey, width, columns, rows, outWidth, outHeight, scratch, out);
        return out.slice();
      },
    );
  });

  test.each([1, 4])("sums of templates, corners, and the points chosen with a reach of %i", (reach) => {
    const most = (data.length + 1) >> 1;
    const near = Int32Array.of(0, -1, -1, 0, 1, 0, 0, 1);
    const far = Int32Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? (i % 7) - 3 : (i % 11) + 3));
    both(
      (room) => ({
        grey: room.uint8(data.length),
        columns: room.int32(2 * width),
        sums: room.int32(data.length),
        squares: room.int32(data.length),
        gradient: room.float32(data.length),
        histogram: room.int32(GRADIENT_BINS),
        candidates: room.int32(most),
        bounds: room.float32(most),
        compared: room.int32(most),
        near: room.int32(near.length),
        far: room.int32(far.length),
        similarities: room.float64(similarityCount(near.length / 2)),
        barred: room.uint8(data.length),
        points: room.int32(most),
      }),
      (kernels, arrays) => {
        const { grey, columns, sums, squares, gradient, histogram, candidates, bounds, compared } = arrays;
        grey.set(data);
        arrays.near.set(near);
        arrays.far.set(far);
        kernels.sumTemplates(grey, width, height, columns, sums, squares);
        const count = kernels.findCorners(
          ...([
            grey,
            width,
            height,
            data.length / 5,
            sums,
            squares,
            gradient,
            histogram,
            candidates,
          ] as const),
        );
        const corners = candidates.slice(0, count);
        const chosen = kernels.choosePoints(
          ...([
            grey,
            width,
            height,
            sums,
            squares,
            arrays.near,
            near.length / 2,
            arrays.far,
            far.length / 2,
          ] as const),
          ...([candidates, count, bounds, compared, arrays.similarities, arrays.barred] as const),
          ...([reach, most, arrays.points] as const),
        );
        const last = arrays.points.slice(0, chosen);
        return [sums.slice(), squares.slice(), gradient.slice(), histogram.slice(), corners, last];
      },
    );
  });
});

test("boxes of many pixels", () => {
  const [width, height] = [301, 900];
  const bright = paint(width, height, (x, y) => 250 + ((x * y) % 6));
  both(
    (room) => ({
      grey: room.uint8(width * height),
      columns: room.int32(3),
      rows: room.int32(4),
      scratch: room.uint8(boxScratchBytes(width, 2)),
      out: room.uint8(6),
    }),
    (kernels, { grey, columns, rows, scratch, out }) => {
      grey.set(bright.data);
      columns.set([0, 150, 301]);
      rows.set([0, 200, 500, 900]);
      kernels.averageBoxes(grey, width, columns, rows, 2, 3, scratch, out);
      return out.slice();
    },
  );
});

test.each([
  ["along the rows", 0x18000, 0],
  ["down a column", 0, 0x0a000],
  ["back and aslant", -0x12345, 0x06789],
])("samples %s, beyond the borders too", (_, stepX, stepY) => {
  const [width, height] = [37, 29];
  const image = paint(width, height, (x, y) => (x * 89 + y * 57 + ((x * y) % 7) * 31) % 256);
  both(
    (room) => ({ plane: room.uint8(width * height), out: room.uint8(60) }),
    (kernels, { plane, out }) => {
      plane.set(image.data);
      return [-0x28000, 0x7ffff, 0x240000].map((x) => {
        kernels.sampleLine(plane, width, height, 16, x, 0x140000 - x, stepX, stepY, 60, out);
        return out.slice();
      });
    },
  );
});

test.each([17, 40, 64, 257])("distances and medoids of %i descriptors", (count) => {
  const stride = distanceStride(count);
  both(
    (room) => ({
      descriptors: room.uint32(count * DESCRIPTOR_WORDS),
      distances: room.uint16(count * stride),
      row: room.uint16(count),
      indexes: room.int32(count),
      order: room.int32(count),
      scratch: room.uint16(count * stride),
      best: room.int32(CENTERS),
    }),
    (kernels, { descriptors, distances, row, indexes, order, scratch, best }) => {
      const random = randomNumbers(count);
      // Few kinds and few bits give many equal distances.
      descriptors.forEach((_, i) => {
        descriptors[i] = (i % 5) * 0x11111111 + (1 << Math.floor(4 * random()));
      });
      kernels.hammingDistances(descriptors, count, stride, distances);
      const last = count - 1;
      kernels.hammingRow(descriptors.subarray(last * DESCRIPTOR_WORDS), descriptors, count, row);
      expect(row).toEqual(distances.slice(last * stride, last * stride + count));
      let state = 1234;
      const found: unknown[] = [distances.slice()];
      for (const size of [count, count - 3, 17]) {
        indexes.forEach((_, i) => {
          indexes[i] = count - size + i;
        });
        state = kernels.chooseMedoids(distances, stride, indexes, size, state, order, scratch, best);
        found.push(state, best.slice());
      }
      return found;
    },
  );
});

test.each([1, 15, 16, 50, 333])("the nearest of %i descriptors", (count) => {
  const bytes = 32;
  both(
    (room) => ({
      query: room.uint8(bytes),
      columns: room.uint8(BLOCK * Math.ceil(count / BLOCK) * bytes),
      distances: room.uint8(count + BLOCK),
      found: room.int32(count),
    }),
    (kernels, { query, columns, distances, found }) => {
      const random = randomNumbers(count);
      const results: number[][] = [];
      for (let trial = 0; trial < 20; trial++) {
        const base = Array.from({ length: bytes }, () => 256 * random());
        query.set(base);
        columns.forEach((_, at) => {
          const byte = Math.floor(at / BLOCK) % bytes;
          // In the last block, copies of the last point.
          const point = Math.floor(at / BLOCK / bytes) * BLOCK + (at % BLOCK);
          if (point >= count) columns[at] = columns[at - (at % BLOCK) + ((count - 1) % BLOCK)];
          else columns[at] = random() < trial / 20 ? base[byte] : 256 * random();
        });
        const args = [query, columns, count, bytes] as const;
        const near = kernels.nearestDescriptors(...args, 130, 294, distances, found);
        results.push([near, ...distances.slice(0, count), ...found.slice(0, near)]);
        expect(
          kernels.nearestDescriptors(
            ...args,
            Math.min(...distances.slice(0, count)) - 1,
            294,
            distances,
            found,
          ),
        ).toBe(0);
      }
      return results;
    },
    [playerModule],
  );
});

test("the kernels' memory is kept between images of similar size and released after a huge one", () => {
  for (const module of [null, kernelModule]) {
    const kernels = openKernels(COMPILER_KERNELS, module);
    const bytes = (length: number) => kernels.place((room) => room.uint8(length)).buffer.byteLength;
    const small = bytes(1000);
    const huge = bytes(80_000_000);
    expect(huge).toBeGreaterThanOrEqual(80_000_000);
    expect(bytes(60_000_000)).toBe(huge);
    expect(bytes(1000)).toBe(small);
  }
});
