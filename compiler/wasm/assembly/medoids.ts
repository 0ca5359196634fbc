// Twins of compiler/kernels/medoids.ts.

const DESCRIPTOR_BYTES: usize = 84;
const CENTERS = 8;
const HYPOTHESES = 128;

function differing(a: usize, b: usize, offset: usize): i32 {
  return <i32>popcnt(load<u64>(a + offset) ^ load<u64>(b + offset));
}

/** Counts the differing bits of the descriptors at two addresses. */
function countDifferences(a: usize, b: usize): i32 {
  return (
    differing(a, b, 0) +
    differing(a, b, 8) +
    differing(a, b, 16) +
    differing(a, b, 24) +
    differing(a, b, 32) +
    differing(a, b, 40) +
    differing(a, b, 48) +
    differing(a, b, 56) +
    differing(a, b, 64) +
    differing(a, b, 72) +
    popcnt(load<i32>(a, 80) ^ load<i32>(b, 80))
  );
}

export function hammingRow(descriptor: usize, others: usize, count: i32, distances: usize): void {
  for (let i = 0; i < count; i++, others += DESCRIPTOR_BYTES, distances += 2) {
    store<u16>(distances, <u16>countDifferences(descriptor, others));
  }
}

export function hammingDistances(descriptors: usize, count: i32, stride: i32, distances: usize): void {
  for (let i = 0; i < count; i++) {
    const a = descriptors + <usize>i * DESCRIPTOR_BYTES;
    const row = distances + ((<usize>i * stride) << 1);
    memory.fill(row + ((<usize>count) << 1), 0, (<usize>(stride - count)) << 1);
    store<u16>(row + ((<usize>i) << 1), 0);
    let b = a + DESCRIPTOR_BYTES;
    let mirrored = distances + ((<usize>(i + 1) * stride + i) << 1);
    for (let j = i + 1; j < count; j++, b += DESCRIPTOR_BYTES, mirrored += (<usize>stride) << 1) {
      const distance = countDifferences(a, b);
      store<u16>(row + ((<usize>j) << 1), <u16>distance);
      store<u16>(mirrored, <u16>distance);
    }
  }
}

export function chooseMedoids(
  distances: usize,
  stride: i32,
  indexes: usize,
  size: i32,
  state: i32,
  order: usize,
  scratch: usize,
  best: usize,
): i32 {
  // Gather the distances between the node's own points in dense rows, to read eight at a time.
  const rowBytes = ((<usize>size + 7) & ~7) << 1;
  let to = scratch;
  for (let i = 0; i < size; i++, to += rowBytes) {
    const row = distances + ((<usize>load<i32>(indexes + ((<usize>i) << 2)) * stride) << 1);
    v128.store(to + rowBytes - 16, i16x8.splat(0));
    for (let j = 0; j < size; j++) {
      const from = row + ((<usize>load<i32>(indexes + ((<usize>j) << 2))) << 1);
      store<u16>(to + ((<usize>j) << 1), load<u16>(from));
    }
  }
  for (let i = 0; i < size; i++) store<i32>(order + ((<usize>i) << 2), i);

  let bestSum = i32.MAX_VALUE;
  for (let hypothesis = 0; hypothesis < HYPOTHESES; hypothesis++) {
    for (let i = 0; i < CENTERS; i++) {
      state = (214013 * state + 2531011) & 0x7fffffff;
      const here = order + ((<usize>i) << 2);
      const there = order + ((<usize>(<u32>(state >> 16) % <u32>size)) << 2);
      const swapped = load<i32>(here);
      store<i32>(here, load<i32>(there));
      store<i32>(there, swapped);
    }
    const sum = sumOfDistances(scratch, rowBytes, order);
    if (sum < bestSum) {
      bestSum = sum;
      memory.copy(best, order, CENTERS * 4);
    }
  }
  return state;
}

/** Sums all points' distances to the nearest of the first 8 in `order`. */
function sumOfDistances(table: usize, rowBytes: usize, order: usize): i32 {
  const r0 = table + <usize>load<i32>(order) * rowBytes;
  const r1 = table + <usize>load<i32>(order, 4) * rowBytes;
  const r2 = table + <usize>load<i32>(order, 8) * rowBytes;
  const r3 = table + <usize>load<i32>(order, 12) * rowBytes;
  const r4 = table + <usize>load<i32>(order, 16) * rowBytes;
  const r5 = table + <usize>load<i32>(order, 20) * rowBytes;
  const r6 = table + <usize>load<i32>(order, 24) * rowBytes;
  const r7 = table + <usize>load<i32>(order, 28) * rowBytes;
  let sum = i32x4.splat(0);
  for (let i: usize = 0; i < rowBytes; i += 16) {
    const a = i16x8.min_u(v128.load(r0 + i), v128.load(r1 + i));
    const b = i16x8.min_u(v128.load(r2 + i), v128.load(r3 + i));
    const c = i16x8.min_u(v128.load(r4 + i), v128.load(r5 + i));
    const d = i16x8.min_u(v128.load(r6 + i), v128.load(r7 + i));
    const nearest = i16x8.min_u(i16x8.min_u(a, b), i16x8.min_u(c, d));
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(nearest));
  }
  return (
    i32x4.extract_lane(sum, 0) +
    i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) +
    i32x4.extract_lane(sum, 3)
  );
}
