import { COMPILER_VERSION } from "../../compiler/compile.ts";
import { inspectImage } from "../../compiler/image/inspect.ts";
import type { Bindings } from "../bindings.ts";
import { type Creation, derivedId, newCreation } from "../db/idempotency.ts";
import type { arContent, Company, Content } from "../db/tables.ts";
import { logFailure } from "../log.ts";
import { initialState, type NewLease, newLease } from "../marker/life.ts";
import { sha256 } from "../sha256.ts";
import { enqueueDeliveries } from "../webhooks/deliveries.ts";
import { type DeliveredKind, KINDS } from "./file-kinds.ts";
import { type FilePlace, fileValues, placeOf } from "./files.ts";
import { IncomingPhoto, type InspectedPhoto } from "./incoming-photo.ts";
import { imagePath, mediaUrl, qrCodePath, versionedPath } from "./paths.ts";
import { drawQrCode } from "./qr-code.ts";
import { viewerUrl } from "./representation.ts";
import { type ContentStore, type ContentWithTask, type HiddenContent, purge, type Reveal } from "./store.ts";

/** The order that a photo belongs to. */
type PhotoOrder = Partial<
  Pick<typeof arContent.$inferInsert, "orderNumber" | "customerName" | "customerEmail" | "customerPhone">
>;

export interface Photo {
  /** Its bytes, or the file that is on its way already. */
  readonly file: Uint8Array<ArrayBuffer> | IncomingPhoto;
  readonly projectId: string;
  readonly title: string;
  readonly description: string;
  /** Absent: no order is known. */
  readonly order?: PhotoOrder;
  /** Which executor compiles it first. */
  readonly executor: "browser" | "node";
  readonly maxFeatures: number | null;
  /** When viewers stop showing it; null: never. */
  readonly expiresAt: number | null;
}

export interface Submitted extends ContentWithTask {
  /** The lease of the browser that compiles; null: the Node compiler does. */
  readonly lease: NewLease | null;
  readonly reused: boolean;
}

export type Services = Pick<Bindings, "db" | "storages" | "queue" | "webhookQueue" | "settings"> & {
  /** The viewer's origin, for QR codes. */
  readonly origin: string;
};

/** Time for which content may stay hidden: longer than any submission takes. */
const HIDDEN_SECONDS = 900;

/** A request to submit a photo. */
export interface PhotoRequest {
  readonly photo: Photo;
  readonly creation: Creation;
}

export type Outcome = Submitted | { readonly error: unknown };

/**
 * Submits a photo: stores the original and its QR code, opens the first compile task, and sends the message
 * that brings the Node compiler.
 *
 * @throws CompileError for a file that cannot become a marker, before anything is stored
 * @throws Refusal `quota_exceeded`
 */
export async function submitPhoto(
  services: Services,
  store: ContentStore,
  { photo, creation = newCreation() }: Pick<PhotoRequest, "photo"> & Partial<PhotoRequest>,
  now: number,
): Promise<Submitted> {
  const [outcome] = await submitPhotos(services, store, [{ photo, creation }], now);
  if ("error" in outcome) throw outcome.error;
  return outcome;
}

/** A photo on its way in. Each step returns it with what the step found or made. */
interface PreparedPhoto extends Pick<HiddenContent, "storageId"> {
  readonly request: PhotoRequest;
  readonly row: HiddenContent["row"] & { readonly qrCodePath: string };
}

interface MatchedPhoto extends PreparedPhoto {
  /** Content whose marker fits this photo too; undefined: the photo has to be compiled. */
  readonly reusable: Content | undefined;
}

interface InsertedPhoto extends MatchedPhoto {
  /** The row, hidden until its files are stored. */
  readonly content: Content;
}

interface StoredPhoto extends InsertedPhoto, Reveal {
  readonly lease: NewLease | null;
  readonly isReused: boolean;
}

/**
 * Submits several photos with as many round trips to the database as for one. A photo that is refused does
 * not affect the others.
 *
 * @returns the outcomes, in the order of the requests
 * @throws when the database or the storage fails for all of them; nothing is stored then
 */
