/** The event types that a webhook can subscribe to, with their descriptions. */
export const EVENTS = {
  "marker.ready": "A photo's marker is ready: compiled, recompiled, or reused",
  "marker.failed": "A compilation failed and will not be retried automatically",
  "video.attached": "A photo's video was attached or replaced",
  "content.deleted": "A photo was deleted with all its files",
} as const;

export type ContentEvent = keyof typeof EVENTS;

export const CONTENT_EVENTS = Object.keys(EVENTS) as [ContentEvent, ...ContentEvent[]];

/** The type of the event that tests an endpoint, whatever it subscribes to. */
export const TEST_EVENT = "webhook.test";

export type AnyEvent = ContentEvent | typeof TEST_EVENT;
