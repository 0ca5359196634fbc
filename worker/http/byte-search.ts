/** Returns the first position of `pattern` in `bytes` at or after `from`; -1 without one. */
export function indexOfBytes(bytes: Uint8Array, pattern: Uint8Array, from = 0): number {
  const last = bytes.length - pattern.length;
  for (let at = bytes.indexOf(pattern[0], from); at !== -1 && at <= last; ) {
    let same = 1;
    while (same < pattern.length && bytes[at + same] === pattern[same]) same += 1;
    if (same === pattern.length) return at;
    at = bytes.indexOf(pattern[0], at + 1);
  }
  return -1;
}
