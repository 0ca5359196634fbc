import type { Content } from "../db/tables.ts";
import type { ViewerManifest } from "../schemas.ts";

/** Returns what a viewer needs to play a photo. */
export function manifestBody(content: Content): ViewerManifest {
  return {
    unique_id: content.uniqueId,
    title: content.title,
    description: content.description,
    image_width: content.imageWidth,
    image_height: content.imageHeight,
    thumbnail_url: content.thumbnailUrl,
    picture_url: content.pictureUrl ?? content.thumbnailUrl,
    marker_status: content.markerStatus,
    marker_url: content.markerUrl,
    target_width: content.markerMetadata?.width ?? null,
    target_height: content.markerMetadata?.height ?? null,
    video_url: content.videoUrl,
    video_type: content.videoType,
    video_playback: content.videoPlayback,
  };
}
