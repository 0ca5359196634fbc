import { beforeEach, describe, expect, it } from "vitest";
import { StorageError } from "../../../worker/storage/provider.ts";
import { testConnection } from "../../../worker/storage/test-connection.ts";
import { LARGE_BYTES, storageContract } from "./contract.ts";
import { hasty, openYandexDisk, yandex } from "./servers/yandex-disk.ts";

beforeEach(() => yandex.reset());

const place = { token: yandex.token, root: "disk:/Студия «Фото»/100 % + 1" };
storageContract("Yandex Disk", () => openYandexDisk(place), {
  reportsQuota: true,
  counted: () => {
    let taken = 0;
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        taken += chunk.length;
        controller.enqueue(chunk);
      },
    });
    const counting = hasty({
      fetch: (url, init) => {
        const { body } = init;
        if (!(body instanceof ReadableStream)) return fetch(url, init);
        const counted = body.pipeThrough(count).pipeThrough(new FixedLengthStream(LARGE_BYTES));
        return fetch(url, { ...init, body: counted });
      },
    });
    return { storage: openYandexDisk(place, counting), taken: () => taken };
  },
  misconfigured: [{ fields: ["token"], open: () => openYandexDisk({ ...place, token: `${place.token}x` }) }],
  line: async () => ({
    storage: openYandexDisk(place),
    down: async () => void (await yandex.behave({ down: true })),
    up: async () => void (await yandex.behave({ down: false })),
    cutAfter: async (cutAfter) => void (await yandex.fault({ host: "transfer", method: "PUT", cutAfter })),
  }),
});

const storage = openYandexDisk();
const folder = () => `own/${crypto.randomUUID()}`;
const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);
const put = (key: string, body: Uint8Array<ArrayBuffer>, ifAbsent = false) =>
  storage.upload(key, body, { length: body.length, contentType: "video/mp4", ifAbsent });
const putStream = (key: string, body: Uint8Array<ArrayBuffer>) =>
  storage.upload(key, streamOf(body), { length: body.length, contentType: "video/mp4" });
const read = async (key: string) => {
  const download = await storage.download(key);
  return download && new Uint8Array(await new Response(download.body).arrayBuffer());
};
const kinds = [
  ["bytes", put],
  ["a stream", putStream],
] as const;

/** In pieces that arrive one by one. */
function streamOf(body: Uint8Array, pieces = 4): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(body.slice((body.length * sent) / pieces, (body.length * (sent + 1)) / pieces));
        if (++sent === pieces) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What listings hide: files that uploads have left behind. */
async function leftovers(): Promise<string[]> {
  const query = new URLSearchParams({ path: "app:/.vivimark-uploads", limit: "1000" });
  const response = await fetch(`${yandex.apiUrl}/v1/disk/resources?${query}`, {
    headers: { Authorization: `OAuth ${yandex.appToken}` },
  });
  const { _embedded } = await response.json<{ _embedded?: { items: { name: string }[] } }>();
  return _embedded?.items.map(({ name }) => name) ?? [];
}

const outcome = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
};

describe("The token", () => {
  it("is sent to the API and to no other host", async () => {
    const key = `${folder()}/a.mp4`;
    await put(key, bytes(10));
    await putStream(key, bytes(100));
    await read(key);
    const seen = await yandex.seen();
    expect(seen.filter(({ host }) => host === "transfer").map(({ method }) => method)).toEqual([
      "PUT",
      "PUT",
      "GET",
      "GET",
    ]);
    for (const { host, headers, path } of seen) {
      expect(headers.authorization).toBe(host === "api" ? `OAuth ${yandex.appToken}` : undefined);
      expect(path).not.toContain(yandex.appToken);
    }
  });

  it("is not sent to an operation at another host", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.reset();
    const href = `${yandex.transferUrl}/v1/disk/operations/1`;
    await yandex.fault({ host: "api", method: "DELETE", status: 202, body: { href, method: "GET" } });
    expect(await outcome(storage.delete(key))).toMatchObject({ code: "unavailable" });
    expect((await yandex.seen()).filter(({ host }) => host === "transfer")).toEqual([]);
  });

  it("is named as the wrong setting when Yandex refuses it, and not repeated in the error", async () => {
    const token = "y0_secret-that-nobody-knows";
    const error = await outcome(openYandexDisk({ token }).head("a"));
    expect(error).toMatchObject({ code: "invalid_config", field: "token", providerMessage: "Unauthorized" });
    await yandex.fault({ host: "api", status: 401, body: { error: "E", description: `Not ${token}.` } });
    expect((await outcome(openYandexDisk({ token }).head("a"))).message).not.toContain(token);
  });

  it("cannot be empty", () => {
    expect(() => openYandexDisk({ token: "" })).toThrow(expect.objectContaining({ field: "token" }));
  });

  it("may lack a right", async () => {
    expect(await outcome(openYandexDisk({ root: "disk:/Elsewhere" }).head("a"))).toMatchObject({
      code: "denied",
    });
  });
});

