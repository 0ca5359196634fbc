import { and, eq, sql } from "drizzle-orm";
import { decodeMind } from "../../compiler/mind.ts";
import { scoreTarget } from "../../compiler/quality.ts";
import { CompileError } from "../../compiler/types.ts";
import type { Bindings } from "../bindings.ts";
import { placeOf } from "../content/files.ts";
import { arContent, type Content, hasOldScore } from "../db/tables.ts";

/**
 * Scores a stored marker for our player. If its file is missing or invalid, the old score stays, as MindAR's.
 *
 * @throws the storage's error; then nothing has changed
 */
export async function scoreAgain(
  { db, storages }: Pick<Bindings, "db" | "storages">,
  content: Content,
): Promise<void> {
  const place = placeOf(content, "marker");
  const stored = place && (await (await storages.open(place.storageId)).download(place.path));
  const quality = stored && score(new Uint8Array(await new Response(stored.body).arrayBuffer()));
  const before = sql`coalesce(json_extract(${arContent.markerMetadata}, '$.quality'), '{}')`;
  const after = quality
    ? sql`json(${JSON.stringify(quality)})`
    : sql`json_set(${before}, '$.player', 'mindar')`;
  await db
    .update(arContent)
    .set({ markerMetadata: sql`json_set(${arContent.markerMetadata}, '$.quality', ${after})` })
    .where(and(eq(arContent.id, content.id), eq(arContent.generation, content.generation), hasOldScore));
}

function score(marker: Uint8Array) {
  try {
    const [target] = decodeMind(marker);
    return scoreTarget(target);
  } catch (error) {
    if (error instanceof CompileError) return null;
    throw error;
  }
}
