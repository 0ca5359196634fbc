import { COMPILER_VERSION } from "../../compiler/compile.ts";
import { inspectImage } from "../../compiler/image/inspect.ts";
import type { Bindings } from "../bindings.ts";
import { type Creation, newCreation } from "../db/idempotency.ts";
import type { Company, Content } from "../db/tables.ts";
import type { Refusal } from "../errors.ts";
import { logFailure } from "../log.ts";
import { type NewLease, newLease, openedBy } from "../marker/life.ts";
import { sha256 } from "../sha256.ts";
import type { StorageProvider } from "../storage/provider.ts";
import { announceEvents } from "../webhooks/deliveries.ts";
import { KINDS } from "./file-kinds.ts";
import { type FilePlace, placed, placeOf } from "./files.ts";
import { imagePath, mediaUrl, qrCodePath, versionedPath } from "./paths.ts";
import { drawQrCode } from "./qr-code.ts";
import { quotaBrieflyExhausted } from "./quotas.ts";
import { viewerUrl } from "./representation.ts";
import { type ContentStore, type ContentWithTask, type HiddenContent, purge } from "./store.ts";

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

export type Services = Pick<Bindings, "db" | "storages" | "queue" | "webhookQueue" | "settings"> & {
  /** Of the viewer's address in QR codes. */
  readonly origin: string;
};

/** Longer than any submission takes from its row to its end. */
const HIDDEN_SECONDS = 900;

/** A photo that is to be taken in. */
export interface Request {
  readonly photo: Photo;
  readonly creation: Creation;
}

export type Outcome = Submitted | { readonly error: unknown };

/**
 * Takes a photo in: stores the original and its QR code, opens the first compile task, and arms the message that brings the
 * Node compiler. Throws CompileError for a file that cannot become a marker, before anything is stored.
 */
export async function submitPhoto(
  services: Services,
  store: ContentStore,
  photo: Photo,
  now: number,
  creation: Creation = newCreation(),
): Promise<Submitted> {
  const [outcome] = await submitPhotos(services, store, [{ photo, creation }], now);
  if ("error" in outcome) throw outcome.error;
  return outcome;
}

/**
 * The same for several photos, with as many round trips to the database as for one; one that is refused keeps
 * none of the others from being taken in.
 *
 * @returns the outcomes, in the order of the requests; rejects when none was taken in
 */
export async function submitPhotos(
  services: Services,
  store: ContentStore,
  requests: readonly Request[],
  now: number,
): Promise<Outcome[]> {
  const { db, storages, queue, settings } = services;
  const outcomes = new Map<Request, Outcome>();
  const fresh: Prepared[] = [];
  for (const request of requests) {
    try {
      const prepared = await prepare(store, request, now);
      const made = request.creation.isRepeated
        ? await resume(db, storages, store, request.creation.id)
        : undefined;
      if (made) outcomes.set(request, made);
      else fresh.push(prepared);
    } catch (error) {
      outcomes.set(request, { error });
    }
  }
  const reusable =
    fresh.length === 0
      ? []
      : await store.findReusable([...new Set(fresh.map(({ row }) => row.imageSha256))], COMPILER_VERSION);
  const wanted = fresh.map(({ row }) => ({ row, compilations: reusableFor(row, reusable) ? 0 : 1 }));
  // The rows first: they name the files to the sweep if this is where it ends.
  const hidden = await store.insertHidden(wanted, now + HIDDEN_SECONDS * 1000, now);
  const open: (Prepared & { content: Content })[] = [];
  for (const [i, prepared] of fresh.entries()) {
    const content = hidden[i];
    if (content) open.push({ ...prepared, content });
    else outcomes.set(prepared.request, { error: await noRoom(store, wanted[i], now) });
  }
  try {
    const storage = await storages.open(store.company.storageConnectionId);
    const reveals = await Promise.all(
      open.map(async (one) => {
        try {
          return { ...one, ...(await storeFiles(services, store, storage, one, reusable, now)) };
        } catch (error) {
          outcomes.set(one.request, { error });
          await discard(db, storages, store, one.content);
          return null;
        }
      }),
    );
    const stored = reveals.filter((one) => one !== null);
    const revealed = await store.reveal(stored, now);
    const waiting: Content[] = [];
    const reused: string[] = [];
    for (const [i, { request, content, lease, isReused }] of stored.entries()) {
      const made = revealed[i];
      if (made) {
        outcomes.set(request, { ...made, lease, reused: isReused });
        if (isReused) reused.push(made.content.id);
        else waiting.push(made.content);
      } else {
        outcomes.set(request, { error: await noRoom(store, { compilations: 1 }, now) });
        await discard(db, storages, store, content);
      }
    }
    await announceEvents(services, reused);
    const [only] = waiting;
    if (waiting.length > 1) await announceAll(queue, waiting);
    else if (only) {
      const isLeased = stored.some(({ lease }) => lease !== null);
      await announce(queue, only, isLeased ? settings.browserLeaseSeconds : 0);
    }
  } catch (error) {
    for (const { content } of open) await discard(db, storages, store, content);
    throw error;
  }
  return requests.map((request) => outcomes.get(request) ?? { error: new Error("No outcome.") });
}

