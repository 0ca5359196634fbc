// Twin of compiler/kernels/matching.ts: compares a byte of the query with that of 16 points at a time.

export function nearestDescriptors(
  query: usize,
  columns: usize,
  count: i32,
  bytes: i32,
  limit: i32,
  slack: i32,
  distances: usize,
  found: usize,
): i32 {
  const end = distances + ((<usize>count + 15) & ~15);
  let smallest = i8x16.splat(-1);
  for (let to = distances; to < end; to += 16) {
    let sum = i8x16.splat(0);
    for (let at = query, last = query + bytes; at < last; at++, columns += 16) {
      const differing = v128.xor(v128.load(columns), v128.load8_splat(at));
      sum = i8x16.add_sat_u(sum, i8x16.popcnt(differing));
    }
    v128.store(to, sum);
    smallest = i8x16.min_u(smallest, sum);
  }
  const least = leastByte(smallest);
  if (least > limit) return 0;
  const most = i8x16.splat(<i8>min((least * slack) >> 8, 255));
  const first = found;
  for (let from = distances, i = 0; from < end; from += 16, i += 16) {
    let near = i8x16.bitmask(i8x16.le_u(v128.load(from), most));
    for (; near !== 0; near &= near - 1) {
      const index = i + ctz(near);
      // The last block may have copies of the last point.
      if (index >= count) break;
      store<i32>(found, index);
      found += 4;
    }
  }
  return <i32>((found - first) >> 2);
}

function leastByte(values: v128): i32 {
  let least = i8x16.min_u(values, v128.shuffle<i64>(values, values, 1, 0));
  least = i8x16.min_u(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
  least = i8x16.min_u(least, v128.shuffle<i16>(least, least, 1, 0, 3, 2, 5, 4, 7, 6));
  least = i8x16.min_u(least, i16x8.shr_u(least, 8));
  return <i32>i8x16.extract_lane_u(least, 0);
}