it("passes the connection test, which leaves no file", async () => {
  const root = `app:/${crypto.randomUUID()}`;
  const tested = openYandexDisk({ root });
  const { ok, steps } = await testConnection(tested, "company");
  expect(steps.map(({ step, ok: done }) => [step, done])).toEqual([
    ["write", true],
    ["read", true],
    ["list", true],
    ["delete", true],
  ]);
  expect(ok).toBe(true);
  expect(await tested.usage("")).toEqual({ objects: 0, bytes: 0 });
  const refused = await testConnection(openYandexDisk({ root, token: "wrong" }), "company");
  expect(refused.steps[0]).toMatchObject({ step: "write", ok: false, error: { field: "token" } });
});

describe("The root", () => {
  it.each(["", "app:", "disk", "/Photos", "trash:/", "app:/a//b", "disk:/../a", "https://disk.yandex.ru/a"])(
    "cannot be %j",
    (root) => {
      expect(() => openYandexDisk({ root })).toThrow(
        expect.objectContaining({ code: "invalid_config", field: "root" }),
      );
    },
  );

  it("confines its objects, however it is written", async () => {
    const name = crypto.randomUUID();
    const inside = openYandexDisk({ root: `app:/${name}/` });
    await inside.upload("a/b", bytes(5), { length: 5, contentType: "image/png" });
    expect((await inside.list("", { recursive: true })).objects.map(({ key }) => key)).toEqual(["a/b"]);
    expect(await storage.head(`${name}/a/b`)).toMatchObject({ size: 5 });
    expect(await inside.usage("")).toEqual({ objects: 1, bytes: 5 });
  });
});

describe("Names", () => {
  it.each([
    "12:30.mp4",
    "a:b/c:d",
    "1 + 1 = 2 & so on?#%25",
    "«Ёлки» и 'кавычки' \"два\"",
    "後ろ 👩‍👩‍👧 é",
    "disk:",
    "back\\slash*<>|",
    "x".repeat(255),
  ])("may be %s", async (name) => {
    const root = folder();
    const key = `${root}/${name}`;
    await put(key, bytes(33));
    expect(await read(key)).toEqualBytes(bytes(33));
    expect((await storage.list(root, { recursive: true })).objects.map((object) => object.key)).toEqual([
      key,
    ]);
    await storage.delete(key);
    expect(await storage.head(key)).toBeNull();
  });

  it("are refused when Yandex finds them too long", async () => {
    const key = `${folder()}/${"x".repeat(256)}`;
    expect(await outcome(put(key, bytes(1)))).toMatchObject({ code: "invalid_config" });
  });

  it("belong to either an object or a folder", async () => {
    const root = folder();
    await put(`${root}/a/b`, bytes(10));
    expect(await outcome(put(`${root}/a`, bytes(1)))).toMatchObject({ code: "conflict" });
    expect(await outcome(put(`${root}/a/b/c`, bytes(1)))).toMatchObject({ code: "conflict" });
    await storage.delete([`${root}/a`, root]);
    expect(await storage.head(`${root}/a`)).toBeNull();
    expect(await storage.download(`${root}/a`)).toBeNull();
    expect(await read(`${root}/a/b`)).toEqualBytes(bytes(10));
    expect(await leftovers()).toEqual([]);
  });
});

