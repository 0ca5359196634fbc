import type { StorageConnectionLosses } from "../../../client/client.ts";
import { count } from "../ui/format.ts";

/** Returns what is lost, in sentences. */
export function lossesText({ photos, markers, videos }: StorageConnectionLosses): string {
  const sentences = [
    photos > 0 && `${many(photos, "photo is", "photos are")} deleted, with all files.`,
    markers > 0 && `${many(markers, "other photo has", "other photos have")} to be compiled again.`,
    videos > 0 && `${many(videos, "other photo loses its video", "other photos lose their videos")}.`,
  ].filter(Boolean);
  return sentences.length > 0 ? sentences.join(" ") : "No photo, marker or video is lost.";
}

function many(number: number, one: string, several: string): string {
  return `${count(number)} ${number === 1 ? one : several}`;
}
