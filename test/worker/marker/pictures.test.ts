import { eq } from "drizzle-orm";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../worker/bindings.ts";
import { arContent, orphanedFiles } from "../../../worker/db/tables.ts";
import type { PreviewOutcome } from "../../../worker/marker/outcome.ts";
import type { ArContent, ViewerManifest } from "../../../worker/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import { addCompany } from "../company.ts";
import { Edge, form, json } from "../edge.ts";
import { jpeg, mind, png } from "../fixtures.ts";

const THUMBNAIL = jpeg(120, 90);
const PICTURE = jpeg(240, 180, 300);
const previewed: PreviewOutcome = {
  kind: "previewed",
  previews: { thumbnail: THUMBNAIL, picture: PICTURE },
};

let edge: Edge;
let asked: Uint8Array[];

beforeEach(async () => {
  edge = new Edge();
  asked = [];
  // The tests share a database.
  await edge.db.update(arContent).set({ pictureFailedAt: 1 });
});

/** Adds a photo whose marker is delivered with these pictures. */
async function delivered(pictures: object, image = png()): Promise<ArContent> {
  const { content, lease } = await edge.submit({ compile: "browser", image });
  return deliver(content.id, lease!.token, pictures);
}

function deliver(id: string, token: string, pictures: object): Promise<ArContent> {
  const body = form({ marker: mind(), ...pictures });
  return edge.json(`/api/ar-content/${id}/marker`, {
    method: "PUT",
    headers: { "Vivimark-Lease": token },
    body,
  });
}

/** Runs the sweep, with a mock of the Node compiler. */
async function swept(outcome: PreviewOutcome, { whileAsked = async () => {}, busy = false } = {}) {
  const askForPlace: Bindings["askForPlace"] = async () =>
    busy
      ? { kind: "retryable", failure: { code: "compiler_busy", message: "Busy." }, retryAfterSeconds: null }
      : null;
  const preview: Bindings["preview"] = async ({ image }) => {
    asked.push(new Uint8Array(await new Response(image).arrayBuffer()));
    await whileAsked();
    return outcome;
  };
  await sweep({ ...edge.bindings, askForPlace, preview }, edge.clock);
}

const orphansOf = (id: string) => edge.db.select().from(orphanedFiles).where(eq(orphanedFiles.contentId, id));
const manifestOf = ({ unique_id }: ArContent) => edge.json<ViewerManifest>(`/api/viewer/${unique_id}`);
const publicBytes = async (url: string | null) =>
  new Uint8Array(await (await edge.anonymously(url ?? "")).arrayBuffer());

