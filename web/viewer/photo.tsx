import type { ViewerManifest } from "../../client/client.ts";

/** The photo, from its picture or from its thumbnail. Its size is reserved while it loads, or is being made (null). */
export function Photo({ manifest, src }: { manifest: ViewerManifest; src: string | null }) {
  const { title, image_width: width, image_height: height } = manifest;
  const style = { "--ratio": width / height };
  return src === null ? (
    <div class="photo" style={{ ...style, aspectRatio: `${width} / ${height}` }} />
  ) : (
    <img class="photo" src={src} width={width} height={height} style={style} alt={title} />
  );
}
