import { eq } from "drizzle-orm";
import { expect, it, vi } from "vitest";
import { arContent } from "../../../worker/db/tables.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form } from "../edge.ts";
import { mind } from "../fixtures.ts";

/** A JPEG of 120 × 90 px, as far as its header tells. */
const THUMBNAIL = Uint8Array.from([
  0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0, 90, 0, 120, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0,
]);

it("of thumbnails and QR codes are recorded, also for files of before, by the sweep", async () => {
  const edge = new Edge();
  const { content, lease } = await edge.submit({ compile: "browser" });
  const headers = { "Vivimark-Lease": lease?.token ?? "" };
  const body = form({ marker: mind(), thumbnail: THUMBNAIL });
  await edge.json(`/api/ar-content/${content.id}/marker`, { method: "PUT", headers, body });
  const isThis = eq(arContent.id, content.id);
  const row = async () => (await edge.db.select().from(arContent).where(isThis))[0];
  const before = await row();
  const qrCode = await edge.storage.head(before.qrCodePath ?? "");
  expect([before.thumbnailBytes, before.qrCodeBytes]).toEqual([THUMBNAIL.length, qrCode?.size]);

  await edge.db.update(arContent).set({ thumbnailBytes: null, qrCodeBytes: null }).where(isThis);
  const head = vi.spyOn(edge.storage, "head").mockRejectedValue(new Error("The storage is down."));
  vi.spyOn(console, "error").mockImplementationOnce(() => {});
  await sweep(edge.bindings, edge.clock);
  expect((await row()).qrCodeBytes).toBeNull();
  head.mockRestore();
  await sweep(edge.bindings, edge.clock);
  expect(await row()).toEqual(before);
});