describe("Uploading", () => {
  it("creates folders only when they are missing", async () => {
    const root = folder();
    await put(`${root}/a/b/c/1`, bytes(1));
    await yandex.reset();
    await put(`${root}/a/b/c/2`, bytes(1));
    expect(
      (await yandex.seen()).map(({ host, method, path }) => `${host} ${method} ${path.split("?")[0]}`),
    ).toEqual([
      "api GET /v1/disk/resources",
      "api GET /v1/disk/resources/upload",
      expect.stringContaining("transfer PUT /upload-target/"),
      "api POST /v1/disk/resources/move",
    ]);
  });

  it("creates a missing folder after either of Yandex's errors", async () => {
    const other = openYandexDisk({ root: `app:/${crypto.randomUUID()}/deep` });
    const missing = { error: "DiskNotFoundError", description: "Resource not found." };
    await yandex.fault({ host: "api", path: "/v1/disk/resources/upload", status: 404, body: missing });
    await yandex.fault({ host: "api", method: "PUT", status: 404, body: missing });
    await other.upload("a/b", bytes(5), { length: 5, contentType: "a/b" });
    expect(await other.head("a/b")).toMatchObject({ size: 5 });
  });

  it("sends a stream with its length and a neutral content type", async () => {
    await putStream(`${folder()}/film.mp4`, bytes(5000));
    const seen = await yandex.seen();
    const upload = seen.find(({ method, host }) => method === "PUT" && host === "transfer");
    expect(upload?.headers["content-length"]).toBe("5000");
    expect(upload?.headers["transfer-encoding"]).toBeUndefined();
    const link = new URL(seen.find(({ path }) => path.includes("/upload?"))?.path ?? "", yandex.apiUrl);
    expect(link.searchParams.get("path")).toMatch(/^app:\/\.vivimark-uploads\/[0-9a-f-]{36}$/);
  });

  it.each(kinds)("of %s waits for the uploader's operation", async (_kind, upload) => {
    const key = `${folder()}/a`;
    await yandex.behave({ slowUploads: true, operationPolls: 12 });
    await upload(key, bytes(1000));
    expect(await read(key)).toEqualBytes(bytes(1000));
  });

  it.each(kinds)("of %s waits for the move's operation", async (_kind, upload) => {
    const key = `${folder()}/a`;
    await upload(key, bytes(10));
    await yandex.behave({ slowFiles: true, operationPolls: 12 });
    await upload(key, bytes(1000, 2));
    expect(await read(key)).toEqualBytes(bytes(1000, 2));
    await storage.delete(key);
    expect(await storage.head(key)).toBeNull();
  });

  it.each(kinds)(
    "of %s that the uploader's operation gives up keeps the old object",
    async (_kind, upload) => {
      const key = `${folder()}/a`;
      await put(key, bytes(10));
      await yandex.behave({ slowUploads: true, operationsFail: true });
      expect(await outcome(upload(key, bytes(1000, 2)))).toMatchObject({ code: "unavailable" });
      expect(await read(key)).toEqualBytes(bytes(10));
      await yandex.reset();
      expect(await leftovers()).toEqual([]);
    },
  );

  it("keeps the old object when the move's operation fails", async () => {
    // In a root of its own: what is left there cannot be removed either, while every operation fails.
    const other = openYandexDisk({ root: `app:/${crypto.randomUUID()}` });
    const upload = (seed: number) => other.upload("a", bytes(100, seed), { length: 100, contentType: "a/b" });
    await upload(1);
    await yandex.behave({ slowFiles: true, operationsFail: true });
    expect(await outcome(upload(2))).toMatchObject({ code: "unavailable" });
    const download = await other.download("a");
    expect(new Uint8Array(await new Response(download?.body).arrayBuffer())).toEqualBytes(bytes(100, 1));
  });

  it("does not wait without limit", async () => {
    const key = `${folder()}/a`;
    await yandex.behave({ slowUploads: true, operationPolls: 1000 });
    expect(await outcome(putStream(key, bytes(10)))).toMatchObject({ code: "unavailable" });
    expect(await storage.head(key)).toBeNull();
  });

  it("of bytes starts again with a new link when the connection is cut", async () => {
    const key = `${folder()}/a`;
    await yandex.fault({ host: "transfer", method: "PUT", cutAfter: 50_000, times: 2 });
    await put(key, bytes(200_000));
    expect(await read(key)).toEqualBytes(bytes(200_000));
    const links = (await yandex.seen()).filter(({ host, method }) => host === "transfer" && method === "PUT");
    expect(new Set(links.map(({ path }) => path)).size).toBe(3);
    expect(await leftovers()).toEqual([]);
  });

  it("of a stream fails when the connection is cut, and the old object stays", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.fault({ host: "transfer", method: "PUT", cutAfter: 500_000 });
    expect(await outcome(putStream(key, bytes(4_000_000)))).toMatchObject({ code: "unavailable" });
    expect(await read(key)).toEqualBytes(bytes(10));
    expect(await leftovers()).toEqual([]);
  });

  it.each(kinds)("of %s survives a lost response of the uploader", async (_kind, upload) => {
    const key = `${folder()}/a`;
    await yandex.fault({ host: "transfer", method: "PUT", afterwards: true });
    await upload(key, bytes(1000));
    expect(await read(key)).toEqualBytes(bytes(1000));
    expect(await leftovers()).toEqual([]);
  });

  it.each([
    ["lost", {}],
    ["a gateway's", { status: 502 }],
  ])("survives a move whose response is %s", async (_name, answer) => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.fault({ host: "api", method: "POST", afterwards: true, ...answer });
    await putStream(key, bytes(1000, 2));
    expect(await read(key)).toEqualBytes(bytes(1000, 2));
  });

  it("repeats a move that did not happen, a limited number of times", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.fault({ host: "api", method: "POST", status: 500, times: 2 });
    await put(key, bytes(10, 2));
    expect(await read(key)).toEqualBytes(bytes(10, 2));
    await yandex.fault({ host: "api", method: "POST", status: 500, times: 3 });
    expect(await outcome(put(key, bytes(10, 3)))).toMatchObject({ code: "unavailable" });
    expect(await read(key)).toEqualBytes(bytes(10, 2));
    expect(await leftovers()).toEqual([]);
  });

  it("to a name that was taken in between is a conflict, if the name must be free", async () => {
    const key = `${folder()}/a`;
    const error = { error: "DiskResourceAlreadyExistsError", description: "It exists." };
    await yandex.fault({ host: "api", method: "POST", status: 409, body: error });
    expect(await outcome(put(key, bytes(10), true))).toMatchObject({ code: "conflict" });
    expect(await storage.head(key)).toBeNull();
    expect(await leftovers()).toEqual([]);
  });

  it("cancels a stream that it does not read", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      cancel() {
        cancelled = true;
      },
    });
    const upload = storage.upload(key, stream, { length: 10, contentType: "video/mp4", ifAbsent: true });
    expect(await outcome(upload)).toMatchObject({ code: "conflict" });
    expect(cancelled).toBe(true);
  });
});

