import { contents } from "./contents.ts";
import { addressOf } from "./filter.ts";

/** Where in the list of photos the person was, so that going back and reloading return there. */

interface Place {
  /** The address of the list. */
  readonly address: string;
  readonly scrollY: number;
  /** The photo whose card had the focus; null: none. */
  readonly focused: string | null;
  /** How many photos were loaded. */
  readonly loaded: number;
}

/** In the tab's session, for a reload. */
const KEY = "vivimark-photos-place";

let place: Place | null = readPlace();

function readPlace(): Place | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** Notes the place whenever it changes, until the signal aborts. */
export function notePlace(signal: AbortSignal): void {
  if (signal.aborted) return;
  const note = () => {
    const card = document.activeElement?.closest<HTMLElement>("[data-content]");
    place = {
      address: addressOf(contents.filter.value),
      scrollY,
      focused: card?.dataset.content ?? null,
      loaded: contents.items.value?.length ?? 0,
    };
  };
  addEventListener("scroll", note, { signal, passive: true });
  addEventListener("focusin", note, { signal });
  const keep = () => sessionStorage.setItem(KEY, JSON.stringify(place));
  addEventListener("pagehide", keep, { signal });
  signal.addEventListener("abort", keep);
}

/** Returns how many photos were loaded at the place in the list that is shown; 0 if there is none. */
export function loadedAtPlace(): number {
  return isHere() ? (place?.loaded ?? 0) : 0;
}

/** Scrolls to the place and focuses its photo. Returns false if there is none in the list that is shown. */
export function returnToPlace(): boolean {
  if (!place || !isHere()) return false;
  const { scrollY: top, focused } = place;
  if (focused !== null) {
    const card = document.querySelector<HTMLElement>(`[data-content="${CSS.escape(focused)}"] a`);
    card?.focus({ preventScroll: true });
  }
  scrollTo(0, top);
  return true;
}

function isHere(): boolean {
  return place?.address === addressOf(contents.filter.value);
}