/** Why a photo was not taken in. */
async function noRoom(
  store: ContentStore,
  { row, compilations }: { row?: Prepared["row"]; compilations: number },
  now: number,
): Promise<Refusal> {
  const bytes = row?.imageBytes ?? 0;
  const refused = await store.overQuota({ contents: row ? 1 : 0, bytes, compilations }, now);
  return refused ?? quotaBrieflyExhausted();
}

/** Content with the marker that this one would get. */
function reusableFor(
  { imageSha256, maxFeatures }: Pick<Prepared["row"], "imageSha256" | "maxFeatures">,
  reusable: readonly Content[],
): Content | undefined {
  return reusable.find((found) => found.imageSha256 === imageSha256 && found.maxFeatures === maxFeatures);
}

interface Prepared {
  readonly request: Request;
  readonly row: HiddenContent["row"];
}

/** The row of a photo. @throws CompileError for a file that cannot become a marker */
async function prepare(store: ContentStore, request: Request, now: number): Promise<Prepared> {
  const { photo, creation } = request;
  const image = inspectImage(photo.bytes);
  const uniqueId = crypto.randomUUID();
  const row = {
    id: creation.id,
    uniqueId,
    projectId: photo.projectId,
    title: photo.title,
    description: photo.description,
    imageStorageId: store.company.storageConnectionId,
    imagePath: imagePath(store.company.storagePath, uniqueId, image.mime),
    imageUrl: mediaUrl(uniqueId, "image", 1),
    imageType: image.mime,
    imageSha256: await sha256(photo.bytes),
    imageWidth: image.width,
    imageHeight: image.height,
    imageBytes: photo.bytes.length,
    qrCodeStorageId: store.company.storageConnectionId,
    qrCodePath: qrCodePath(store.company.storagePath, uniqueId),
    generation: 1,
    maxFeatures: photo.maxFeatures,
    expiresAt: photo.expiresAt,
    markerStatus: "pending",
    createdAt: now,
    updatedAt: now,
  } as const;
  return { request, row };
}

/** Stores the original and the QR code, and a marker where there is one already. */
async function storeFiles(
  { storages, settings, origin }: Services,
  store: ContentStore,
  storage: StorageProvider,
  { request: { photo }, content }: { request: Request; content: Content },
  reusable: readonly Content[],
  now: number,
) {
  const { uniqueId } = content;
  const qrCode = Uint8Array.from(new TextEncoder().encode(drawQrCode(viewerUrl(uniqueId, origin))));
  const put = (path: string, bytes: Uint8Array<ArrayBuffer>, contentType: string) =>
    storage.upload(path, bytes, { length: bytes.length, contentType });
  const puts = [
    put(content.imagePath, photo.bytes, content.imageType),
    put(qrCodePath(store.company.storagePath, uniqueId), qrCode, KINDS.qr_code.contentType),
  ];
  // Both to their end: one that goes on after the other failed would outlive the clearing away.
  for (const ending of await Promise.allSettled(puts)) if (ending.status === "rejected") throw ending.reason;
  const found = reusableFor(content, reusable);
  const reused = found && (await copyMarker(storages, found, store.company, uniqueId));
  const lease =
    photo.executor === "browser" && !reused ? await newLease(now, settings.browserLeaseSeconds) : null;
  const task = reused ? ({ state: "ready", startedAt: now, finishedAt: now } as const) : openedBy(lease, now);
  return {
    change: { markerStatus: task.state, ...(reused ? { ...reused, markerGeneratedAt: now } : {}) },
    task: { id: crypto.randomUUID(), generation: 1, createdAt: now, ...task },
    lease,
    isReused: Boolean(reused),
  };
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
    logFailure("The files of a failed submission are left to the sweep", error, { content_id: hidden.id });
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
    logFailure("A message is left to the sweep", error, { content_id: id, generation });
  }
}

/** The same for several that wait for the Node compiler. */
async function announceAll(queue: Bindings["queue"], contents: readonly Content[]): Promise<void> {
  try {
    await queue.sendAll(contents.map(({ id, generation }) => ({ content_id: id, generation })));
  } catch (error) {
    logFailure("Messages are left to the sweep", error, { messages: contents.length });
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
  const copied = async (kind: "marker" | "thumbnail") => {
    const source = placeOf(from, kind);
    if (!source) return null;
    const { contentType } = KINDS[kind];
    const path = versionedPath(kind, { storagePath, uniqueId, version: 1, contentType });
    const target = { storageId, path };
    return (await copy(storages, source, target, contentType)) ? placed(kind, target) : null;
  };
  const marker = await copied("marker");
  if (!marker) return null;
  const thumbnail = await copied("thumbnail");
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
