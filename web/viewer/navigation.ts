import { signal } from "@preact/signals";

export type View = "start" | "camera" | "plain";

/** What the page shows. Each view but the first is an entry of the history, so that "back" leaves it. */
export const view = signal<View>("start");

function viewOf(hash: string): View {
  return hash === "#camera" || hash === "#plain" ? (hash.slice(1) as View) : "start";
}

/** Follows the address from now on. A page that is opened on the camera starts with its start view instead. */
export function followHistory(): void {
  const first = viewOf(location.hash);
  if (first === "camera") history.replaceState(null, "", location.pathname);
  else view.value = first;
  addEventListener("popstate", () => (view.value = viewOf(location.hash)));
}

export function enter(next: "camera" | "plain"): void {
  const address = `#${next}`;
  // Between the two, "back" still leads to the start.
  if (history.state?.entered) history.replaceState({ entered: true }, "", address);
  else history.pushState({ entered: true }, "", address);
  view.value = next;
}

export function leave(): void {
  if (history.state?.entered) {
    history.back();
  } else {
    history.replaceState(null, "", location.pathname);
    view.value = "start";
  }
}
