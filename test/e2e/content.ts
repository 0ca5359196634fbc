import { expect, vi } from "vitest";
import type { ArContent, Submission } from "../../worker/schemas.ts";
import type { Platform } from "./platform.ts";

/** Enough time for a browser and a compiler on a busy machine. Tests continue as soon as they can. */
export const PATIENCE = { timeout: 120_000, interval: 250 };

/** Calls the API as a program. Throws for a refusal. */
export async function api<T>(platform: Platform, path: string, init?: RequestInit): Promise<T> {
  const response = await platform.fetch(`${platform.url}/api${path}`, init);
  const body = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
  return body as T;
}

/** Submits a JPEG for Node to compile. */
export async function submitHeadless(
  platform: Platform,
  bytes: Uint8Array<ArrayBuffer>,
  title: string,
): Promise<ArContent> {
  const form = new FormData();
  form.set("image", new Blob([bytes], { type: "image/jpeg" }), "photo.jpg");
  form.set("title", title);
  form.set("description", "A description of two sentences. It is here to be read.");
  form.set("compile", "server");
  const { content } = await api<Submission>(platform, "/ar-content", { method: "POST", body: form });
  return content;
}

/** Waits until the marker of `id` is ready. Fails with the API's answer otherwise. */
export async function untilReady(platform: Platform, id: string): Promise<ArContent> {
  return vi.waitFor(async () => {
    const content = await api<ArContent>(platform, `/ar-content/${id}`);
    expect(content).toMatchObject({ marker_status: "ready" });
    return content;
  }, PATIENCE);
}

export async function attachVideo(
  platform: Platform,
  id: string,
  webm: Uint8Array<ArrayBuffer>,
): Promise<ArContent> {
  return api(platform, `/ar-content/${id}/video`, {
    method: "PUT",
    headers: { "Content-Type": "video/webm" },
    body: webm,
  });
}
