import { env } from "cloudflare:workers";
import { describe, expect, inject, it } from "vitest";
import { arContent, companies } from "../../../worker/db/tables.ts";
import type { ArContent, Submission } from "../../../worker/schemas.ts";
import { StorageHttp } from "../../../worker/storage/http.ts";
import { StorageError, type StorageProvider } from "../../../worker/storage/provider.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import { Edge, form, refusal } from "../edge.ts";
import { jpeg } from "../fixtures.ts";

const BYTES = 3_000_000;

/** Returns a JPEG whose bytes differ from those of all others. */
function photo(bytes = BYTES): Uint8Array<ArrayBuffer> {
  const image = jpeg(500, 500, bytes);
  for (let at = 100; at < bytes; at += 65_536) {
    crypto.getRandomValues(image.subarray(at, Math.min(bytes, at + 65_536)));
  }
  // A scan could be among the random bytes.
  return image.map((byte, at) => (at >= 100 && byte === 0xff ? 0 : byte));
}

/** The fields of a form that tells the size of its image first. */
function announced(image: Uint8Array<ArrayBuffer>, fields: Record<string, string> = {}) {
  return form({ image_bytes: String(image.length), image, ...fields });
}

function submit(
  edge: Edge,
  body: BodyInit,
  headers: Record<string, string> = {},
  own: StorageProvider = edge.storage,
) {
  const storages = edge.storagesWith(own);
  return edge.fetch("/api/ar-content", { method: "POST", body, headers }, { storages });
}

async function submitted(
  edge: Edge,
  body: BodyInit,
  own: StorageProvider = edge.storage,
): Promise<ArContent> {
  const response = await submit(edge, body, {}, own);
  expect(response.status).toBe(201);
  return (await response.json<Submission>()).content;
}

/** Returns a form as a connection brings it: piece by piece, without a Content-Length. `onPiece` runs before each. */
function arriving(body: FormData, onPiece: (bytes: number) => Promise<void>) {
  const encoded = new Response(body);
  const type = encoded.headers.get("Content-Type") ?? "";
  let bytes = 0;
  const pieces = new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += 65_536) {
        await onPiece(bytes);
        const piece = chunk.slice(at, at + 65_536);
        bytes += piece.length;
        controller.enqueue(piece);
      }
    },
  });
  return { body: encoded.body!.pipeThrough(pieces), headers: { "Content-Type": type } };
}

/** A bucket that notes which files were begun. */
function watchedBucket() {
  const bucket = new R2Storage(env.BUCKET);
  const begun: string[] = [];
  const upload = bucket.upload.bind(bucket);
  bucket.upload = (key, ...rest) => {
    begun.push(key);
    return upload(key, ...rest);
  };
  return { bucket, begun };
}

