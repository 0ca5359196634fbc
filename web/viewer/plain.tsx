import { useEffect, useRef } from "preact/hooks";
import type { ViewerManifest } from "../../client/client.ts";
import { keepToPart, shownAt, WHOLE } from "../video/playback.ts";
import { BackIcon, CameraIcon } from "./icons.tsx";
import { t } from "./language.ts";
import { enter, leave } from "./navigation.ts";
import { Photo } from "./photo.tsx";

/** Shows photo and video without the camera. */
export function Plain({ manifest, canTrack }: { manifest: ViewerManifest; canTrack: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const playback = manifest.video_playback ?? WHOLE;
  const { start, poster, is_muted: isMuted } = playback;
  useEffect(() => {
    if (video.current) return keepToPart(video.current, playback, false);
  }, []);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main class="plain">
      <header class="plain-head">
        <button type="button" class="link-button" onClick={leave}>
          <BackIcon /> {t.plain.back}
        </button>
        <h1 ref={heading} tabIndex={-1}>
          {manifest.title}
        </h1>
        {manifest.description && <p class="description">{manifest.description}</p>}
      </header>
      <div class="plain-media">
        <figure>
          <Photo manifest={manifest} src={manifest.picture_url} />
          <figcaption>{t.plain.photo}</figcaption>
        </figure>
        {manifest.video_url ? (
          <figure>
            <video
              ref={video}
              class="plain-video"
              src={shownAt(manifest.video_url, poster ?? start)}
              // It would hide the frame that the owner chose.
              poster={(poster === null && manifest.thumbnail_url) || undefined}
              muted={isMuted}
              onVolumeChange={({ currentTarget }) => {
                if (isMuted) currentTarget.muted = true;
              }}
              controls
              playsInline
              preload="metadata"
              aria-label={t.plain.videoOf(manifest.title)}
            />
            <figcaption>{t.plain.video}</figcaption>
          </figure>
        ) : (
          <p class="state">{t.plain.noVideo}</p>
        )}
      </div>
      {canTrack && (
        <button type="button" class="button" onClick={() => enter("camera")}>
          <CameraIcon /> {t.start.startCamera}
        </button>
      )}
    </main>
  );
}
