/** Returns the ids from one item to another, in either direction; only the second one if the first is not listed. */
export function idsBetween(
  items: readonly { readonly id: string }[],
  from: string | null,
  to: string,
): string[] {
  const ids = items.map(({ id }) => id);
  const [start, end] = [ids.indexOf(from ?? ""), ids.indexOf(to)];
  if (start < 0 || end < 0) return [to];
  return ids.slice(Math.min(start, end), Math.max(start, end) + 1);
}