describe("Refusals", () => {
  it.each([
    [423, "DiskResourceLockedError"],
    [429, "TooManyRequestsError"],
    [503, "ServiceUnavailableError"],
  ])("%i %s are retried", async (status, error) => {
    const key = `${folder()}/a`;
    for (const method of ["GET", "PUT", "DELETE"]) {
      await yandex.fault({ host: "api", method, status, error, times: 2, headers: { "retry-after": "0" } });
    }
    if (status !== 503) await yandex.fault({ host: "api", method: "POST", status, error, times: 2 });
    await put(key, bytes(10));
    expect(await read(key)).toEqualBytes(bytes(10));
    await storage.delete(key);
    expect(await storage.head(key)).toBeNull();
  });

  it.each([
    [423, "DiskResourceLockedError"],
    [429, "TooManyRequestsError"],
  ])("%i %s are retried a limited number of times", async (status, error) => {
    await yandex.fault({ host: "api", status, error, times: 4 });
    expect(await outcome(storage.head("a"))).toMatchObject({ code: "unavailable", providerMessage: error });
    expect(await yandex.seen()).toHaveLength(4);
  });

  it("waits as long as Yandex asks, up to a limit", async () => {
    const pauses: number[] = [];
    const patient = openYandexDisk(
      {},
      hasty({ sleep: async (pause) => void pauses.push(pause), random: () => 0 }),
    );
    await yandex.fault({
      host: "api",
      status: 429,
      error: "TooManyRequestsError",
      headers: { "retry-after": "7" },
    });
    expect(await patient.head("nothing")).toBeNull();
    expect(pauses).toEqual([7000]);
  });

  it.each(kinds)("of a full Disk: %s", async (_kind, upload) => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    const { usedBytes } = (await storage.quota()) ?? { usedBytes: 0 };
    await yandex.behave({ totalSpace: usedBytes + 50 });
    expect(await outcome(upload(key, bytes(1000)))).toMatchObject({ code: "quota_exceeded" });
    await yandex.behave({ totalSpace: usedBytes });
    expect(await outcome(upload(key, bytes(1000)))).toMatchObject({
      code: "quota_exceeded",
      providerMessage: "There is not enough free space.",
    });
    await yandex.reset();
    expect(await read(key)).toEqualBytes(bytes(10));
    expect(await leftovers()).toEqual([]);
  });

  it("of a file that is too large for the account", async () => {
    await yandex.behave({ maxFileSize: 999 });
    expect(await outcome(putStream(`${folder()}/a`, bytes(1000)))).toMatchObject({ code: "quota_exceeded" });
  });

  it("of an account that has used up its monthly uploads", async () => {
    const error = "DiskUploadTrafficLimitExceeded";
    await yandex.fault({ host: "api", path: "/v1/disk/resources/upload", status: 403, error });
    expect(await outcome(put(`${folder()}/a`, bytes(1)))).toMatchObject({ code: "quota_exceeded" });
  });

  it.each(kinds)("of an account whose files take up more space than it has: %s", async (_kind, upload) => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.behave({ overdrawn: true });
    expect(await outcome(upload(key, bytes(1000)))).toMatchObject({
      code: "quota_exceeded",
      message: expect.stringContaining("take up more space than the account has"),
    });
    expect(await read(key)).toEqualBytes(bytes(10));
    await storage.delete(key);
    expect(await storage.head(key)).toBeNull();
  });

  it("of an account whose files take up more space than it has, in Russian", async () => {
    const message = "API недоступно. Ваши файлы занимают больше места, чем у вас есть. Удалите лишнее.";
    const body = { error: "ForbiddenError", message };
    await yandex.fault({ host: "api", path: "/v1/disk/resources/upload", status: 403, body });
    expect(await outcome(put(`${folder()}/a`, bytes(1)))).toMatchObject({ code: "quota_exceeded" });
  });

  it("during maintenance", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.behave({ maintenance: true });
    for (const act of [() => put(key, bytes(20)), () => storage.delete(key)]) {
      expect(await outcome(act())).toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("under maintenance"),
        providerMessage: expect.stringContaining("Technical works"),
      });
    }
    expect(await read(key)).toEqualBytes(bytes(10));
  });

  it("without JSON are judged by their status", async () => {
    await yandex.fault({ host: "api", status: 504, body: "<html>Gateway Time-out</html>", times: 4 });
    expect(await outcome(storage.head("a"))).toMatchObject({
      code: "unavailable",
      providerMessage: "HTTP 504",
    });
  });

  it("end when the Disk is back", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.behave({ down: true });
    expect(await outcome(storage.head(key))).toMatchObject({ code: "unavailable" });
    expect(await outcome(put(key, bytes(10, 2)))).toMatchObject({ code: "unavailable" });
    await yandex.behave({ down: false });
    expect(await read(key)).toEqualBytes(bytes(10));
  });
});

