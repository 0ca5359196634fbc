import { useEffect } from "preact/hooks";

/** Sets the title of the tab while a page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Vivimark` : "Vivimark";
  }, [title]);
}
