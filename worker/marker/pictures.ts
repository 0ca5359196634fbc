import { and, eq } from "drizzle-orm";
import type { Bindings } from "../bindings.ts";
import { KINDS } from "../content/file-kinds.ts";
import { fileValues } from "../content/files.ts";
import { openOriginal } from "../content/original.ts";
import {
  areReserved,
  discardFiles,
  orphanReplaced,
  releaseNamed,
  reserveFiles,
} from "../content/orphaned-files.ts";
import { mediaUrl, versionedPath } from "../content/paths.ts";
import { openStore } from "../content/store.ts";
import { arContent, type Content, hasNoPicture, touched } from "../db/tables.ts";
import { Transaction } from "../db/transaction.ts";
import { assertPreview } from "./delivery.ts";
import type { DeliveredPreviews } from "./outcome.ts";

type Services = Pick<Bindings, "db" | "storages" | "settings" | "preview">;

/**
 * Lets the Node compiler make the picture for viewers of a photo that was compiled without one, and its thumbnail if that
 * is not of the same compilation. A photo whose original is missing, or refused by the compiler, is noted as such.
 *
 * @returns false when it has to be tried again
 * @throws the storage's error, and Refusal for a picture that is not valid; then nothing has changed
 */
export async function makePicture(services: Services, content: Content, now: number): Promise<boolean> {
  const { company } = await openStore(services.db, content.companyId);
  const original = await openOriginal(services, company, content);
  if (!original) return giveUp(services, content, now);
  const outcome = await services.preview({
    taskId: null,
    requestId: crypto.randomUUID(),
    image: original.body,
    imageBytes: original.size,
  });
  if (outcome.kind === "retryable") return false;
  if (outcome.kind === "fatal" || !outcome.previews.picture) return giveUp(services, content, now);
  await store(services, { content, storagePath: company.storagePath, previews: outcome.previews, now });
  return true;
}

async function giveUp({ db }: Services, content: Content, now: number): Promise<boolean> {
  await db.update(arContent).set({ pictureFailedAt: now }).where(isUnchanged(content));
  return true;
}

/** The condition that the photo still lacks its picture, and was neither replaced nor compiled again. */
function isUnchanged({ id, generation }: Content) {
  return and(eq(arContent.id, id), eq(arContent.generation, generation), hasNoPicture);
}

async function store(
  services: Services,
  {
    content,
    storagePath,
    previews,
    now,
  }: {
    readonly content: Content;
    readonly storagePath: string;
    readonly previews: DeliveredPreviews;
    readonly now: number;
  },
): Promise<void> {
  const { db, storages, settings } = services;
  const { id: contentId, companyId, uniqueId, generation: version } = content;
  const hasThumbnail = content.thumbnailUrl === mediaUrl(uniqueId, "thumbnail", version);
  const files = (["thumbnail", "picture"] as const).flatMap((kind) => {
    const bytes = previews[kind];
    if (!bytes || (kind === "thumbnail" && hasThumbnail)) return [];
    assertPreview(kind, bytes);
    const { contentType } = KINDS[kind];
    return [
      {
        kind,
        bytes,
        contentType,
        path: versionedPath(kind, { storagePath, uniqueId, version, contentType }),
      },
    ];
  });
  const paths = files.map(({ path }) => path);
  const reserved = await reserveFiles(db, { companyId, contentId, paths, now });
  const ids = reserved.map(({ id }) => id);
  let isNamed = false;
  try {
    const storage = await storages.open(reserved[0].storageId);
    for (const [i, { bytes, contentType }] of files.entries()) {
      await storage.upload(reserved[i].path, bytes, { length: bytes.length, contentType });
    }
    const condition = and(isUnchanged(content), areReserved(db, ids));
    const transaction = new Transaction();
    for (const { kind } of files) {
      const id = crypto.randomUUID();
      const { quotas } = settings;
      transaction.add(orphanReplaced(db, { id, contentId, kind, condition, quotas, now }));
    }
    const values = files.map(({ kind, bytes }, i) =>
      fileValues(kind, { ...reserved[i], url: mediaUrl(uniqueId, kind, version), bytes: bytes.length }),
    );
    const named = transaction.add(
      db
        .update(arContent)
        .set({ ...Object.assign({}, ...values), updatedAt: touched(now) })
        .where(condition)
        .returning({ id: arContent.id }),
    );
    transaction.add(releaseNamed(db, ids));
    await transaction.commit(db);
    isNamed = named().length > 0;
  } finally {
    if (!isNamed) await discardFiles(services, ids, now);
  }
}
