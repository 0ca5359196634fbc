import type { ViewerManifest } from "../../client/client.ts";

/** The photo, from its full picture or from its thumbnail. Its size is reserved while it loads. */
export function Photo({ manifest, src }: { manifest: ViewerManifest; src: string }) {
  return (
    <img
      class="photo"
      src={src}
      width={manifest.image_width}
      height={manifest.image_height}
      style={{ "--ratio": manifest.image_width / manifest.image_height }}
      alt={manifest.title}
    />
  );
}
