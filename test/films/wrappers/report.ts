// What a page tells the test of its anchor.

export interface Report {
  /** What the wrapper called or emitted, in order. */
  readonly events: ("found" | "lost")[];
  /** Updates since the last event. */
  updates: number;
  /** Frames that the player has looked at. */
  processed: number;
  readonly anchor: () => { readonly isVisible: boolean; readonly matrix: number[] };
}

/** Returns the report of an anchor, for the page to fill in. */
export function publish(anchor: Report["anchor"]): Report {
  const report: Report = { events: [], updates: 0, processed: 0, anchor };
  Object.assign(globalThis, { report });
  return report;
}

export function tell(report: Report, event: "found" | "lost"): void {
  report.events.push(event);
  report.updates = 0;
}
