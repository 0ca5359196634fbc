import type { ViewerManifest } from "../../client/client.ts";

/** The photo. Its size is reserved while it loads. */
export function Photo({ manifest }: { manifest: ViewerManifest }) {
  return (
    <img
      class="photo"
      src={manifest.image_url}
      width={manifest.image_width}
      height={manifest.image_height}
      style={{ "--ratio": manifest.image_width / manifest.image_height }}
      alt={manifest.title}
    />
  );
}
