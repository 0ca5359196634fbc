import type { VideoType } from "../../video/plan.ts";

/** The data of an upload that the browser keeps, to continue it after a reload. */
export interface UnfinishedUpload {
  readonly uploadId: string;
  readonly name: string;
  readonly type: VideoType;
  readonly bytes: number;
  readonly fingerprint: string;
}

const keyOf = (contentId: string) => `vivimark.video-upload.${contentId}`;

/** If nothing can be stored, the upload cannot be continued after a reload. */
export function remember(contentId: string, upload: UnfinishedUpload, store = storage()): void {
  try {
    store?.setItem(keyOf(contentId), JSON.stringify(upload));
  } catch {
    // Full, or blocked by the browser's settings.
  }
}

export function recall(contentId: string, store = storage()): UnfinishedUpload | null {
  try {
    const found: Partial<UnfinishedUpload> | null = JSON.parse(store?.getItem(keyOf(contentId)) ?? "null");
    if (!(found?.uploadId && found.name && found.type && found.bytes && found.fingerprint)) return null;
    return found as UnfinishedUpload;
  } catch {
    return null;
  }
}

export function forget(contentId: string, store = storage()): void {
  try {
    store?.removeItem(keyOf(contentId));
  } catch {
    // Blocked by the browser's settings.
  }
}

function storage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
