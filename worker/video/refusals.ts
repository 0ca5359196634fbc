import { Refusal } from "../errors.ts";

/** @param why follows "The video is damaged:" */
export function damaged(why: string): Refusal {
  return new Refusal("video_damaged", `The video is damaged: ${why}. Export it again.`);
}

/** @param needed the bytes that the file would have if it was whole */
export function truncated(size: number, needed: number): Refusal {
  return new Refusal(
    "video_damaged",
    `The video is truncated: the file has ${size} bytes; expected ${needed}. Send the whole file.`,
  );
}