describe("a photo whose size is sent before it", () => {
  it("is stored as it arrives, and holds hardly any memory", async () => {
    const edge = new Edge();
    const image = photo();
    let most = 0;
    const bucket = new R2Storage(env.BUCKET);
    const upload = bucket.upload.bind(bucket);
    bucket.upload = (key, body, options) => {
      const watched = new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          most = Math.max(most, edge.bindings.uploadMemory.bytes);
          controller.enqueue(chunk);
        },
      });
      const isImage = key.includes("original_images");
      return upload(key, isImage ? (body as ReadableStream).pipeThrough(watched) : body, options);
    };
    const content = await submitted(edge, announced(image, { title: "Anna" }), bucket);
    expect(content).toMatchObject({ title: "Anna", image_bytes: BYTES, image_width: 500 });
    const served = await edge.fetch(content.image_url);
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(image);
    expect(most).toBeLessThan(65_536);
    const again = await submitted(edge, form({ image }));
    expect(again.image_sha256).toBe(content.image_sha256);
  });

  it("does not wait for the memory of other uploads", async () => {
    const edge = new Edge();
    const others = [1, 2, 3].map((caller) => edge.bindings.uploadMemory.open(`${caller}`, edge.bindings));
    for (const held of others) await held.add(20_000_000);
    edge.whileAsleep = async () => {
      for (const held of others) await held.add(0);
    };
    expect((await refusal(await submit(edge, form({ image: photo() })))).code).toBe("too_many_uploads");
    await submitted(edge, announced(photo()));
  });

  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const image = photo();
  const gif = new Uint8Array(BYTES).fill(0x47);
  gif.set(new TextEncoder().encode("GIF89a"));
  const damaged = new Uint8Array(BYTES);
  damaged.set(png);
  /** A file whose damage is at its end. */
  const cutOff = photo();
  cutOff.set([0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff]);
  for (let at = 2; at + 65_537 < BYTES; at += 65_537) cutOff.set([0xff, 0xe1, 0xff, 0xff], at);

  const twice = (body: FormData, again: Uint8Array<ArrayBuffer>) => {
    body.append("image", new Blob([again]), "again.jpg");
    return body;
  };

  it.each<[string, FormData, string]>([
    ["is larger than that", form({ image_bytes: String(BYTES - 1), image }), "invalid_input"],
    ["is smaller than that", form({ image_bytes: String(BYTES + 1), image }), "invalid_input"],
    ["is too large", form({ image_bytes: "20000001", image }), "image_too_many_bytes"],
    ["has another format", announced(gif), "unsupported_format"],
    ["is damaged", announced(damaged), "image_damaged"],
    ["is cut off", announced(cutOff), "image_damaged"],
    ["has too few pixels", announced(jpeg(100, 500, BYTES)), "image_too_small"],
    ["has a wrong field after it", announced(image, { max_features: "many" }), "invalid_input"],
    ["has an unknown field after it", announced(image, { colour: "red" }), "invalid_input"],
    ["is for an unknown project", announced(image, { project_id: "none" }), "invalid_input"],
    ["is sent twice", twice(announced(image), image), "invalid_input"],
  ])("leaves nothing behind if it %s", async (_, body, code) => {
    const edge = new Edge();
    const before = await edge.allFiles();
    expect((await refusal(await submit(edge, body))).code).toBe(code);
    expect(await edge.allFiles()).toEqual(before);
    expect(edge.bindings.uploadMemory.bytes).toBe(0);
  });

  it("leaves nothing behind if its form is cut off", async () => {
    const edge = new Edge();
    const before = await edge.allFiles();
    const whole = new Response(announced(image));
    const type = whole.headers.get("Content-Type") ?? "";
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const answer = await submit(edge, bytes.slice(0, -4), { "Content-Type": type });
    expect((await refusal(answer)).code).toBe("malformed_upload");
    expect(await edge.allFiles()).toEqual(before);
  });

  it("leaves nothing behind if the connection closes in the middle", async () => {
    const edge = new Edge();
    const before = await edge.allFiles();
    const rows = await edge.db.$count(arContent);
    const { bucket, begun } = watchedBucket();
    const { body, headers } = arriving(announced(image), async (bytes) => {
      if (bytes < BYTES / 2) return;
      expect(begun).toHaveLength(1);
      throw new Error("The connection was closed.");
    });
    const { code } = await refusal(await submit(edge, body, headers, bucket));
    expect(code).toBe("upload_interrupted");
    expect(await edge.allFiles()).toEqual(before);
    expect(await edge.db.$count(arContent)).toBe(rows);
  });

  it("may come without a Content-Length, or with a wrong one", async () => {
    const edge = new Edge();
    const own = photo();
    const { body, headers } = arriving(announced(own), async () => {});
    const first = await submit(edge, body, headers);
    const second = arriving(announced(own), async () => {});
    const wrong = await submit(edge, second.body, { ...second.headers, "Content-Length": "5" });
    for (const response of [first, wrong]) {
      expect(response.status).toBe(201);
      const { content } = await response.json<Submission>();
      const served = await edge.fetch(content.image_url);
      expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(own);
    }
  });

  it.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ["has another format", gif, "unsupported_format"],
    ["has too many pixels", jpeg(20_000, 20_000, BYTES), "image_too_many_pixels"],
    ["is larger than 20 MB", new Uint8Array(20_000_001), "image_too_many_bytes"],
  ])("is refused before the storage has any of it if it %s", async (_, refused, code) => {
    const edge = new Edge();
    const { bucket, begun } = watchedBucket();
    const response = await submit(edge, announced(refused), {}, bucket);
    expect((await refusal(response)).code).toBe(code);
    expect(begun).toEqual([]);
  });

  it("gives the browser the whole lease, however long it was on its way", async () => {
    const edge = new Edge();
    const { body, headers } = arriving(announced(photo(), { compile: "browser" }), async () => edge.pass(10));
    const response = await submit(edge, body, headers);
    const { lease } = await response.json<Submission>();
    expect(Date.parse(lease?.expires_at ?? "") - edge.clock).toBe(60_000);
  });

  it("stays in the storage in which it began if another one is chosen on its way", async () => {
    const edge = new Edge();
    const own = photo();
    const connection = await edge.connection("second");
    let isSwitched = false;
    const { body, headers } = arriving(announced(own), async (bytes) => {
      if (bytes < BYTES / 2 || isSwitched) return;
      isSwitched = true;
      await edge.switchTo(connection.id);
    });
    const response = await submit(edge, body, headers);
    await edge.db.update(companies).set({ storageConnectionId: null });
    const { content } = await response.json<Submission>();
    expect(await edge.files(content)).toEqual([expect.stringContaining("original_images")]);
    const served = await edge.fetch(content.image_url);
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(own);
  });

  it("is stored in parts on S3, and leaves nothing there if it is refused", async () => {
    const edge = new Edge();
    const own = photo(6_000_000);
    const http = new StorageHttp({ checkAddress: () => {}, sleep: async () => {} });
    const prefix = crypto.randomUUID();
    const bucket = new S3Storage({ ...inject("localS3"), prefix }, http);
    const { image_url } = await submitted(edge, announced(own), bucket);
    const served = await edge.fetch(image_url, {}, { storages: edge.storagesWith(bucket) });
    expect(new Uint8Array(await served.arrayBuffer())).toEqualBytes(own);
    const before = await bucket.list("", { recursive: true });
    expect(before.objects.map(({ size }) => size)).toContain(own.length);
    const refused = await submit(edge, announced(own, { max_features: "many" }), {}, bucket);
    expect((await refusal(refused)).code).toBe("invalid_input");
    expect(await bucket.list("", { recursive: true })).toEqual(before);
  });

  it("leaves nothing behind if there is no quota for it", async () => {
    const edge = new Edge();
    const before = await edge.allFiles();
    await edge.db.update(companies).set({ maxBytes: 1 });
    const response = await submit(edge, announced(image));
    await edge.db.update(companies).set({ maxBytes: null });
    expect((await refusal(response)).code).toBe("quota_exceeded");
    expect(await edge.allFiles()).toEqual(before);
  });

  it("fails with the storage's own reason, before its end if the storage does not read it", async () => {
    const edge = new Edge();
    for (const reads of [false, true]) {
      const bucket = new R2Storage(env.BUCKET);
      bucket.upload = async (_, body) => {
        if (reads) await (body as ReadableStream).getReader().read();
        throw new StorageError("quota_exceeded", "The bucket is full.");
      };
      const { code, detail } = await refusal(await submit(edge, announced(photo()), {}, bucket));
      expect([code, detail]).toEqual(["storage_full", expect.stringContaining("The bucket is full.")]);
    }
  });

  it("is stored once by requests with the same Idempotency-Key, of which a different one stores nothing", async () => {
    const edge = new Edge();
    const headers = { "Idempotency-Key": "incoming" };
    const first = await submit(edge, announced(image), headers);
    expect(first.status).toBe(201);
    const after = await edge.allFiles();
    const repeated = await submit(edge, announced(image), headers);
    expect(repeated.headers.get("Idempotency-Replayed")).toBe("true");
    expect((await refusal(await submit(edge, announced(photo()), headers))).code).toBe(
      "idempotency_key_reused",
    );
    expect(await edge.allFiles()).toEqual(after);
  });

  it("gets the marker of the same photo, and an image of its own", async () => {
    const edge = new Edge();
    const own = photo();
    const first = await submitted(edge, announced(own));
    const second = await submitted(edge, announced(own));
    expect(second.image_sha256).toBe(first.image_sha256);
    expect(second.image_url).not.toBe(first.image_url);
    await edge.fetch(`/api/ar-content/${first.id}`, { method: "DELETE" });
    expect((await edge.fetch(second.image_url)).status).toBe(200);
  });
});

it.each([5, 2_000_000])("a size of %i bytes that is sent with another photo is refused", async (bytes) => {
  const edge = new Edge();
  const before = await edge.allFiles();
  // After the image: the photo is in memory.
  const body = form({ image: jpeg(500, 500, 1000), image_bytes: String(bytes) });
  const { code, detail } = await refusal(await submit(edge, body));
  expect([code, detail]).toEqual(["invalid_input", expect.stringContaining("the image has 1000 bytes")]);
  expect(await edge.allFiles()).toEqual(before);
});
