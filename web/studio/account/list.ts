import { useEffect, useState } from "preact/hooks";
import { toastError } from "../toasts.tsx";

/** A list from the server, and how to read it again. */
export function useList<T>(read: () => Promise<T[]>): [T[] | null, () => Promise<void>] {
  const [items, setItems] = useState<T[] | null>(null);
  // Read once; afterwards when something was changed.
  const refresh = () => read().then(setItems, toastError);
  useEffect(() => void refresh(), []);
  return [items, refresh];
}
