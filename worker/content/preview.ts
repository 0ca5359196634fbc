import type { Language } from "../../messages/languages.ts";
import type { Content } from "../db/tables.ts";

/** What the page of a link contains of its photo. */
export interface Preview {
  /** What messengers and social networks show, by the properties of https://ogp.me. */
  readonly properties: Readonly<Record<string, string>>;
  /** What the start page shows. The browser loads it together with the page's script. */
  readonly preloads: readonly { readonly as: "fetch" | "image"; readonly href: string }[];
}

/** @param origin where the picture is; "" if it is unknown: its address has to be absolute */
export function previewOf(
  { uniqueId, title, description, thumbnailUrl, videoUrl }: Content,
  origin: string,
): Preview {
  const lead = videoUrl
    ? "Point a camera at this photo to bring it to life."
    : "Point a camera at this photo.";
  return {
    properties: {
      "og:title": title,
      "og:description": description || lead,
      ...(thumbnailUrl && origin && { "og:image": origin + thumbnailUrl }),
    },
    preloads: [
      { as: "fetch", href: `/api/viewer/${uniqueId}` },
      ...(thumbnailUrl ? [{ as: "image", href: thumbnailUrl } as const] : []),
    ],
  };
}

/**
 * Keeps the links to texts in one language. Fills in the properties of a page, and the preloads at the first one. Those
 * without a value are removed. The page is sent while `load` runs.
 *
 * @param load returns null for a page without a photo
 */
export function withPreview(
  page: Response,
  language: Language,
  load: () => Promise<Preview | null>,
): Response {
  let loading: Promise<Preview | null> | undefined;
  const rewriter = new HTMLRewriter();
  rewriter.on("html", { element: (html) => void html.setAttribute("lang", language) });
  rewriter.on("link[hreflang]", {
    element(link) {
      if (link.getAttribute("hreflang") !== language) link.remove();
    },
  });
  rewriter.on('meta[property^="og:"][content=""]', {
    async element(meta) {
      const isFirst = loading === undefined;
      loading ??= load();
      const preview = await loading;
      if (isFirst) {
        for (const { as, href } of preview?.preloads ?? []) {
          const crossOrigin = as === "fetch" ? " crossorigin" : "";
          meta.before(`<link rel="preload" as="${as}" href="${escaped(href)}"${crossOrigin} />`, {
            html: true,
          });
        }
      }
      const value = preview?.properties[meta.getAttribute("property")!];
      if (value) meta.setAttribute("content", escaped(value));
      else meta.remove();
    },
  });
  return rewriter.transform(page);
}

/** The rewriter escapes quotation marks itself. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;");
}
