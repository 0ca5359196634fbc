import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { toastError } from "../ui/toasts.tsx";

/**
 * A list from the server, null until the first answer; how to read it again; and why there was no first answer, else
 * empty. Of several answers under way the last one asked for counts.
 */
export function useList<T>(read: () => Promise<T[]>): [T[] | null, () => Promise<void>, string] {
  const [items, setItems] = useState<T[] | null>(null);
  const [error, setError] = useState("");
  const asked = useRef(0);
  const refresh = async () => {
    const turn = (asked.current += 1);
    try {
      const answer = await read();
      if (turn === asked.current) setItems(answer);
    } catch (reason) {
      if (items) toastError(reason);
      else setError(messageOf(reason));
    }
  };
  // Read once; afterwards when something was changed.
  useEffect(() => void refresh(), []);
  return [items, refresh, error];
}