describe("Downloading", () => {
  it("requests the link when the file's description lacks it", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(100));
    await yandex.behave({ hidesFileLinks: true });
    const download = await storage.download(key, { range: { last: 10 } });
    expect(new Uint8Array(await new Response(download?.body).arrayBuffer())).toEqualBytes(
      bytes(100).slice(90),
    );
    expect((await yandex.seen()).map(({ path }) => path.split("?")[0])).toContain(
      "/v1/disk/resources/download",
    );
  });

  it.each([404, 410])("requests a new link when one responds with %i", async (status) => {
    const key = `${folder()}/a`;
    await put(key, bytes(100));
    await yandex.fault({ host: "transfer", path: "/disk/", status });
    expect(await read(key)).toEqualBytes(bytes(100));
    await yandex.fault({ host: "transfer", path: "/disk/", status, times: 3 });
    expect(await outcome(read(key))).toMatchObject({ code: "unavailable" });
  });

  it.each([
    [0, 0],
    [0, 65_535],
    [65_536, 65_536],
    [70_000, 170_000],
    [299_999, 299_999],
  ])("cuts %i to %i out of the whole file when the server ignores ranges", async (start, end) => {
    const key = `${folder()}/a`;
    await put(key, bytes(300_000));
    await yandex.behave({ ignoresRanges: true });
    const download = await storage.download(key, { range: { start, end } });
    expect(download?.range).toEqual({ start, end });
    const body = new Uint8Array(await new Response(download?.body).arrayBuffer());
    expect(body).toEqualBytes(bytes(300_000).slice(start, end + 1));
  });

  it("breaks when the connection is cut", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(300_000));
    await yandex.fault({ host: "transfer", path: "/rdisk/", cutAfter: 100_000 });
    expect(await outcome(read(key))).toMatchObject({ code: "unavailable" });
  });

  it("does not follow a link to a forbidden address", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(10));
    await yandex.reset();
    const refused = new StorageError("invalid_config", "Not there.");
    const careful = hasty({
      checkAddress: (url) => {
        if (url.pathname.startsWith("/rdisk/") || url.pathname.startsWith("/upload-target/")) throw refused;
      },
    });
    const guarded = openYandexDisk({}, careful);
    await expect(guarded.download(key)).rejects.toBe(refused);
    await expect(guarded.upload(key, bytes(1), { length: 1, contentType: "a/b" })).rejects.toBe(refused);
    const paths = (await yandex.seen()).filter(({ host }) => host === "transfer").map(({ path }) => path);
    expect(paths).toEqual([expect.stringMatching(/^\/disk\//)]);
    expect(await read(key)).toEqualBytes(bytes(10));
  });
});

