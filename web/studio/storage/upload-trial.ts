import * as api from "./api.ts";

/** Uploads a few bytes straight to a storage. Returns whether the storage lets this page do that. */
export async function tryUpload(connectionId: string): Promise<boolean> {
  const { url, bytes } = await api.beginTrialUpload(connectionId);
  try {
    const { ok } = await fetch(url, { method: "PUT", body: new Uint8Array(bytes) });
    return ok;
  } catch {
    // The browser does not tell a refusal by CORS from a network error.
    return false;
  }
}

/** Returns the CORS rule that a bucket needs, as most providers take it. */
export function corsRule(origin: string): string {
  const rule = {
    AllowedOrigins: [origin],
    AllowedMethods: ["PUT"],
    AllowedHeaders: ["*"],
    MaxAgeSeconds: 3600,
  };
  return JSON.stringify([rule], null, 2);
}
