import { describe, expect, it } from "vitest";
import { auditLog, orphanedFiles } from "../../../worker/db/tables.ts";
import { consume } from "../../../worker/marker/consumer.ts";
import type { ArContent, CompanyUsage, Submission, ViewerManifest } from "../../../worker/schemas.ts";
import { but, Edge, json, refusal } from "../edge.ts";
import { HEIGHT, jpeg, mind, png, WIDTH } from "../fixtures.ts";

const edge = new Edge();

const compiled = () =>
  ({
    kind: "compiled",
    delivery: {
      marker: mind(),
      thumbnail: jpeg(240, 180),
      picture: null,
      milliseconds: 1,
      compilerVersion: null,
    },
  }) as const;

/** Adds a photo with a marker. */
async function ready(): Promise<ArContent> {
  const { content } = await edge.submit();
  await consume(edge.consumer(compiled), { content_id: content.id, generation: 1 });
  return edge.content(content.id);
}

const put = (
  id: string,
  body: Uint8Array<ArrayBuffer>,
  { query = "", headers = {}, bindings = {} }: { query?: string; headers?: object; bindings?: object } = {},
) =>
  edge.fetch(
    `/api/ar-content/${id}/image${query}`,
    { method: "PUT", body, headers: { "Content-Type": "image/png", ...headers } },
    bindings,
  );

async function replaced(id: string, body: Uint8Array<ArrayBuffer>, query = ""): Promise<Submission> {
  const response = await put(id, body, { query });
  expect(response.status).toBe(200);
  return response.json();
}

const manifestOf = ({ unique_id }: ArContent) => edge.json<ViewerManifest>(`/api/viewer/${unique_id}`);
const bytesAt = async (url: string) => new Uint8Array(await (await edge.fetch(url)).arrayBuffer());

describe("a replaced photo", () => {
  it("keeps its addresses and its marker until the new marker is ready; the old file is deleted", async () => {
    const before = await ready();
    const old = await bytesAt(before.image_url);
    const image = png();
    edge.sent.length = 0;
    const { content, lease } = await replaced(before.id, image);
    expect(lease).toBeNull();
    expect(edge.sent).toEqual([{ message: { content_id: before.id, generation: 2 }, delaySeconds: 0 }]);
    expect(content).toMatchObject({
      id: before.id,
      unique_id: before.unique_id,
      viewer_url: before.viewer_url,
      marker_url: before.marker_url,
      marker_status: "pending",
      image_bytes: image.length,
    });
    expect(content.image_sha256).not.toBe(before.image_sha256);
    expect((await manifestOf(before)).marker_url).toBe(before.marker_url);
    expect(content.image_url).not.toBe(before.image_url);
    expect(await bytesAt(content.image_url)).toEqual(image);
    // Originals: the new one is stored, and the old one for 24 hours.
    await edge.removeDeletedFiles();
    const originals = (await edge.files(before)).filter((key) => key.includes("/original_images/"));
    expect(originals).toHaveLength(1);
    expect(old).not.toEqual(image);
    expect(await edge.db.select().from(orphanedFiles)).toEqual([]);

    await consume(edge.consumer(compiled), { content_id: before.id, generation: 2 });
    const after = await edge.content(before.id);
    expect(after.marker_status).toBe("ready");
    expect((await manifestOf(before)).marker_url).toBe(after.marker_url);
    expect(after.marker_url).not.toBe(before.marker_url);
    const entries = (await edge.db.select().from(auditLog)).filter(({ objectId }) => objectId === before.id);
    expect(entries.map(({ action }) => action)).toEqual(["content.created", "content.replaced"]);
  });

  it("is compiled by the browser that asks for it, and can be replaced again meanwhile", async () => {
    const before = await ready();
    const first = await replaced(before.id, png(), "?compile=browser");
    expect(first.content.marker_status).toBe("processing");
    const image = png();
    const second = await replaced(before.id, image, "?compile=browser");
    expect(second.content.image_url).not.toBe(first.content.image_url);
    const deliver = (token: string) =>
      edge.fetch(`/api/ar-content/${before.id}/marker`, {
        method: "PUT",
        body: mind(),
        headers: { "Content-Type": "application/octet-stream", "Vivimark-Lease": token },
      });
    expect((await refusal(await deliver(first.lease!.token))).code).toBe("lease_lost");
    expect((await deliver(second.lease!.token)).status).toBe(200);
    expect(await bytesAt((await edge.content(before.id)).image_url)).toEqual(image);
  });

  it("counts against the quota, and disappears with its content", async () => {
    const usage = async () => (await edge.json<CompanyUsage>("/api/company/usage")).bytes.used;
    const before = await ready();
    const used = await usage();
    const { content } = await replaced(before.id, png(WIDTH, HEIGHT, "x".repeat(500)));
    expect((await usage()) - used).toBe(content.image_bytes - before.image_bytes);
    const small = { ...edge.settings, quotas: { contents: 0, bytes: 1, compilationsADay: 0 } };
    const larger = png(WIDTH, HEIGHT, "x".repeat(1000));
    const full = await put(before.id, larger, { bindings: { settings: small } });
    expect((await refusal(full)).code).toBe("quota_exceeded");
    // A smaller photo needs no space.
    expect((await put(before.id, png(), { bindings: { settings: small } })).status).toBe(200);
    expect((await edge.fetch(`/api/ar-content/${before.id}`, { method: "DELETE" })).status).toBe(204);
    await edge.removeDeletedFiles();
    expect(await edge.files(before)).toEqual([]);
  });
});

describe("a replacement that is refused changes nothing", () => {
  it.each([
    ["not_an_image", new TextEncoder().encode("Not an image"), {}],
    ["image_too_small", png(8, 8), {}],
    ["unsupported_media_type", png(), { "Content-Type": "text/plain" }],
    ["precondition_failed", png(), { "If-Match": '"an-older-version"' }],
  ])("as %s", async (code, bytes, headers) => {
    const before = await ready();
    const files = await edge.allFiles();
    expect((await refusal(await put(before.id, new Uint8Array(bytes), { headers }))).code).toBe(code);
    expect(await edge.content(before.id)).toEqual(before);
    expect(await edge.allFiles()).toEqual(files);
  });

  it("when the storage fails, or the photo is deleted during the upload", async () => {
    const before = await ready();
    const down = but(edge.storage, { upload: () => Promise.reject(new Error("R2 is down")) });
    const failed = await put(before.id, png(), { bindings: { storages: edge.storagesWith(down) } });
    expect(failed.status).toBe(500);
    expect(await edge.content(before.id)).toEqual(before);
    const deleting = but(edge.storage, {
      upload: async (...upload) => {
        await edge.fetch(`/api/ar-content/${before.id}?keep_files=false`, { method: "DELETE" });
        return edge.storage.upload(...upload);
      },
    });
    const late = await put(before.id, png(), { bindings: { storages: edge.storagesWith(deleting) } });
    expect((await refusal(late)).code).toBe("not_found");
    expect(
      (await edge.allFiles()).filter((key) => key.includes(before.unique_id) && !key.includes("/qr-codes/")),
    ).toEqual([]);
    expect((await edge.fetch(`/api/ar-content/${before.id}`, json("PATCH", { title: "x" }))).status).toBe(
      404,
    );
  });
});