describe("Addresses", () => {
  it("are temporary, for as long as Yandex decides", async () => {
    const key = `${folder()}/a`;
    await put(key, bytes(50));
    const url = await storage.presignedUrl(key);
    expect(new URL(url).origin).toBe(yandex.transferUrl);
    expect(new Uint8Array(await (await fetch(url)).arrayBuffer())).toEqualBytes(bytes(50));
    await yandex.expireLinks();
    expect((await fetch(url)).status).toBe(410);
    expect(await read(key)).toEqualBytes(bytes(50));
    expect(await outcome(storage.presignedUrl(`${key}-missing`))).toMatchObject({ code: "not_found" });
  });

  it("do not exist for uploads, and neither do multipart uploads", async () => {
    expect(await storage.presignedUpload()).toBeNull();
    expect(storage.multipart).toBeNull();
  });
});

describe("Space", () => {
  it("is reported by Yandex", async () => {
    const before = await storage.quota();
    await put(`${folder()}/a`, bytes(123));
    await yandex.behave({ totalSpace: 5_000_000_000 });
    expect(await storage.quota()).toEqual({
      usedBytes: (before?.usedBytes ?? 0) + 123,
      totalBytes: 5_000_000_000,
    });
  });

  it("is unknown without the right to read it", async () => {
    await yandex.fault({ host: "api", status: 403, error: "ForbiddenError" });
    expect(await storage.quota()).toBeNull();
  });
});

