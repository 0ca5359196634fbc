/** What a company can be told of, and what each of it means. */
export const EVENTS = {
  "marker.ready": "A marker is ready, compiled or reused; also once more after a new compilation",
  "marker.failed": "A compilation failed, and will not be tried again by itself",
  "video.attached": "A photo got a video, its first or another one",
  "content.deleted": "A person or a program deleted a photo with all its files",
} as const;

export type ContentEvent = keyof typeof EVENTS;

export const CONTENT_EVENTS = Object.keys(EVENTS) as [ContentEvent, ...ContentEvent[]];

/** Sent when somebody asks for it, whatever the endpoint is told of otherwise. */
export const TEST_EVENT = "webhook.test";

export type AnyEvent = ContentEvent | typeof TEST_EVENT;
