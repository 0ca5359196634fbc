import { send } from "../api/client.ts";
import { t } from "../language.ts";
import type { ApiDocument } from "./document.ts";

/** Loads the API's document. */
export async function getDocument(signal: AbortSignal): Promise<ApiDocument> {
  const response = await send(new Request("/api/openapi.json", { signal }));
  if (!response.ok) throw new Error(t.reference.loadFailed(response.status));
  return response.json();
}
