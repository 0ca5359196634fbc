import { Zip, ZipDeflate, ZipPassThrough, zipSync } from "fflate";
import { beforeEach, describe, expect, test } from "vitest";
import { type UnzipLimits, type Unzipped, unzipped } from "../../../worker/content/zip.ts";
import { arContent, idempotencyKeys } from "../../../worker/db/tables.ts";
import { UploadMemory } from "../../../worker/http/upload-memory.ts";
import type { BatchItem } from "../../../worker/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";

const BATCH = "/api/ar-content/batch";

interface Result {
  readonly items: BatchItem[];
  readonly submitted: number;
  readonly refused: number;
}

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
});

async function count(): Promise<number> {
  return (await edge.db.select({ id: arContent.id }).from(arContent)).length;
}

function zip(body: BodyInit, query = "", headers: Record<string, string> = {}) {
  return edge.fetch(`${BATCH}${query}`, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/zip", ...headers },
  });
}

async function sent(response: Promise<Response> | Response): Promise<Result> {
  const answer = await response;
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

const LIMITS = { maxFileBytes: 1_000_000, maxTotalBytes: 100_000_000, maxEntries: 100 };

/** Unpacks an archive that arrives in chunks of `length` bytes, and counts the pauses. */
async function unpack(
  archive: Uint8Array,
  { length = archive.length, ...limits }: Partial<UnzipLimits> & { length?: number } = {},
) {
  const pieces = async function* () {
    for (let from = 0; from < archive.length; from += length) yield archive.subarray(from, from + length);
  };
  const files: Unzipped[] = [];
  let pauses = 0;
  const pause = async () => void pauses++;
  let error: unknown;
  try {
    const held = new UploadMemory().open("", { now: () => 0, sleep: async () => {} });
    for await (const file of unzipped(pieces(), { ...LIMITS, held, pause, ...limits })) files.push(file);
  } catch (refused) {
    error = refused;
  }
  return { files, pauses, error };
}

/** Returns a ZIP whose sizes are in data descriptors. */
async function streamed(files: readonly (readonly [ZipDeflate | ZipPassThrough, Uint8Array])[]) {
  const chunks: Uint8Array[] = [];
  const archive = new Zip((_, chunk) => void chunks.push(chunk));
  for (const [file, bytes] of files) {
    archive.add(file);
    for (let from = 0; from < bytes.length; from += 65_536) file.push(bytes.slice(from, from + 65_536));
    file.push(new Uint8Array(0), true);
  }
  archive.end();
  return new Uint8Array(await new Blob(chunks.map((chunk) => new Uint8Array(chunk))).arrayBuffer());
}

function codes({ items }: Result): (string | null)[] {
  return items.map(({ error }) => error?.code ?? null);
}

describe("a ZIP archive", () => {
  test("each file becomes a photo with the query's options", async () => {
    const archive = zipSync({
      "holiday/beach.png": [png(), { level: 0 }],
      "holiday/": new Uint8Array(0),
      "holiday/hills.png": png(),
      "__MACOSX/holiday/._beach.png": new Uint8Array(8),
      "holiday/.DS_Store": new Uint8Array(8),
    });
    const before = edge.sent.length;
    const result = await sent(zip(archive, "?max_features=200&description=Greece"));
    expect(result).toMatchObject({ submitted: 2, refused: 0 });
    expect(result.items.map(({ index, name, status }) => [index, name, status])).toEqual([
      [0, "holiday/beach.png", 201],
      [1, "holiday/hills.png", 201],
    ]);
    const [beach, hills] = await Promise.all(result.items.map(({ content_id: id }) => edge.content(id!)));
    expect(beach).toMatchObject({ title: "beach", description: "Greece", max_features: 200 });
    expect(hills).toMatchObject({
      title: "hills",
      marker_status: "pending",
      task_id: result.items[1].task_id,
    });
    expect(
      edge.sent
        .slice(before)
        .map(({ message }) => message.content_id)
        .sort(),
    ).toEqual([beach.id, hills.id].sort());
  });

  test("a damaged file does not affect the others", async () => {
    const broken = new Uint8Array(20_000).map((_, i) => (i * 7919) >> 3);
    const archive = zipSync({
      "first.png": png(),
      "notes.txt": new TextEncoder().encode("no image"),
      "broken.png": broken,
      "small.png": png(8, 8),
      "empty.png": new Uint8Array(0),
      "../../../../etc/passwd.png": png(),
      "last.png": [png(), { level: 0 }],
    });
    // Into the packed bytes of broken.png.
    const at = new TextDecoder("latin1").decode(archive).indexOf("broken.png") + 10;
    archive.fill(0xff, at + 4, at + 40);
    const result = await sent(zip(archive));
    expect(codes(result)).toEqual([
      null,
      "not_an_image",
      "image_damaged",
      "image_too_small",
      "empty_file",
      null,
      null,
    ]);
    const sneaky = await edge.content(result.items[5].content_id!);
    expect(sneaky.title).toBe("passwd");
    const keys = await edge.files(sneaky);
    expect(keys.every((key) => key.includes(sneaky.unique_id) && !key.includes("etc"))).toBe(true);
  });

  test("a file that expands more than 20-fold is refused", async () => {
    const archive = zipSync({ "bomb.png": new Uint8Array(60_000_000), "photo.png": png() });
    expect(archive.length).toBeLessThan(100_000);
    const result = await sent(zip(archive));
    expect(codes(result)).toEqual(["image_damaged", null]);
    expect(result.items[0].error?.detail).toContain("expands more than 20-fold");
    const { files, pauses } = await unpack(archive);
    expect(files.map((file) => "bytes" in file)).toEqual([false, true]);
    // Unpacked up to the limit only.
    expect(pauses).toBe(0);
  });

  test("a file over 20 MB is refused", async () => {
    const large = new Uint8Array(20_000_001);
    for (let i = 0; i < large.length; i += 65_536) crypto.getRandomValues(large.subarray(i, i + 65_536));
    const archive = zipSync({ "large.png": [large, { level: 0 }], "photo.png": png() });
    expect(codes(await sent(zip(archive)))).toEqual(["image_too_many_bytes", null]);
  });

  describe.each(["known sizes", "data descriptors"])("with %s", (kind) => {
    const make = (files: Record<string, Uint8Array>) =>
      kind === "known sizes"
        ? zipSync(files)
        : streamed(Object.entries(files).map(([name, bytes]) => [new ZipDeflate(name, { level: 6 }), bytes]));
    const bomb = new Uint8Array(3_000_000);

    test("hidden files are skipped without being unpacked", async () => {
      const archive = await make({
        ".hidden": bomb,
        "__MACOSX/bomb": bomb,
        "a/Thumbs.db": bomb,
        "photo.png": png(),
      });
      const { files, pauses, error } = await unpack(archive, { maxTotalBytes: 1000 });
      expect(error).toBeUndefined();
      expect(files.map(({ name }) => name)).toEqual(["photo.png"]);
      expect(pauses).toBe(0);
      expect(codes(await sent(zip(archive)))).toEqual([null]);
    });

    test("refused files count towards the limit of unpacked bytes", async () => {
      const bombs = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.png`, bomb]));
      const { files, error } = await unpack(await make(bombs), { maxTotalBytes: 500_000 });
      expect(error).toMatchObject({ code: "batch_too_large", message: expect.stringContaining("0.5 MB") });
      expect(files.length).toBeGreaterThan(2);
      expect(files.length).toBeLessThan(20);
    });

    test("other requests run after every megabyte", async () => {
      const noise = (length: number) => {
        const bytes = new Uint8Array(length);
        for (let i = 0; i < length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
        return bytes;
      };
      const { files, pauses } = await unpack(
        await make({ "a.png": noise(900_000), "b.png": noise(900_000) }),
      );
      expect(files.map((file) => "bytes" in file && file.bytes.length)).toEqual([900_000, 900_000]);
      expect(pauses).toBeGreaterThanOrEqual(3);
    });
  });

  test("an archive has at most 2,000 entries, including hidden files", async () => {
    const hidden = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`.${i}`, new Uint8Array(0)]));
    expect(codes(await sent(zip(zipSync({ ...hidden(1999), "photo.png": png() }))))).toEqual([null]);
    const before = await count();
    const problem = await refusal(await zip(zipSync({ ...hidden(2000), "photo.png": png() })));
    expect(problem).toMatchObject({ code: "batch_too_large", status: 413 });
    expect(problem.detail).toContain("more than 2,000 entries");
    const late = await sent(zip(zipSync({ "photo.png": png(), ...hidden(2000) })));
    expect(codes(late)).toEqual([null, "batch_too_large"]);
    expect(await count()).toBe(before + 1);
  });

  test("files with the same name are separate, and an archive in an archive is not a photo", async () => {
    const archive = zipSync({ "a.png": [png(), { level: 0 }], "b.png": [png(), { level: 0 }] });
    for (let i = 0; i < archive.length; i++) {
      if (archive[i] === 0x62 && archive[i + 1] === 0x2e) archive[i] = 0x61;
    }
    const twice = await sent(zip(archive));
    expect(twice.items.map(({ name, status }) => [name, status])).toEqual([
      ["a.png", 201],
      ["a.png", 201],
    ]);
    const nested = zipSync({ "inner.png": [archive, { level: 0 }] });
    expect(codes(await sent(zip(nested)))).toEqual(["not_an_image"]);
  });

  test("an encrypted file is reported, also when it is a bomb", async () => {
    const archive = zipSync({ "a.png": new Uint8Array(3_000_000), "b.png": png() });
    archive[6] |= 1;
    const { files, pauses } = await unpack(archive);
    expect(files).toMatchObject([{ error: { message: expect.stringContaining("encrypted") } }, {}]);
    expect(pauses).toBe(0);
  });

  test("a stated size does not raise the limits", async () => {
    const archive = zipSync({ "a.png": new Uint8Array(3_000_000), "b.png": png() });
    // The unpacked size of the local header.
    archive.set([100, 0, 0, 0], 22);
    const { files } = await unpack(archive);
    expect(files.map((file) => "bytes" in file)).toEqual([false, true]);
  });

  test.each([
    ["too small", 5],
    ["too large", 1e9],
  ])("a packed size that is %s ends the archive", async (_, size) => {
    const archive = zipSync({ "a.png": [png(), { level: 0 }], "b.png": [png(), { level: 0 }] });
    new DataView(archive.buffer).setUint32(18, size, true);
    const { files, error } = await unpack(archive);
    expect(files).toMatchObject([{ name: "a.png", error: { code: "image_damaged" } }]);
    if (size === 5) {
      expect(error).toMatchObject({ code: "malformed_upload", message: expect.stringContaining('"a.png"') });
    }
  });

  test("files after the directory are not read", async () => {
    const archive = zipSync({ "a.png": png() });
    const { files, error } = await unpack(new Uint8Array([...archive, ...zipSync({ "b.png": png() })]));
    expect(error).toBeUndefined();
    expect(files.map(({ name }) => name)).toEqual(["a.png"]);
  });

  test("an archive that breaks off between two files is reported", async () => {
    const archive = zipSync({ "one.png": [png(), { level: 0 }], "two.png": [png(), { level: 0 }] });
    const second = new TextDecoder("latin1").decode(archive).indexOf("two.png") - 30;
    for (const end of [second, second + 2, second + 20]) {
      const result = await sent(zip(archive.slice(0, end)));
      expect(codes(result)).toEqual([null, "malformed_upload"]);
      expect(result.items[1].error?.detail).toContain('cut off or damaged after "one.png"');
    }
  });

  test("sizes may be in data descriptors, and chunks may have any length", async () => {
    const photos = [png(), png(), png()];
    const bytes = await streamed(photos.map((photo, i) => [new ZipDeflate(`${i}.png`), photo]));
    for (const length of [1, 7, 1000]) {
      const { files } = await unpack(bytes, { length });
      expect(files).toHaveLength(photos.length);
      for (const [i, photo] of photos.entries()) {
        expect("bytes" in files[i] && files[i].bytes).toEqualBytes(photo);
      }
    }
    expect((await sent(zip(bytes))).submitted).toBe(3);
  });

  test.each([true, false])("a file whose CRC-32 does not match is reported by name", async (isSized) => {
    const [photo, other] = [png(), png()];
    const bytes = isSized
      ? zipSync({ "one.png": [photo, { level: 0 }], "two.png": [other, { level: 0 }] })
      : await streamed([
          [new ZipPassThrough("one.png"), photo],
          [new ZipPassThrough("two.png"), other],
        ]);
    // A byte of the first photo's text, which no decoder of images would miss.
    const at = new TextDecoder("latin1").decode(bytes).indexOf("tEXt") + 6;
    bytes[at] ^= 1;
    const result = await sent(zip(bytes));
    expect(codes(result)).toEqual(["image_damaged", null]);
    expect(result.items[0].error?.detail).toContain('"one.png" cannot be unpacked: its CRC-32');
  });

  test("an uncompressed file that contains descriptor signatures is read whole, with 8-byte sizes too", async () => {
    const inner = zipSync({ "x.png": [png(), { level: 0 }] });
    const descriptor = new Uint8Array([
      0x50, 0x4b, 7, 8, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x4b, 3, 4,
    ]);
    const file = new Uint8Array([...inner, ...descriptor, ...inner, ...new Uint8Array(9000), ...descriptor]);
    const [header, end] = [new DataView(new ArrayBuffer(35)), new DataView(new ArrayBuffer(24))];
    header.setUint32(0, 0x504b0304);
    header.setUint16(6, 8, true);
    header.setUint16(26, 5, true);
    for (const [i, code] of [..."a.png"].entries()) header.setUint8(30 + i, code.charCodeAt(0));
    end.setUint32(0, 0x504b0708);
    const stored = zipSync({ "a.png": [file, { level: 0 }] });
    end.setUint32(4, new DataView(stored.buffer).getUint32(14, true), true);
    end.setBigUint64(8, BigInt(file.length), true);
    end.setBigUint64(16, BigInt(file.length), true);
    const archive = [header.buffer, file, end.buffer, header.buffer, end.buffer.slice(0, 4)];
    const bytes = new Uint8Array(await new Blob(archive).arrayBuffer());
    for (const length of [5, 4096, 1_000_000]) {
      const { files } = await unpack(bytes, { length });
      const [whole, rest] = files;
      expect(whole).toEqual({ name: "a.png", bytes: file });
      expect(rest).toMatchObject({ name: "a.png", error: { code: "image_damaged" } });
    }
  });

  test("of a cut-off archive, whole files are submitted and the rest is reported", async () => {
    const archive = zipSync({ "one.png": [png(), { level: 0 }], "two.png": [png(), { level: 0 }] });
    const end = new TextDecoder("latin1").decode(archive).indexOf("two.png") + 20;
    expect(codes(await sent(zip(archive.slice(0, end))))).toEqual([null, "image_damaged"]);
  });

  test("an unknown compression method is reported", async () => {
    const archive = zipSync({ "one.png": [png(), { level: 0 }], "two.png": [png(), { level: 0 }] });
    archive[8] = 99;
    expect(codes(await sent(zip(archive)))).toEqual(["image_damaged", null]);
  });

  test.each(["", "no archive at all", "PK"])("refused: %j", async (body) => {
    expect((await refusal(await zip(body))).code).toBe("malformed_upload");
  });

  test("of 501 photos, 500 are submitted in few round trips and the last is refused", async () => {
    const files = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`${i}.png`, png()]));
    let roundTrips = 0;
    const db = new Proxy(edge.db, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (["batch", "select", "insert", "update", "delete"].includes(String(name))) {
          // Statements of a batch are built before it is sent, and counted out again.
          return (...values: unknown[]) => {
            roundTrips += name === "batch" ? 1 - (values[0] as unknown[]).length : 1;
            return value.apply(target, values);
          };
        }
        return value;
      },
    });
    const before = await count();
    const init = { method: "POST", body: zipSync(files), headers: { "Content-Type": "application/zip" } };
    const result = await sent(edge.fetch(BATCH, init, { db }));
    expect(result).toMatchObject({ submitted: 500, refused: 1 });
    expect(result.items[500]).toMatchObject({ index: 500, status: 413, error: { code: "batch_too_large" } });
    expect(new Set(result.items.map(({ content_id: id }) => id)).size).toBe(501);
    expect(await count()).toBe(before + 500);
    expect(roundTrips).toBeLessThan(110);
  });
});

describe("a form", () => {
  function form(...photos: Uint8Array[]): FormData {
    const data = new FormData();
    for (const [i, photo] of photos.entries()) {
      data.append("image", new Blob([new Uint8Array(photo)]), `photo ${i}.png`);
    }
    return data;
  }

  test("each image becomes a photo", async () => {
    const body = form(png(), new Uint8Array([1, 2, 3]), png());
    const result = await sent(edge.fetch(`${BATCH}?description=All`, { method: "POST", body }));
    expect(codes(result)).toEqual([null, "not_an_image", null]);
    const last = await edge.content(result.items[2].content_id!);
    expect(last).toMatchObject({ title: "photo 2", description: "All" });
  });

  test("of a broken form, the images before the break are submitted", async () => {
    const body = form(png(), png());
    body.append("nonsense", "x");
    const result = await sent(edge.fetch(BATCH, { method: "POST", body }));
    expect(codes(result)).toEqual([null, null, "invalid_input"]);
    const none = new FormData();
    none.append("nonsense", "x");
    expect((await refusal(await edge.fetch(BATCH, { method: "POST", body: none }))).code).toBe(
      "invalid_input",
    );
  });

  test("a photo whose marker exists already is ready at once", async () => {
    const { content } = await edge.submit();
    const twice = png();
    const result = await sent(edge.fetch(BATCH, { method: "POST", body: form(twice, twice) }));
    expect(result.items.map(({ reused }) => reused)).toEqual([false, false]);
    expect(content.id).not.toBe(result.items[0].content_id);
  });
});

describe("addresses", () => {
  const address = (name: string) => `https://images.example.net/${name}`;

  test("each image is fetched and has its own fields and result", async () => {
    edge.sites.set(address("a.png"), () => new Response(png()));
    edge.sites.set(address("b.png"), () => new Response(null, { status: 404 }));
    edge.sites.set(address("c.png"), () => new Response(png()));
    const items = [
      { image_url: address("a.png"), title: "First", max_features: 100 },
      { image_url: address("b.png") },
      { image_url: "https://10.0.0.1/secret.png" },
      { image_url: address("c.png"), project_id: "nowhere" },
      { image_url: address("c.png") },
    ];
    const result = await sent(edge.fetch(BATCH, json("POST", { items })));
    expect(codes(result)).toEqual([null, "image_not_fetched", "invalid_input", "invalid_input", null]);
    expect(result.items[4].name).toBe(address("c.png"));
    const first = await edge.content(result.items[0].content_id!);
    expect(first).toMatchObject({ title: "First", max_features: 100 });
  });

  test("slow addresses share ten minutes; the rest is reported and not requested", async () => {
    const asked: string[] = [];
    const items = Array.from({ length: 8 }, (_, i) => ({ image_url: address(`slow-${i}.png`) }));
    for (const { image_url } of items) {
      edge.sites.set(image_url, () => {
        asked.push(image_url);
        edge.pass(151);
        return new Response(png());
      });
    }
    const result = await sent(edge.fetch(BATCH, json("POST", { items })));
    expect(asked).toHaveLength(4);
    expect(codes(result)).toEqual([...Array(4).fill(null), ...Array(4).fill("image_not_fetched")]);
    expect(result.items[7].error?.detail).toContain("time limit of 10 minutes");
  });

  test.each([{ items: [] }, { items: "x" }, {}, { items: Array(501).fill({ image_url: "https://a.de/" }) }])(
    "refused as a whole",
    async (body) => {
      expect((await refusal(await edge.fetch(BATCH, json("POST", body)))).code).toBe("invalid_input");
    },
  );
});

describe("with an Idempotency-Key", () => {
  test("a form whose connection broke is completed by a retry at once", async () => {
    const form = new FormData();
    for (const name of ["a.png", "b.png"]) form.append("image", new Blob([png()]), name);
    const whole = new Request("http://x", { method: "POST", body: form });
    const type = whole.headers.get("content-type")!;
    const headers = { "Idempotency-Key": crypto.randomUUID(), "Content-Type": type };
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const before = await count();
    const broken = new ReadableStream({
      start: (controller) => controller.enqueue(bytes.slice(0, -100)),
      pull: (controller) => controller.error(new Error("connection reset")),
    });
    const first = await sent(edge.fetch(BATCH, { method: "POST", body: broken, headers }));
    expect(codes(first)).toEqual([null, "upload_interrupted"]);
    const again = await sent(edge.fetch(BATCH, { method: "POST", body: bytes, headers }));
    expect(codes(again)).toEqual([null, null]);
    expect(again.items[0].content_id).toBe(first.items[0].content_id);
    expect(await count()).toBe(before + 2);
  });

  test("an archive is recognised, although its directory is not needed", async () => {
    const archive = zipSync({ "a.png": [png(), { level: 0 }], "b.png": [png(), { level: 0 }] } as never);
    const headers = { "Idempotency-Key": crypto.randomUUID(), "Content-Type": "application/zip" };
    const send = () => {
      let at = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (at < archive.length) controller.enqueue(archive.slice(at, at + 32));
          else controller.close();
          at += 32;
        },
      });
      return edge.fetch(BATCH, { method: "POST", body, headers });
    };
    const first = await send();
    const again = await send();
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await again.text()).toBe(await first.text());
  });

  test("a batch that broke off is completed without duplicates", async () => {
    const archive = zipSync(
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.png`, [png(), { level: 0 }]])) as never,
    );
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const before = await count();
    let batches = 0;
    const dying = new Proxy(edge.db, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== "batch") return value;
        return (...values: unknown[]) => {
          // One for the key, two for each group: the second group's photos stay hidden.
          if (++batches > 4) throw new Error("The isolate is gone.");
          return value.apply(target, values);
        };
      },
    });
    const init = () => ({
      method: "POST",
      body: archive,
      headers: { ...headers, "Content-Type": "application/zip" },
    });
    await edge.fetch(BATCH, init(), { db: dying }).catch(() => null);
    // As if its answer had not been noted either.
    await edge.db.update(idempotencyKeys).set({ answer: null, lease: "gone", leaseExpiresAt: edge.clock });
    const result = await sent(edge.fetch(BATCH, init()));
    expect(result).toMatchObject({ submitted: 40, refused: 0 });
    expect(await count()).toBe(before + 40);
    const again = await edge.fetch(BATCH, init());
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await again.json()).toEqual(result);
  });
});
