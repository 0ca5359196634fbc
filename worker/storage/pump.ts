export interface PumpOptions {
  /** Aborted by whoever knows that the target wants no more: the source is cancelled, however silent it is. */
  readonly signal?: AbortSignal;
  /** Called with true when the target is waited for, with false when it took what it was given. */
  readonly onWait?: (waiting: boolean) => void;
}

/**
 * Moves exactly `length` bytes from `source` to `target` and closes it. The last chunk goes only when the
 * source has ended behind it, so that whoever reads the target never takes a body of another length for whole.
 * At most two chunks are in memory.
 *
 * @returns whether the target took everything; if it broke off, whoever reads it knows why. Rejects with a
 *   RangeError for another length, with the source's own error when that breaks; the target is aborted then.
 */
export async function pump(
  source: ReadableStream<Uint8Array>,
  target: WritableStream<Uint8Array>,
  length: number,
  { signal, onWait = () => {} }: PumpOptions = {},
): Promise<boolean> {
  const reader = source.getReader();
  const writer = target.getWriter();
  writer.closed.catch(() => {});
  let open = true;
  // Nothing here is awaited: either side may wait for the other before it hears of this.
  const stop = (reason: unknown) => {
    open = false;
    reader.cancel(reason).catch(() => {});
    writer.abort(reason).catch(() => {});
  };
  const whileOpen = async (taken: Promise<void>) => {
    onWait(true);
    await taken.catch(stop);
    onWait(false);
  };
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    let received = 0;
    let held: Uint8Array | undefined;
    while (open) {
      const { done, value } = await reader.read();
      if (!open) break;
      received += done ? 0 : value.length;
      if (received > length) throw new RangeError(`Expected ${length} bytes, got ${received} or more.`);
      if (done && received < length) throw new RangeError(`Expected ${length} bytes, got ${received}.`);
      if (held) await whileOpen(writer.write(held));
      if (done) {
        if (open) await whileOpen(writer.close());
        return open;
      }
      held = value;
    }
    return false;
  } catch (error) {
    stop(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
