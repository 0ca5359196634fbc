/** What this browser must remember of an upload to go on with it after a reload: the file itself it cannot. */
export interface UnfinishedUpload {
  readonly uploadId: string;
  readonly name: string;
  readonly bytes: number;
  readonly fingerprint: string;
}

const keyOf = (contentId: string) => `vivimark.video-upload.${contentId}`;

/** Without a place to remember things, an upload is merely not resumed after a reload. */
export function remember(contentId: string, upload: UnfinishedUpload, store = storage()): void {
  try {
    store?.setItem(keyOf(contentId), JSON.stringify(upload));
  } catch {
    // Full, or shut by the browser's settings.
  }
}

export function recall(contentId: string, store = storage()): UnfinishedUpload | null {
  try {
    const found: Partial<UnfinishedUpload> | null = JSON.parse(store?.getItem(keyOf(contentId)) ?? "null");
    if (!found?.uploadId || !found.name || !found.bytes || !found.fingerprint) return null;
    return found as UnfinishedUpload;
  } catch {
    return null;
  }
}

export function forget(contentId: string, store = storage()): void {
  try {
    store?.removeItem(keyOf(contentId));
  } catch {
    // As above.
  }
}

function storage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
