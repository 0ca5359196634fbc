import type { Bindings } from "../bindings.ts";
import type { Company, Content } from "../db/tables.ts";
import type { Download } from "../storage/provider.ts";
import { isSamePlace, placeOf } from "./files.ts";
import { ContentStore } from "./store.ts";

/** Opens the original, also if it was moved just now; null when it is missing. */
export async function openOriginal(
  { db, storages }: Pick<Bindings, "db" | "storages">,
  company: Company,
  content: Content,
): Promise<Download | null> {
  const open = async ({ imageStorageId, imagePath }: Content) =>
    (await storages.open(imageStorageId)).download(imagePath);
  const image = await open(content);
  if (image) return image;
  const current = (await new ContentStore(db, company, null).get(content.id))?.content;
  const moved = current && !isSamePlace(placeOf(current, "image"), placeOf(content, "image"));
  return moved ? open(current) : null;
}
