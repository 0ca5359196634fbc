import { beforeAll, describe, expect, test } from "vitest";
import page from "../../../web/viewer.html?raw";
import type { ArContent } from "../../../worker/schemas.ts";
import { Edge, form, json } from "../edge.ts";
import { jpeg, mind, png } from "../fixtures.ts";

describe("a viewer's link, shared", () => {
  const edge = new Edge();
  const settings = { ...edge.settings, publicUrl: "https://vivimark.example" };
  const assets = {
    fetch: async (request: Request) =>
      request.headers.has("If-None-Match")
        ? new Response(null, { status: 304 })
        : new Response(page, { headers: { "Content-Type": "text/html", ETag: '"page"' } }),
  };
  let content: ArContent;

  const get = (path: string, headers = {}) => edge.fetch(path, { headers }, { settings, assets });
  const preview = async (path: string) => previewIn(await (await get(path)).text());

  beforeAll(async () => {
    const { content: submitted, lease } = await edge.submit({ image: png(), compile: "browser" });
    const body = form({ marker: mind(), thumbnail: jpeg(64, 48) });
    const headers = { "Vivimark-Lease": lease!.token };
    await edge.json(`/api/ar-content/${submitted.id}/marker`, { method: "PUT", body, headers });
    content = await edge.json(`/api/ar-content/${submitted.id}`);
  });

  test("has the photo's title and thumbnail", async () => {
    const title = `Anna & "Bob" <script>alert(1)</script> &lt;b&gt; Анна`;
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { title, description: "In Jena, 1931" }));
    const shown = await preview(`/v/${content.unique_id}`);
    expect(shown).toEqual({
      "og:type": "website",
      "og:site_name": "Vivimark",
      "og:title": title,
      "og:description": "In Jena, 1931",
      "og:image": `https://vivimark.example/media/${content.unique_id}/thumbnail?v=1`,
    });
    const picture = await edge.fetch(new URL(shown["og:image"]).pathname);
    expect(picture.headers.get("content-type")).toMatch(/^image\//);
  });

  test("loads the manifest and the thumbnail together with the page's script", async () => {
    const html = await (await get(`/v/${content.unique_id}`)).text();
    expect(html.match(/<link rel="preload"[^>]*>/g)).toEqual([
      `<link rel="preload" as="fetch" href="/api/viewer/${content.unique_id}" crossorigin />`,
      `<link rel="preload" as="image" href="${content.thumbnail_url}" />`,
    ]);
    expect(html.indexOf("preload")).toBeLessThan(html.indexOf("<script"));
    expect(await (await get(`/v/${crypto.randomUUID()}`)).text()).not.toContain("preload");
  });

  test("links the texts of the visitor's language only", async () => {
    const link = (language: string) =>
      `<link rel="modulepreload" hreflang="${language}" href="/${language}.js">`;
    const linked = { fetch: async () => new Response(`<html lang="en">${link("en")}${link("ru")}</html>`) };
    const textsFor = async (language: string) => {
      const headers = { "Accept-Language": language };
      const response = await edge.fetch(`/v/${content.unique_id}`, { headers }, { settings, assets: linked });
      expect(response.headers.get("vary")).toContain("Accept-Language");
      return response.text();
    };
    expect(await textsFor("ru-RU,ru;q=0.9,en-US;q=0.8")).toBe(`<html lang="ru">${link("ru")}</html>`);
    expect(await textsFor("de, en;q=0.5")).toBe(`<html lang="en">${link("en")}</html>`);
    expect(await textsFor("")).toBe(`<html lang="en">${link("en")}</html>`);
  });

  test("says what to do where the photo has no description", async () => {
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { description: "" }));
    expect((await preview(`/v/${content.unique_id}`))["og:description"]).toBe(
      "Point a camera at this photo.",
    );
  });

  test("is never the page of before", async () => {
    const response = await get(`/v/${content.unique_id}`, { "If-None-Match": '"page"' });
    expect([response.status, response.headers.get("etag")]).toEqual([200, null]);
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  test("tells nothing of a paused photo, or of one that does not exist", async () => {
    await edge.json(`/api/ar-content/${content.id}`, json("PATCH", { is_active: false }));
    for (const id of [content.unique_id, crypto.randomUUID(), "x"]) {
      expect(await preview(`/v/${id}`)).toEqual({ "og:type": "website", "og:site_name": "Vivimark" });
    }
  });

  test("is the page alone when the database does not answer", async () => {
    const db = new Proxy({} as typeof edge.db, {
      get() {
        throw new Error("The database does not answer.");
      },
    });
    const response = await edge.fetch(`/v/${content.unique_id}`, {}, { settings, assets, db, replica: db });
    expect(previewIn(await response.text())).toEqual({ "og:type": "website", "og:site_name": "Vivimark" });
  });
});

/** Returns the values of a page's properties as a browser reads them. */
function previewIn(html: string): Record<string, string> {
  const found = [...html.matchAll(/<meta property="([^"]*)" content="([^"]*)"/g)];
  const text = (value: string) => value.replaceAll("&quot;", '"').replaceAll("&amp;", "&");
  return Object.fromEntries(found.map(([, property, value]) => [property, text(value)]));
}
