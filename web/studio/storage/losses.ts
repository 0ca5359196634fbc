import type { StorageConnectionLosses } from "../../../client/client.ts";
import { t } from "../language.ts";

/** Returns what is lost, in sentences. */
export function lossesText({ photos, markers, videos }: StorageConnectionLosses): string {
  const texts = t.storage.giveUp;
  const sentences = [
    photos > 0 && texts.photos(photos),
    markers > 0 && texts.markers(markers),
    videos > 0 && texts.videos(videos),
  ].filter(Boolean);
  return sentences.length > 0 ? sentences.join(" ") : texts.nothing;
}