export async function submitPhotos(
  services: Services,
  store: ContentStore,
  requests: readonly PhotoRequest[],
  now: number,
): Promise<Outcome[]> {
  const outcomes = new Map<PhotoRequest, Outcome>();
  const prepared: PreparedPhoto[] = [];
  for (const request of requests) {
    try {
      const photo = await preparePhoto(store, request, now);
      const made = await resume(services, store, request.creation);
      if (made) outcomes.set(request, made);
      else prepared.push(photo);
    } catch (error) {
      outcomes.set(request, { error });
    }
  }
  const matched = await matchMarkers(store, prepared);
  // Rows before files: if the Worker dies now, the sweep finds the files by their rows.
  const hidden = await store.insertHidden(
    matched.map(({ row, storageId, reusable }) => ({ row, storageId, compilations: reusable ? 0 : 1 })),
    now + HIDDEN_SECONDS * 1000,
    now,
  );
  const inserted: InsertedPhoto[] = [];
  for (const photo of matched) {
    const content = hidden.get(photo.row.id);
    if (content) inserted.push({ ...photo, content });
    else {
      const wanted = { contents: 1, bytes: photo.row.imageBytes, compilations: photo.reusable ? 0 : 1 };
      outcomes.set(photo.request, { error: await store.insertError(photo, wanted, now) });
    }
  }
  try {
    const attempts = await Promise.all(
      inserted.map(async (photo) => {
        try {
          return await storeFiles(services, store.company, photo, now);
        } catch (error) {
          outcomes.set(photo.request, { error });
          await discard(services, store, photo.content);
          return null;
        }
      }),
    );
    const stored = attempts.filter((photo) => photo !== null);
    const revealed = await store.reveal(stored, now);
    const submitted: Submitted[] = [];
    for (const { request, content, lease, isReused } of stored) {
      const found = revealed.get(content.id);
      if (found) {
        const outcome = { ...found, lease, reused: isReused };
        submitted.push(outcome);
        outcomes.set(request, outcome);
      } else {
        outcomes.set(request, { error: await store.revealError(content, now) });
        await discard(services, store, content);
      }
    }
    await announceSubmitted(services, submitted);
  } catch (error) {
    for (const { content } of inserted) await discard(services, store, content);
    throw error;
  }
  return requests.map((request) => outcomes.get(request) ?? { error: new Error("No outcome.") });
}

/** Makes the row of a photo. @throws CompileError for a file that cannot become a marker */
async function preparePhoto(store: ContentStore, request: PhotoRequest, now: number): Promise<PreparedPhoto> {
  const { photo, creation } = request;
  const { storagePath } = store.company;
  const { file } = photo;
  const isIncoming = file instanceof IncomingPhoto;
  const { image, sha256, bytes } = isIncoming ? await file.end() : await inspected(file);
  const uniqueId = isIncoming ? file.uniqueId : crypto.randomUUID();
  const row = {
    id: creation.id,
    uniqueId,
    projectId: photo.projectId,
    title: photo.title,
    description: photo.description,
    ...photo.order,
    imagePath: imagePath(storagePath, uniqueId, image.mime),
    imageUrl: mediaUrl(uniqueId, "image", 1),
    imageType: image.mime,
    imageSha256: sha256,
    imageWidth: image.width,
    imageHeight: image.height,
    imageBytes: bytes,
    qrCodePath: qrCodePath(storagePath, uniqueId),
    generation: 1,
    maxFeatures: photo.maxFeatures,
    expiresAt: photo.expiresAt,
    markerStatus: "pending",
    createdAt: now,
    updatedAt: now,
  } as const;
  return { request, row, storageId: isIncoming ? file.storageId : undefined };
}

async function inspected(file: Uint8Array<ArrayBuffer>): Promise<InspectedPhoto> {
  return { image: inspectImage(file), sha256: await sha256(file), bytes: file.length };
}

/** Finds markers that the company has already, of the same image with the same options. */
async function matchMarkers(store: ContentStore, photos: readonly PreparedPhoto[]): Promise<MatchedPhoto[]> {
  if (photos.length === 0) return [];
  const images = photos.map(({ row }) => ({ sha256: row.imageSha256, maxFeatures: row.maxFeatures ?? null }));
  const candidates = await store.findReusable(images, COMPILER_VERSION);
  return photos.map((photo) => {
    const { imageSha256, maxFeatures } = photo.row;
    const reusable = candidates.find(
      (content) => content.imageSha256 === imageSha256 && content.maxFeatures === maxFeatures,
    );
    return { ...photo, reusable };
  });
}

