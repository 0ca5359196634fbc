import type { Content } from "../db/tables.ts";

/** What messengers and social networks show of a shared link, by the properties of https://ogp.me. */
export type Preview = Readonly<Record<string, string>>;

/** @param origin where the picture is; "" if it is unknown: its address has to be absolute */
export function previewOf({ title, description, thumbnailUrl, videoUrl }: Content, origin: string): Preview {
  const lead = videoUrl
    ? "Point a camera at this photo to bring it to life."
    : "Point a camera at this photo.";
  return {
    "og:title": title,
    "og:description": description || lead,
    ...(thumbnailUrl && origin && { "og:image": origin + thumbnailUrl }),
  };
}

/** Fills in the properties of a page. Those without a value are removed. The page is sent while `load` runs. */
export function withPreview(page: Response, load: () => Promise<Preview>): Response {
  let loading: Promise<Preview> | undefined;
  const rewriter = new HTMLRewriter().on('meta[property^="og:"][content=""]', {
    async element(meta) {
      loading ??= load();
      const value = (await loading)[meta.getAttribute("property")!];
      if (value) meta.setAttribute("content", value.replaceAll("&", "&amp;"));
      else meta.remove();
    },
  });
  return rewriter.transform(page);
}
