import { signal } from "@preact/signals";

export type View = "start" | "camera" | "plain";

/** The current view. Every view except "start" has a history entry, so that the back button leaves it. */
export const view = signal<View>("start");

/** Whether the address asks for the debug view: `?debug`. */
export const isDebug = new URLSearchParams(location.search).has("debug");

function viewFrom(hash: string): View {
  return hash === "#camera" || hash === "#plain" ? (hash.slice(1) as View) : "start";
}

/**
 * Keeps `view` in step with the address. A page opened at #camera shows the start view, because the camera
 * needs a tap.
 */
export function followHistory(): void {
  const first = viewFrom(location.hash);
  if (first === "camera") history.replaceState(null, "", location.pathname + location.search);
  else view.value = first;
  addEventListener("popstate", () => (view.value = viewFrom(location.hash)));
}

export function enter(next: "camera" | "plain"): void {
  const address = `#${next}`;
  // Switching between camera and plain replaces the entry: the back button still leads to the start view.
  if (history.state?.entered) history.replaceState({ entered: true }, "", address);
  else history.pushState({ entered: true }, "", address);
  view.value = next;
}

export function leave(): void {
  if (history.state?.entered) {
    history.back();
  } else {
    history.replaceState(null, "", location.pathname + location.search);
    view.value = "start";
  }
}
