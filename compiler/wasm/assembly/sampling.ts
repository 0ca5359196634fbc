// Twin of compiler/kernels/sampling.ts.

export function sampleLine(
  plane: usize,
  width: i32,
  height: i32,
  bits: i32,
  x: i32,
  y: i32,
  stepX: i32,
  stepY: i32,
  count: i32,
  out: usize,
): void {
  const toWeight = bits - 8;
  const right = (width - 1) << bits;
  const bottom = (height - 1) << bits;
  for (const end = out + count; out < end; out++) {
    const insideX = min(max(x, 0), right);
    const insideY = min(max(y, 0), bottom);
    const column = min(insideX >> bits, width - 2);
    const line = min(insideY >> bits, height - 2);
    const weightX = (insideX - (column << bits)) >> toWeight;
    const weightY = (insideY - (line << bits)) >> toWeight;
    const at = plane + <usize>(line * width + column);
    const above = <i32>load<u16>(at);
    const below = <i32>load<u16>(at + width);
    const a = above & 0xff;
    const c = below & 0xff;
    const upper = (a << 8) + ((above >> 8) - a) * weightX;
    const lower = (c << 8) + ((below >> 8) - c) * weightX;
    store<u8>(out, ((upper << 8) + (lower - upper) * weightY + 0x8000) >> 16);
    x += stepX;
    y += stepY;
  }
}
