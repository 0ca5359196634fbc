/** Returns the median of one or more values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Wall-clock time and CPU time of all of the process's threads, in milliseconds. */
export interface Time {
  readonly wall: number;
  readonly cpu: number;
}

/** Measures one run. On a shared machine, CPU time is more reliable than the clock. */
export async function time<Result>(
  work: () => Result | Promise<Result>,
): Promise<{ result: Result; time: Time }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { result, time: { wall, cpu: (user + system) / 1000 } };
}

/** Formats the median, with the range in brackets. */
export function spread(values: readonly number[]): string {
  const digits = median(values) < 10 ? 1 : 0;
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} … ${most.toFixed(digits)})`;
}
