import { sql } from "drizzle-orm";
import { inspectImage } from "../../compiler/image/inspect.ts";
import type { Audit } from "../audit/log.ts";
import type { Bindings } from "../bindings.ts";
import { arContent, type CompileTaskRow, type Content } from "../db/tables.ts";
import * as life from "../marker/life.ts";
import { sha256 } from "../sha256.ts";
import { discardFiles, reserveFiles } from "./orphaned-files.ts";
import { mediaUrlPrefix, versionedPath } from "./paths.ts";
import { type ContentStore, isStill } from "./store.ts";

/** A request to replace the photo of a content. */
export interface ImageReplacement {
  readonly content: Content;
  /** The content as the client last saw it: if it has changed since, nothing is done. */
  readonly expected: Content | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The lease of the browser that compiles; null: the Node compiler does. */
  readonly lease: life.NewLease | null;
  readonly audit: Audit;
  readonly now: number;
}

/**
 * Replaces the photo of a content and compiles the new one. The addresses stay; viewers use the marker and the video
 * that exist until the new marker is ready.
 *
 * @returns the new task; undefined when the content does not exist or is not the `expected` one any more
 * @throws CompileError for a file that cannot become a marker
 * @throws Refusal `quota_exceeded`
 */
export async function replaceImage(
  services: Pick<Bindings, "db" | "storages" | "settings">,
  store: ContentStore,
  { content, expected, bytes, lease, audit, now }: ImageReplacement,
): Promise<CompileTaskRow | undefined> {
  const { db, storages, settings } = services;
  const image = inspectImage(bytes);
  const added = bytes.length - content.imageBytes;
  // A photo that is not larger needs no space, even above the quota.
  const wanted = { compilations: 1, ...(added > 0 ? { bytes: added } : {}) };
  const refused = await store.quotaRefusal(wanted, now);
  if (refused) throw refused;
  const isNotLarger = sql`${bytes.length} <= ${arContent.imageBytes}`;
  const { storagePath } = store.company;
  const { uniqueId } = content;
  const version = content.generation + 1;
  const path = versionedPath("image", { storagePath, uniqueId, version, contentType: image.mime });
  const reserved = { companyId: store.company.id, contentId: content.id, paths: [path], now };
  const [file] = await reserveFiles(db, reserved);
  let task: CompileTaskRow | undefined;
  try {
    const storage = await storages.open(file.storageId);
    await storage.upload(path, bytes, { length: bytes.length, contentType: image.mime });
    task = await life.recompile(db, content.id, {
      lease,
      audit,
      now,
      fitsQuotas: sql`${store.fitsQuotas({ compilations: 1 }, now)} AND (${isNotLarger} OR ${store.fitsQuotas({ bytes: sql`${bytes.length} - ${arContent.imageBytes}` }, now)})`,
      image: {
        file,
        quotas: settings.quotas,
        change: {
          imageUrl: sql`${mediaUrlPrefix(uniqueId, "image")} || (${arContent.generation} + 1)`,
          imageType: image.mime,
          imageSha256: await sha256(bytes),
          imageWidth: image.width,
          imageHeight: image.height,
          imageBytes: bytes.length,
        },
        isCurrent: isStill(expected),
      },
    });
  } finally {
    if (!task) await discardFiles(services, [file.id], now);
  }
  if (!task && (await store.get(content.id))) {
    const full = await store.quotaRefusal(wanted, now);
    if (full) throw full;
  }
  return task;
}