describe("Deleting", () => {
  it("deletes only files, for few keys and many", async () => {
    const root = folder();
    const keys = Array.from({ length: 12 }, (_, i) => `${root}/${i}`);
    for (const key of keys) await put(key, bytes(1));
    await put(`${root}/folder/kept`, bytes(1));
    await put(`${root}/kept`, bytes(1));
    await storage.delete([...keys, `${root}/folder`, `${root}/missing`, root]);
    const { objects } = await storage.list(root, { recursive: true });
    expect(objects.map(({ key }) => key)).toEqual([`${root}/folder/kept`, `${root}/kept`]);
  });

  it("deletes a folder with everything in it by one request", async () => {
    const root = folder();
    for (const name of ["a", "b", "deep/c"]) await put(`${root}/gone/${name}`, bytes(1));
    await put(`${root}/gone-not`, bytes(1));
    await yandex.reset();
    await storage.deleteTree(`${root}/gone/`);
    const seen = await yandex.seen();
    expect(seen.map(({ method }) => method)).toEqual(["GET", "DELETE", "GET", "GET"]);
    expect(await storage.list(root)).toMatchObject({ folders: [], objects: [{ key: `${root}/gone-not` }] });
    await storage.deleteTree(`${root}/gone`);
    await storage.deleteTree(`${root}/gone-not`);
    expect(await storage.head(`${root}/gone-not`)).toMatchObject({ size: 1 });
  });
});

describe("Listings", () => {
  it("hide unfinished uploads", async () => {
    const root = `app:/${crypto.randomUUID()}`;
    const busy = openYandexDisk({ root });
    await busy.upload("a", bytes(1), { length: 1, contentType: "a/b" });
    await busy.createFolder(".vivimark-uploads/deep");
    expect(await busy.list("")).toMatchObject({ folders: [], objects: [{ key: "a" }] });
    expect(await busy.usage("")).toEqual({ objects: 1, bytes: 1 });
  });

  it("are in key order, whatever Yandex's own order is", async () => {
    const root = folder();
    const keys = ["B", "a", "b-/x", "b.c", "b/10", "b/9", "b0", "Ё", "ё", "я"].map(
      (name) => `${root}/${name}`,
    );
    for (const key of [...keys].reverse()) await put(key, bytes(1));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await storage.list(root, { recursive: true, limit: 1, cursor });
      seen.push(...page.objects.map(({ key }) => key));
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual([...keys].sort());
  });

  it("continue at their position when listed objects are deleted in between", async () => {
    const root = folder();
    for (const name of ["a/1", "a/2", "b/1", "c"]) await put(`${root}/${name}`, bytes(1));
    const first = await storage.list(root, { recursive: true, limit: 2 });
    await storage.delete(first.objects.map(({ key }) => key));
    const rest = await storage.list(root, { recursive: true, cursor: first.cursor ?? "" });
    expect(rest.objects.map(({ key }) => key)).toEqual([`${root}/b/1`, `${root}/c`]);
  });
});

describe("A file that Yandex reads from an address", () => {
  /** Waits until the upload has ended. */
  async function finished(key: string, id: string): Promise<string> {
    for (;;) {
      const state = await storage.fetching.finish(key, id);
      if (state !== "running") return state;
    }
  }

  it("appears when it is complete, and replaces another", async () => {
    const [from, to] = [`${folder()}/a`, `${folder()}/b`];
    await put(from, bytes(5000));
    await put(to, bytes(10, 2));
    const id = await storage.fetching.start(to, await storage.presignedUrl(from));
    expect(await finished(to, id)).toBe("complete");
    expect(await read(to)).toEqual(bytes(5000));
    // The response to the first call may have been lost.
    expect(await storage.fetching.finish(to, id)).toBe("complete");
    expect(await leftovers()).toEqual([]);
  });

  it("does not appear when it cannot be read, or is not wanted any more", async () => {
    const [from, to] = [`${folder()}/a`, `${folder()}/b`];
    await put(from, bytes(5000));
    const link = await storage.presignedUrl(from);
    const wanted = await storage.fetching.start(to, link);
    await finished(`${to}/elsewhere`, wanted);
    await storage.fetching.abort(wanted);
    const missing = await storage.fetching.start(to, `${yandex.transferUrl}/disk/none`);
    expect(await finished(to, missing)).toBe("failed");
    expect(await storage.head(to)).toBeNull();
    expect(await leftovers()).toEqual([]);
  });
});
