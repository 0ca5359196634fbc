export interface PumpOptions {
  /** Stops the pump when the target wants no more bytes, even while the source is silent. */
  readonly signal?: AbortSignal;
  /** Called with true before each wait for the target, and with false after it. */
  readonly onWait?: (waiting: boolean) => void;
}

/**
 * Writes exactly `length` bytes from `source` to `target` and closes it. The last chunk is written only after the
 * source has ended, so a reader of the target never mistakes a body of another length for a complete one. At most two
 * chunks are in memory.
 *
 * @returns whether the target accepted everything; when it broke, its reader gets the error
 * @throws RangeError for another length, or the source's own error; the target is aborted then
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
  // Not awaited: each side may wait for the other.
  const stop = (reason: unknown) => {
    open = false;
    reader.cancel(reason).catch(() => {});
    writer.abort(reason).catch(() => {});
  };
  const waitFor = async (accepted: Promise<void>) => {
    onWait(true);
    await accepted.catch(stop);
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
      if (held) await waitFor(writer.write(held));
      if (done) {
        if (open) await waitFor(writer.close());
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
