import { useEffect, useRef, useState } from "preact/hooks";
import { messageOf } from "../api/errors.ts";
import { toastError } from "../ui/toasts.tsx";

/**
 * Loads a list. Returns the items (null until the first answer), a function that loads them again, and the error of
 * the first request (otherwise empty). An answer that a later request has overtaken is ignored.
 */
export function useList<T>(read: () => Promise<T[]>): [T[] | null, () => Promise<void>, string] {
  const [items, setItems] = useState<T[] | null>(null);
  const [error, setError] = useState("");
  const latest = useRef(0);
  const refresh = async () => {
    const turn = (latest.current += 1);
    try {
      const answer = await read();
      if (turn === latest.current) setItems(answer);
    } catch (reason) {
      if (items) toastError(reason);
      else setError(messageOf(reason));
    }
  };
  useEffect(() => void refresh(), []);
  return [items, refresh, error];
}
