import type { ViewerManifest } from "../../client/client.ts";

/** The photo, from its picture or from its thumbnail. Its size is reserved while it loads, or is being made (null). */
export function Photo(props: {
  manifest: ViewerManifest;
  src: string | null;
  /** Called when it is loaded, or cannot be. */
  onSettled?: () => void;
}) {
  const { manifest, src, onSettled } = props;
  const style = { "--ratio": manifest.image_width / manifest.image_height };
  return src === null ? (
    <div class="photo" style={style} />
  ) : (
    <img class="photo" src={src} style={style} alt={manifest.title} onLoad={onSettled} onError={onSettled} />
  );
}
