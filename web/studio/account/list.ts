import { useEffect, useRef, useState } from "preact/hooks";
import { toastError } from "../toasts.tsx";

/** A list from the server, and how to read it again. Of several answers under way the last one asked for counts. */
export function useList<T>(read: () => Promise<T[]>): [T[] | null, () => Promise<void>] {
  const [items, setItems] = useState<T[] | null>(null);
  const asked = useRef(0);
  const refresh = async () => {
    const turn = (asked.current += 1);
    try {
      const answer = await read();
      if (turn === asked.current) setItems(answer);
    } catch (reason) {
      toastError(reason);
    }
  };
  // Read once; afterwards when something was changed.
  useEffect(() => void refresh(), []);
  return [items, refresh];
}