describe("a photo without a picture", () => {
  it("gets it from the Node compiler; until then, viewers get the thumbnail and never the original", async () => {
    const image = png();
    const before = await delivered({ thumbnail: THUMBNAIL }, image);
    expect(before.picture_url).toBeNull();
    expect((await manifestOf(before)).picture_url).toBe(before.thumbnail_url);
    expect(JSON.stringify(await manifestOf(before))).not.toContain("/image");
    expect((await edge.anonymously(before.image_url)).status).toBe(404);

    await swept(previewed);
    expect(asked).toEqual([image]);
    const after = await edge.content(before.id);
    expect(after).toMatchObject({
      thumbnail_url: before.thumbnail_url,
      picture_url: `/media/${before.unique_id}/picture?v=1`,
      marker_url: before.marker_url,
      marker_status: "ready",
    });
    expect(after.updated_at > before.updated_at).toBe(true);
    expect((await manifestOf(before)).picture_url).toBe(after.picture_url);
    expect(await publicBytes(after.picture_url)).toEqual(PICTURE);
    expect(await orphansOf(before.id)).toEqual([]);
    const [row] = await edge.db.select().from(arContent).where(eq(arContent.id, before.id));
    expect(row.pictureBytes).toBe(PICTURE.length);
    await swept(previewed);
    expect(asked).toHaveLength(1);
  });

  it("gets a thumbnail, too, if its marker came alone", async () => {
    const { id } = await delivered({});
    await swept(previewed);
    const { thumbnail_url, picture_url } = await edge.content(id);
    expect(await publicBytes(thumbnail_url)).toEqual(THUMBNAIL);
    expect(await publicBytes(picture_url)).toEqual(PICTURE);
  });

  it("waits while the compiler is busy or fails", async () => {
    const { id } = await delivered({});
    await swept(previewed, { busy: true });
    expect(asked).toEqual([]);
    const failure = { code: "compile_crashed", message: "It broke." } as const;
    await swept({ kind: "retryable", failure, retryAfterSeconds: null });
    expect(asked).toHaveLength(1);
    expect((await edge.content(id)).picture_url).toBeNull();
    await swept(previewed);
    expect((await edge.content(id)).picture_url).not.toBeNull();
  });

  it("waits while its storage fails, and does not delay those of other companies", async () => {
    const { id } = await delivered({});
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const download = vi.spyOn(edge.storage, "download").mockRejectedValue(new Error("The storage is down."));
    await swept(previewed);
    expect(String(logged.mock.calls)).toContain("A picture is made by a later sweep");
    logged.mockRestore();
    download.mockRestore();
    await swept(previewed);
    expect((await edge.content(id)).picture_url).not.toBeNull();
  });

  it("does not delay those of other companies while the compiler gets it too slowly", async () => {
    const others = [await delivered({}), await delivered({})];
    for (const [i, { id }] of others.entries()) {
      const { id: companyId, projectId } = await addCompany(edge, `Company ${i}`);
      await edge.db.update(arContent).set({ companyId, projectId }).where(eq(arContent.id, id));
    }
    const failure = { code: "storage_unavailable", message: "Too slow." } as const;
    await swept({ kind: "retryable", failure, retryAfterSeconds: null });
    expect(asked).toHaveLength(2);
  });

  it.each(["refused", "missing"])("is left until it is compiled again if its original is %s", async (why) => {
    const { id, unique_id } = await delivered({ thumbnail: THUMBNAIL });
    if (why === "missing") {
      const originals = (await edge.allFiles()).filter((key) => key.includes(`original_images/${unique_id}`));
      await edge.storage.delete(originals);
    }
    const failure = { code: "image_damaged", message: "It is damaged." } as const;
    await swept({ kind: "fatal", failure });
    const times = asked.length;
    await swept(previewed);
    expect(asked).toHaveLength(times);
    const { lease } = await edge.json<{ lease: { token: string } }>(
      `/api/ar-content/${id}/marker/recompile`,
      json("POST", { compile: "browser" }),
    );
    const { picture_url } = await deliver(id, lease.token, { picture: PICTURE });
    expect(picture_url).toBe(`/media/${unique_id}/picture?v=2`);
  });

  it("keeps no file of a picture that is late", async () => {
    const content = await delivered({ thumbnail: THUMBNAIL });
    const { id } = content;
    const files = await edge.files(content);
    const recompile = () => edge.json(`/api/ar-content/${id}/marker/recompile`, json("POST", {}));
    await swept(previewed, { whileAsked: async () => void (await recompile()) });
    expect((await edge.content(id)).picture_url).toBeNull();
    expect(await edge.files(content)).toEqual(files);
    expect(await orphansOf(id)).toEqual([]);
  });
});

it("a marker without a picture ends the old picture, which may show another photo; the sweep makes the new one", async () => {
  const before = await delivered({ thumbnail: THUMBNAIL, picture: PICTURE });
  const { lease } = await edge.json<{ lease: { token: string } }>(
    `/api/ar-content/${before.id}/marker/recompile`,
    json("POST", { compile: "browser" }),
  );
  const between = await deliver(before.id, lease.token, {});
  expect(between.picture_url).toBeNull();
  // It is kept for 24 hours, like the old marker.
  const kept = await orphansOf(before.id);
  expect(kept.map(({ path, bytes }) => [path.includes("pictures/"), bytes])).toContainEqual([
    true,
    PICTURE.length,
  ]);
  await swept(previewed);
  const { thumbnail_url, picture_url } = await edge.content(before.id);
  for (const url of [thumbnail_url, picture_url]) expect(url).toContain("?v=2");
});
