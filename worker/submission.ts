import { COMPILER_VERSION } from "../compiler/compile.ts";
import { inspectImage } from "../compiler/image/inspect.ts";
import type { Bindings } from "./bindings.ts";
import { type ContentStore, type ContentWithTask, purge } from "./content-store.ts";
import { type FilePlace, placed, placeOf } from "./files.ts";
import { type Creation, newCreation } from "./idempotency.ts";
import { type NewLease, newLease, openedBy } from "./marker-life.ts";
import { freshPath, imagePath, mediaUrl } from "./paths.ts";
import type { Company, Content } from "./schema.ts";
import { sha256 } from "./sha256.ts";

export interface Photo {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly projectId: string;
  readonly title: string;
  readonly description: string;
  /** Who shall compile it first. */
  readonly executor: "browser" | "node";
  readonly maxFeatures: number | null;
  /** When viewers see it no longer; null: never. */
  readonly expiresAt: number | null;
}

export interface Submitted extends ContentWithTask {
  /** The browser's, when it is to compile. */
  readonly lease: NewLease | null;
  readonly reused: boolean;
}

type Services = Pick<Bindings, "db" | "storages" | "queue" | "settings">;

/** Longer than any submission takes from its row to its end. */
const HIDDEN_SECONDS = 900;

const EXTENSIONS = { jpeg: "jpg", png: "png", webp: "webp" } as const;

/**
 * Takes a photo in: stores the original, opens the first compile task, and arms the message that brings the
 * Node compiler. Throws CompileError for a file that cannot become a marker, before anything is stored.
 */
export async function submitPhoto(
  { db, storages, queue, settings }: Services,
  store: ContentStore,
  photo: Photo,
  now: number,
  creation: Creation = newCreation(),
): Promise<Submitted> {
  const image = inspectImage(photo.bytes);
  const imageSha256 = await sha256(photo.bytes);
  const { id } = creation;
  const made = creation.isRepeated ? await resume(db, storages, store, id) : undefined;
  if (made) return made;
  const uniqueId = crypto.randomUUID();
  const storageId = store.company.storageConnectionId;
  const path = imagePath(store.company.storagePath, uniqueId, EXTENSIONS[image.format]);
  // The row first: it names the files to the sweep if this is where it ends.
  const hidden = await store.insertHidden(
    {
      id,
      uniqueId,
      projectId: photo.projectId,
      title: photo.title,
      description: photo.description,
      imageStorageId: storageId,
      imagePath: path,
      imageUrl: mediaUrl(uniqueId, "image", 1),
      imageType: image.mime,
      imageSha256,
      imageWidth: image.width,
      imageHeight: image.height,
      imageBytes: photo.bytes.length,
      generation: 1,
      maxFeatures: photo.maxFeatures,
      expiresAt: photo.expiresAt,
      markerStatus: "pending",
      createdAt: now,
      updatedAt: now,
    },
    now + HIDDEN_SECONDS * 1000,
  );
  try {
    const storage = await storages.open(storageId);
    await storage.upload(path, photo.bytes, { length: photo.bytes.length, contentType: image.mime });
    const found = await store.findReusable(imageSha256, photo.maxFeatures, COMPILER_VERSION);
    const reused = found && (await copyMarker(storages, found, store.company, uniqueId));
    const lease =
      photo.executor === "browser" && !reused ? await newLease(now, settings.browserLeaseSeconds) : null;
    const task = reused
      ? ({ state: "ready", startedAt: now, finishedAt: now } as const)
      : openedBy(lease, now);
    const revealed = await store.reveal(
      hidden,
      { markerStatus: task.state, ...(reused ? { ...reused, markerGeneratedAt: now } : {}) },
      { id: crypto.randomUUID(), generation: 1, createdAt: now, ...task },
    );
    if (!reused) await announce(queue, revealed.content, lease ? settings.browserLeaseSeconds : 0);
    return { ...revealed, lease, reused: Boolean(reused) };
  } catch (error) {
    await discard(db, storages, store, hidden);
    throw error;
  }
}

/**
 * What became of a submission whose answer nobody saw. One that broke off is removed: it begins anew. A lease
 * is its first holder's alone; the Node compiler comes when it ends.
 */
async function resume(
  db: Bindings["db"],
  storages: Bindings["storages"],
  store: ContentStore,
  id: string,
): Promise<Submitted | undefined> {
  const made = await store.get(id);
  if (made)
    return { ...made, lease: null, reused: made.task.state === "ready" && made.task.executor === null };
  const hidden = await store.getHidden(id);
  if (hidden) await purge(db, storages, store.company, hidden);
  return undefined;
}

/** Removes what a failed submission stored, unless it was committed although the answer was lost. */
async function discard(
  db: Bindings["db"],
  storages: Bindings["storages"],
  store: ContentStore,
  hidden: Content,
): Promise<void> {
  try {
    if (!(await store.get(hidden.id))) await purge(db, storages, store.company, hidden);
  } catch (error) {
    console.error(`The files of the failed submission ${hidden.id} are left to the sweep`, error);
  }
}

/**
 * Sends the message that makes the Node compiler look at the newest generation. A message that cannot be
 * sent does not undo what was stored: the sweep finds the row and sends it again.
 */
export async function announce(
  queue: Bindings["queue"],
  { id, generation }: Pick<Content, "id" | "generation">,
  delaySeconds: number,
): Promise<void> {
  try {
    await queue.send({ content_id: id, generation }, delaySeconds);
  } catch (error) {
    console.error(`The message for ${id}, generation ${generation}, is left to the sweep`, error);
  }
}

/**
 * A marker and thumbnail of the content's own, so that deleting one content never breaks another.
 * Null when the other's marker has just gone.
 */
async function copyMarker(
  storages: Bindings["storages"],
  from: Content,
  { storagePath, storageConnectionId: storageId }: Company,
  uniqueId: string,
) {
  const copied = async (kind: "marker" | "thumbnail", extension: string, contentType: string) => {
    const source = placeOf(from, kind);
    if (!source) return null;
    const target = { storageId, path: freshPath(storagePath, kind, uniqueId, 1, extension) };
    return (await copy(storages, source, target, contentType)) ? placed(kind, target) : null;
  };
  const marker = await copied("marker", "mind", "application/octet-stream");
  if (!marker) return null;
  const thumbnail = await copied("thumbnail", "jpg", "image/jpeg");
  return {
    ...marker,
    markerUrl: mediaUrl(uniqueId, "marker", 1),
    markerMetadata: from.markerMetadata,
    ...(thumbnail ? { ...thumbnail, thumbnailUrl: mediaUrl(uniqueId, "thumbnail", 1) } : {}),
  };
}

async function copy(
  storages: Bindings["storages"],
  from: FilePlace,
  to: FilePlace,
  contentType: string,
): Promise<boolean> {
  const source = await (await storages.open(from.storageId)).download(from.path);
  if (!source) return false;
  const target = await storages.open(to.storageId);
  await target.upload(to.path, source.body, { length: source.size, contentType });
  return true;
}
