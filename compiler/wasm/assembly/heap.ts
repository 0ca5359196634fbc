export function firstFreeByte(): usize {
  return (__heap_base + 63) & ~63;
}
