import type { Platform } from "../test/e2e/platform.ts";
import type { ArContent, Submission } from "../worker/schemas.ts";

/** Submits a JPEG for Node to compile, and returns it when its marker is ready. */
export async function submit(platform: Platform, bytes: Uint8Array<ArrayBuffer>): Promise<ArContent> {
  const form = new FormData();
  form.set("image", new Blob([bytes], { type: "image/jpeg" }), "photo.jpg");
  form.set("title", "A photo");
  form.set("compile", "server");
  const call = async (path: string, init?: RequestInit) => {
    const response = await platform.fetch(`${platform.url}/api/ar-content${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const { content } = (await call("", { method: "POST", body: form })) as Submission;
  for (;;) {
    const current = (await call(`/${content.id}`)) as ArContent;
    if (current.marker_status === "ready") return current;
    if (current.marker_status === "failed") throw new Error("The photo was not compiled.");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
