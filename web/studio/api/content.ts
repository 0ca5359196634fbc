import {
  type ArContent,
  type ArContentChange,
  type ArContentPage,
  type BulkRequest,
  type BulkResult,
  type CompileTask,
  formOf,
  type Lease,
  type Operations,
  type Progress,
  type Submission,
  type VideoPlayback,
} from "../../../client/client.ts";
import type { CompiledPhoto } from "../../compile/protocol.ts";
import { MAX_BULK } from "./bulk-limit.ts";
import { upload, vivimark } from "./client.ts";
import type { Transfer } from "./transfer.ts";

/** Calls of the API about photos. */

export type ContentQuery = NonNullable<Operations["GET /api/ar-content"]["query"]>;

export function listContents(query: ContentQuery, signal?: AbortSignal): Promise<ArContentPage> {
  return vivimark.call("GET /api/ar-content", { query, signal });
}

export function getContent(id: string, signal?: AbortSignal): Promise<ArContent> {
  return vivimark.get(id, { signal });
}

export function updateContent(id: string, body: ArContentChange): Promise<ArContent> {
  return vivimark.call("PATCH /api/ar-content/{id}", { path: { id }, body });
}

export function deleteContent(id: string, options: { readonly keepFiles: boolean }): Promise<void> {
  return vivimark.delete(id, options);
}

/** Runs an action on up to 200 photos. Repeating it with the same key has no further effect. */
export function bulk(body: BulkRequest, key: string, signal?: AbortSignal): Promise<BulkResult> {
  return vivimark.call("POST /api/ar-content/bulk", { header: { "Idempotency-Key": key }, body, signal });
}

/** Deletes photos while the page closes: the browser sends the requests afterwards, up to 64 kB together. */
export function deleteOnLeave(ids: readonly string[]): void {
  for (let from = 0; from < ids.length; from += MAX_BULK) {
    const body = JSON.stringify({ action: "delete", ids: ids.slice(from, from + MAX_BULK) });
    const headers = { "Content-Type": "application/json" };
    void fetch("/api/ar-content/bulk", { method: "POST", headers, body, keepalive: true }).catch(() => {});
  }
}

export async function listTasks(id: string, signal?: AbortSignal): Promise<CompileTask[]> {
  return (await vivimark.call("GET /api/ar-content/{id}/tasks", { path: { id }, signal })).items;
}

/** What is known about a new photo besides the photo itself. */
export type PhotoDetails = { readonly title: string } & Pick<
  NonNullable<Operations["POST /api/ar-content"]["form"]>,
  "order_number" | "customer_name" | "customer_email" | "customer_phone" | "expires_at"
>;

export interface PhotoUpload extends Pick<Transfer, "onSent" | "signal"> {
  readonly photo: File;
  readonly details: PhotoDetails;
  /** Empty: the company's default project. */
  readonly projectId: string;
}

/** Stores the photo. The answer brings the lease to compile it in this browser. */
export function submitPhoto({ photo, details, projectId, ...progress }: PhotoUpload): Promise<Submission> {
  const form = {
    ...details,
    project_id: projectId,
    compile: "browser",
    image_bytes: photo.size,
    image: photo,
  } satisfies FormOf<"POST /api/ar-content">;
  return upload("POST /api/ar-content", { body: formOf(form) }, progress);
}

/** Replaces the photo. The answer brings the lease to compile the new one in this browser. */
export function replaceImage(
  id: string,
  photo: File,
  progress: Pick<Transfer, "onSent" | "signal">,
): Promise<Submission> {
  const type = photo.type as Operations["PUT /api/ar-content/{id}/image"]["type"];
  const request = { path: { id }, query: { compile: "browser" }, body: photo, type } as const;
  return upload("PUT /api/ar-content/{id}/image", request, progress);
}

type FormOf<Name extends "POST /api/ar-content" | "PUT /api/ar-content/{id}/marker"> =
  Operations[Name]["form"];

/** Starts a new compilation. For one in this browser, the answer brings its lease. */
export function recompile(
  id: string,
  compile: "browser" | "server",
  maxFeatures: number | null,
): Promise<Submission> {
  const body = { compile, max_features: maxFeatures };
  return vivimark.call("POST /api/ar-content/{id}/marker/recompile", { path: { id }, body });
}

/** Takes the lease of a compilation that waits for the server. */
export function takeLease(id: string): Promise<Lease> {
  return vivimark.call("POST /api/ar-content/{id}/marker/lease", { path: { id } });
}

export function reportProgress(id: string, lease: Lease, body: Progress): Promise<Lease> {
  const header = headerOf(lease);
  return vivimark.call("POST /api/ar-content/{id}/marker/progress", { path: { id }, header, body });
}

/** Gives up the lease; the Node compiler takes over at once. */
export function releaseLease(id: string, lease: Lease): Promise<void> {
  const header = headerOf(lease);
  return vivimark.call("DELETE /api/ar-content/{id}/marker/lease", { path: { id }, header });
}

/** The same while the page closes. */
export function releaseOnLeave(id: string, lease: Lease): void {
  const headers = headerOf(lease);
  void fetch(`/api/ar-content/${id}/marker/lease`, { method: "DELETE", headers, keepalive: true }).catch(
    () => {},
  );
}

export function deliverMarker(id: string, lease: Lease, photo: CompiledPhoto): Promise<ArContent> {
  const { milliseconds, compilerVersion } = photo;
  const form = {
    metadata: JSON.stringify({ milliseconds, compiler_version: compilerVersion }),
    thumbnail: new File([photo.thumbnail], "thumbnail.jpg", { type: "image/jpeg" }),
    picture: new File([photo.picture], "picture.jpg", { type: "image/jpeg" }),
    marker: new File([photo.marker], "marker.mind", { type: "application/octet-stream" }),
  } satisfies FormOf<"PUT /api/ar-content/{id}/marker">;
  const header = headerOf(lease);
  return vivimark.call("PUT /api/ar-content/{id}/marker", { path: { id }, header, form });
}

function headerOf({ token }: Lease) {
  return { "vivimark-lease": token };
}

export function putVideo(
  id: string,
  video: File,
  progress: Pick<Transfer, "onSent" | "signal">,
): Promise<ArContent> {
  const type = video.type as Operations["PUT /api/ar-content/{id}/video"]["type"];
  return upload("PUT /api/ar-content/{id}/video", { path: { id }, body: video, type }, progress);
}

export function putPlayback(id: string, body: VideoPlayback): Promise<ArContent> {
  return vivimark.call("PUT /api/ar-content/{id}/video/playback", { path: { id }, body });
}

export function deleteVideo(id: string): Promise<void> {
  return vivimark.call("DELETE /api/ar-content/{id}/video", { path: { id } });
}

export async function downloadPhoto(
  { unique_id, image_url }: Pick<ArContent, "unique_id" | "image_url">,
  signal?: AbortSignal,
): Promise<Blob> {
  const path = { unique_id, kind: "image" } as const;
  // The version lets the browser take the photo from its cache.
  const v = new URL(image_url, location.href).searchParams.get("v") ?? undefined;
  const response = await vivimark.call("GET /media/{unique_id}/{kind}", { path, query: { v }, signal });
  return response.blob();
}

/** Downloads the QR code of the viewer's address, an SVG image. */
export async function downloadQrCode(id: string, signal?: AbortSignal): Promise<Blob> {
  return (await vivimark.call("GET /api/ar-content/{id}/qr.svg", { path: { id }, signal })).blob();
}