/** Stores the original and the QR code, and a copy of the marker that is reused. */
async function storeFiles(
  { storages, settings, origin }: Services,
  { storagePath }: Company,
  photo: InsertedPhoto,
  now: number,
): Promise<StoredPhoto> {
  const { content, reusable, row } = photo;
  const { file, executor } = photo.request.photo;
  const qrCode = drawQrCode(viewerUrl(row.uniqueId, origin));
  const put = async (place: FilePlace, bytes: Uint8Array<ArrayBuffer>, contentType: string) => {
    const storage = await storages.open(place.storageId);
    await storage.upload(place.path, bytes, { length: bytes.length, contentType });
  };
  const image = { storageId: content.imageStorageId, path: row.imagePath };
  const puts = [
    file instanceof IncomingPhoto ? file.complete() : put(image, file, row.imageType),
    put({ storageId: content.qrCodeStorageId, path: row.qrCodePath }, qrCode, KINDS.qr_code.contentType),
  ];
  // Waits for both even if one fails: an upload that ended after the clean-up would leave its file behind.
  for (const put of await Promise.allSettled(puts)) if (put.status === "rejected") throw put.reason;
  const copied = reusable && (await copyMarker(storages, reusable, { content, storagePath }));
  const lease = executor === "browser" && !copied ? await newLease(now, settings.browserLeaseSeconds) : null;
  const task = copied
    ? ({ state: "ready", startedAt: now, finishedAt: now } as const)
    : initialState(lease, now);
  return {
    ...photo,
    content,
    change: {
      markerStatus: task.state,
      qrCodeBytes: qrCode.length,
      ...(copied ? { ...copied, markerGeneratedAt: now } : {}),
    },
    task: { id: await derivedId(row.id, "task"), generation: 1, createdAt: now, ...task },
    lease,
    isReused: Boolean(copied),
  };
}

/** Sends what follows a submission: the events of markers that are ready, and messages for all others. */
async function announceSubmitted(services: Services, submitted: readonly Submitted[]): Promise<void> {
  const { queue, settings } = services;
  const reused = submitted.filter(({ reused }) => reused);
  await enqueueDeliveries(
    services,
    reused.map(({ content }) => content.id),
  );
  const messages = submitted
    .filter(({ reused }) => !reused)
    .map(({ content: { id, generation }, lease }) => ({
      message: { content_id: id, generation },
      // The Node compiler comes when the browser's lease ends.
      delaySeconds: lease ? settings.browserLeaseSeconds : 0,
    }));
  if (messages.length === 0) return;
  try {
    await queue.sendAll(messages);
  } catch (error) {
    logFailure("Messages are left to the sweep", error, { messages: messages.length });
  }
}

/**
 * Finds what an earlier request with the same Idempotency-Key made. If that request did not finish, its
 * remains are removed, and this one starts again. The lease is not given out a second time: the Node compiler
 * takes over when it ends.
 */
async function resume(
  { db, storages }: Services,
  store: ContentStore,
  { id, isRepeated }: Creation,
): Promise<Submitted | undefined> {
  if (!isRepeated) return undefined;
  const made = await store.get(id);
  if (made)
    return { ...made, lease: null, reused: made.task.state === "ready" && made.task.executor === null };
  const hidden = await store.getHidden(id);
  if (hidden) await purge(db, storages, store.company, hidden);
  return undefined;
}

/** Removes what a failed submission stored, unless it was committed although the answer was lost. */
async function discard({ db, storages }: Services, store: ContentStore, hidden: Content): Promise<void> {
  try {
    if (!(await store.get(hidden.id))) await purge(db, storages, store.company, hidden);
  } catch (error) {
    logFailure("The files of a failed submission are left to the sweep", error, { content_id: hidden.id });
  }
}

/**
 * Copies a marker and its pictures, so that deleting one content never breaks another. Returns null when
 * the other's marker is gone or its storage fails.
 */
async function copyMarker(
  storages: Bindings["storages"],
  from: Content,
  {
    content: { uniqueId, imageStorageId: storageId },
    storagePath,
  }: { readonly content: Content; readonly storagePath: string },
) {
  const copied = async (kind: DeliveredKind) => {
    const source = placeOf(from, kind);
    if (!source) return null;
    const { contentType } = KINDS[kind];
    const path = versionedPath(kind, { storagePath, uniqueId, version: 1, contentType });
    const target = { storageId, path };
    const bytes = await copy(storages, source, target, contentType);
    return bytes === null ? null : fileValues(kind, { ...target, bytes, url: mediaUrl(uniqueId, kind, 1) });
  };
  const marker = await copied("marker");
  if (!marker) return null;
  const thumbnail = await copied("thumbnail");
  const picture = await copied("picture");
  return { ...marker, ...thumbnail, ...picture, markerMetadata: from.markerMetadata };
}

/** Copies a file. @returns its size; null when it is gone or its storage fails */
async function copy(
  storages: Bindings["storages"],
  from: FilePlace,
  to: FilePlace,
  contentType: string,
): Promise<number | null> {
  const open = async () => (await storages.open(from.storageId)).download(from.path);
  const source = await open().catch((error: unknown) => {
    logFailure("A marker could not be copied", error, { path: from.path });
    return null;
  });
  if (!source) return null;
  const target = await storages.open(to.storageId);
  await target.upload(to.path, source.body, { length: source.size, contentType });
  return source.size;
}
