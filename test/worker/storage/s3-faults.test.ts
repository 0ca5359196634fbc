import { describe, expect, it } from "vitest";
import { StorageHttp, type StorageHttpOptions } from "../../../worker/storage/http.ts";
import { UnsatisfiableRange } from "../../../worker/storage/provider.ts";
import { S3Storage } from "../../../worker/storage/s3.ts";
import type { S3SettingsBody } from "../../../worker/storage/settings.ts";
import { type Faulty, type FaultyStep, faulty } from "./servers/faulty.ts";

const SETTINGS: S3SettingsBody = {
  endpoint: "https://s3.amazonaws.com",
  region: "us-east-1",
  bucket: "bucket",
  prefix: "",
  access_key_id: "AKIAIOSFODNN7EXAMPLE",
  secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  style: "path",
};

function open(
  change: Partial<S3SettingsBody>,
  options: Partial<StorageHttpOptions> = {},
  now?: () => number,
) {
  const http = new StorageHttp({ checkAddress: () => {}, sleep: async () => {}, ...options });
  return new S3Storage({ ...SETTINGS, ...change }, http, now);
}

/** A storage whose server plays a script. */
async function scripted(
  steps: FaultyStep[],
  options?: Partial<StorageHttpOptions>,
): Promise<{ storage: S3Storage; server: Faulty }> {
  const server = await faulty(...steps);
  return { storage: open({ endpoint: server.url }, options), server };
}

const answer = (status: number, body = "", headers = {}): FaultyStep => ({
  kind: "answer",
  status,
  body,
  headers,
});
const ok = answer(200);
const error = (status: number, code: string, message = "", more = "", headers = {}) =>
  answer(
    status,
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`,
    headers,
  );

const put = (storage: S3Storage, body = new Uint8Array(10), key = "a") =>
  storage.upload(key, body, { length: body.length, contentType: "video/mp4" });

function streamOf(length: number, chunkBytes = 2 ** 20): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = new Uint8Array(Math.min(chunkBytes, left));
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  });
}

const requests = async (server: Faulty) =>
  (await server.seen()).map(({ method, path }) => `${method} ${path}`);

describe("an error of an S3 server", () => {
  it.each([
    [403, "InvalidAccessKeyId", "invalid_config", "access_key_id"],
    [401, "Unauthorized", "invalid_config", "access_key_id"],
    [403, "SignatureDoesNotMatch", "invalid_config", "secret_access_key"],
    [404, "NoSuchBucket", "invalid_config", "bucket"],
    [400, "InvalidBucketName", "invalid_config", "bucket"],
    [403, "AccessDenied", "denied", undefined],
    [403, "QuotaExceeded", "quota_exceeded", undefined],
    [507, "InsufficientStorage", "quota_exceeded", undefined],
    [507, "XMinioStorageFull", "quota_exceeded", undefined],
    [403, "BucketMaxSizeExceeded", "quota_exceeded", undefined],
    [403, "CloudTotalAliveSizeQuotaExceed", "quota_exceeded", undefined],
    [403, "InvalidSecurity", "invalid_config", "access_key_id"],
    [400, "EntityTooLarge", "quota_exceeded", undefined],
    [412, "PreconditionFailed", "conflict", undefined],
    [409, "ConditionalRequestConflict", "conflict", undefined],
    [503, "SlowDown", "unavailable", undefined],
    [500, "InternalError", "unavailable", undefined],
    [403, "RequestTimeTooSkewed", "unavailable", undefined],
    [403, "SomethingNew", "denied", undefined],
    [400, "constructor", "unavailable", undefined],
  ])("%i %s is %s", async (status, code, meaning, field) => {
    const { storage } = await scripted([error(status, code, "In the server's words.")]);
    const refused = put(storage);
    await expect(refused).rejects.toMatchObject({
      name: "StorageError",
      code: meaning,
      field,
      providerMessage: `${code}: In the server's words.`,
      message: expect.stringContaining(`The storage says: ${code}: In the server's words.`),
    });
  });

  it("names the expected region", async () => {
    const region = "<Region>eu-west-3</Region>";
    const { storage } = await scripted([
      error(400, "AuthorizationHeaderMalformed", "The region is wrong", region),
    ]);
    await expect(put(storage)).rejects.toMatchObject({
      code: "invalid_config",
      field: "region",
      message: expect.stringContaining('expects the region "eu-west-3", not "us-east-1"'),
    });
  });

  it("names the endpoint of a bucket", async () => {
    const endpoint = "<Endpoint>bucket.s3.eu-west-3.amazonaws.com</Endpoint>";
    const moved = (headers = {}) => error(301, "PermanentRedirect", "Elsewhere", endpoint, headers);
    const elsewhere = await scripted([moved({ "x-amz-bucket-region": "eu-west-3" })]);
    await expect(put(elsewhere.storage)).rejects.toMatchObject({
      field: "region",
      message: expect.stringMatching(/"eu-west-3".*bucket\.s3\.eu-west-3\.amazonaws\.com/),
    });
    const { storage } = await scripted([moved()]);
    await expect(put(storage)).rejects.toMatchObject({
      field: "endpoint",
      message: expect.stringContaining("bucket.s3.eu-west-3.amazonaws.com"),
    });
  });

  it.each([
    ["a listing that the server takes for a file", "NoSuchKey"],
    ["a bucket that does not exist", "NoSuchBucket"],
  ])("suggests an endpoint without the bucket after %s", async (_what, code) => {
    const fetch = async () =>
      new Response(`<Error><Code>${code}</Code></Error>`, {
        status: 404,
        headers: { "content-length": "0" },
      });
    const storage = open({ endpoint: "https://bucket.storage.test:9000" }, { fetch });
    await expect(storage.list("")).rejects.toMatchObject({
      code: "invalid_config",
      field: "bucket",
      message: expect.stringContaining("enter https://storage.test:9000 instead"),
    });
    const other = open({ endpoint: "https://storage.test" }, { fetch });
    await expect(other.list("")).rejects.toMatchObject({ message: expect.not.stringContaining("instead") });
  });

  it("explains a refused HEAD by a second request", async () => {
    const { storage, server } = await scripted([answer(403), error(403, "InvalidAccessKeyId", "Who?")]);
    await expect(storage.head("a")).rejects.toMatchObject({ field: "access_key_id" });
    expect(await requests(server)).toEqual(["HEAD /bucket/a", "GET /bucket/a"]);
  });

  it("distinguishes a missing bucket from a missing file, which it does not ask for every time", async () => {
    const { storage: lost } = await scripted([answer(404), error(404, "NoSuchBucket")]);
    await expect(lost.head("a")).rejects.toMatchObject({ code: "invalid_config", field: "bucket" });

    let now = 0;
    const server = await faulty(
      answer(404),
      error(404, "NoSuchKey"),
      answer(404),
      answer(404),
      error(404, "NoSuchBucket"),
    );
    const storage = open({ endpoint: server.url }, {}, () => now);
    expect([await storage.head("a"), await storage.head("b")]).toEqual([null, null]);
    expect(await requests(server)).toEqual(["HEAD /bucket/a", "GET /bucket/a", "HEAD /bucket/b"]);
    now += 10_000;
    await expect(storage.head("c")).rejects.toMatchObject({ code: "invalid_config", field: "bucket" });
  });

  it("finds a file that was stored while it looked for the bucket", async () => {
    const found = answer(200, "", { etag: '"e"' });
    const { storage } = await scripted([answer(404), answer(206, "x"), found]);
    expect(await storage.head("a")).toMatchObject({ etag: "e" });
  });

  it("reports a refused HEAD without a reason", async () => {
    const { storage } = await scripted([answer(403), ok]);
    await expect(storage.head("a")).rejects.toMatchObject({ code: "denied" });
  });

  it("is shown without our secrets", async () => {
    const said = `You sent ${SETTINGS.secret_access_key} for ${SETTINGS.access_key_id}. ${"Blah ".repeat(200)}`;
    const { storage } = await scripted([error(403, "AccessDenied", said)]);
    const refused = await put(storage).then(null, (reason) => reason);
    expect(refused.message).toContain("You sent … for ….");
    expect(JSON.stringify({ ...refused, message: refused.message })).not.toMatch(/wJalr|AKIA/);
    expect(refused.message.length).toBeLessThan(500);
  });

  it("is null for a missing key", async () => {
    const { storage } = await scripted([error(404, "NoSuchKey")]);
    expect(await storage.download("a")).toBeNull();
    const { storage: other } = await scripted([error(404, "NoSuchBucket")]);
    await expect(other.download("a")).rejects.toMatchObject({ field: "bucket" });
  });
});

describe("an endpoint that is not an S3 server", () => {
  const page = "<!doctype html><title>Welcome to nginx!</title>";
  it.each([
    ["a web page", answer(200, page)],
    ["another XML", answer(200, "<rss></rss>")],
    ["half an XML", answer(200, "<ListBucketResult><Contents>")],
    ["nothing", answer(200)],
    ["a page that is not there", answer(404, page)],
    ["a method that is not allowed", answer(405, page)],
    [
      "an entity bomb",
      answer(
        200,
        `<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><ListBucketResult>&c;</ListBucketResult>`,
      ),
    ],
    ["a very deep XML", answer(200, "<a>".repeat(100_000))],
  ])("is recognized by its listing: %s", async (_name, step) => {
    const { storage } = await scripted([step]);
    await expect(storage.list("")).rejects.toMatchObject({
      name: "StorageError",
      code: "invalid_config",
      field: "endpoint",
      message: expect.stringContaining("is not an S3 server"),
    });
  });

  it("is not followed to another address", async () => {
    const forbidden = await faulty(ok);
    for (const status of [301, 302, 307, 308]) {
      const { storage } = await scripted([answer(status, "", { location: `${forbidden.url}/admin` })]);
      const acts = [
        () => put(storage),
        () => storage.download("a"),
        () => storage.head("a"),
        () => storage.list(""),
        () => storage.delete("a"),
      ];
      for (const act of acts) {
        await expect(act()).rejects.toMatchObject({
          code: "invalid_config",
          field: "endpoint",
          message: expect.stringContaining(new URL(forbidden.url).origin),
        });
      }
    }
    expect(await forbidden.seen()).toEqual([]);
  });

  it("is denied or unavailable by its status alone", async () => {
    const { storage } = await scripted([answer(403, page)]);
    await expect(put(storage)).rejects.toMatchObject({ code: "denied", providerMessage: undefined });
    const { storage: away } = await scripted([answer(502, page)]);
    await expect(put(away)).rejects.toMatchObject({ code: "unavailable", providerMessage: undefined });
  });

  it("sends a file without its length", async () => {
    const { storage } = await scripted([answer(200, "abc", { "transfer-encoding": "chunked" })]);
    await expect(storage.download("a")).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("an S3 server with faults", () => {
  it.each<[string, FaultyStep[]]>([
    ["busy", [error(503, "SlowDown"), error(503, "SlowDown"), error(503, "SlowDown")]],
    ["in need of patience", [answer(429, "", { "retry-after": "2" })]],
    ["cut off", [{ kind: "cut" }, { kind: "cut", afterBytes: 5 }]],
    ["broken", [error(500, "InternalError"), answer(502, "<html>"), answer(504)]],
  ])("gets the request again when it is %s", async (_name, troubles) => {
    const { storage, server } = await scripted([...troubles, ok]);
    await put(storage);
    const seen = await server.seen();
    expect(seen).toHaveLength(troubles.length + 1);
    expect(seen.at(-1)).toMatchObject({ method: "PUT", bytes: 10, whole: true });
  });

  it("gets a short stream again that broke off", async () => {
    const { storage, server } = await scripted([
      { kind: "cut", afterBytes: 500 },
      error(503, "SlowDown"),
      ok,
    ]);
    await storage.upload("a", streamOf(1000, 100), { length: 1000, contentType: "video/mp4" });
    const seen = await server.seen();
    expect(seen).toHaveLength(3);
    expect(seen[2]).toMatchObject({ method: "PUT", bytes: 1000, whole: true });
  });

  it("is not waited for without limit", async () => {
    const { storage } = await scripted([{ kind: "half", body: "<List", end: "silence" }], {
      silenceSeconds: 0.05,
    });
    await expect(storage.list("")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("fails a download that it does not finish", async () => {
    const { storage } = await scripted([{ kind: "half", body: "abc", end: "cut" }]);
    const download = await storage.download("a");
    await expect(new Response(download?.body).arrayBuffer()).rejects.toThrow();
  });
});

describe("a multipart upload", () => {
  const begun = answer(
    200,
    "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
  );
  const part = answer(200, "", { etag: '"0123456789abcdef0123456789abcdef"' });
  const completed = answer(200, "<CompleteMultipartUploadResult/>");
  const length = 20 * 2 ** 20;
  const upload = (storage: S3Storage, more = {}) =>
    storage.upload("a", streamOf(length), { length, contentType: "video/mp4", ...more });

  it("is counted part by part, where its memory is counted", async () => {
    const { storage, server } = await scripted([begun, part, part, part, part, completed]);
    let held = 0;
    let most = 0;
    const kept = {
      add: async (bytes: number) => {
        held += bytes;
        most = Math.max(most, held);
      },
      release: (bytes: number) => {
        held -= bytes;
      },
    };
    await upload(storage, { kept });
    expect([most, held]).toEqual([5 * 2 ** 20, 0]);
    expect((await server.seen()).map(({ bytes }) => bytes).slice(1, 5)).toEqual(Array(4).fill(5 * 2 ** 20));
    const other = await scripted([begun, part, error(403, "AccessDenied"), ok]);
    await expect(upload(other.storage, { kept })).rejects.toMatchObject({ code: "denied" });
    expect(held).toBe(0);
  });

  it("sends one part again", async () => {
    const { storage, server } = await scripted([
      begun,
      part,
      error(503, "SlowDown"),
      { kind: "cut" },
      part,
      part,
      completed,
    ]);
    await upload(storage);
    expect(await requests(server)).toEqual([
      "POST /bucket/a?uploads=",
      ...[1, 2, 2, 2, 3].map((number) => `PUT /bucket/a?partNumber=${number}&uploadId=u`),
      "POST /bucket/a?uploadId=u",
    ]);
    expect((await server.seen()).map(({ bytes }) => bytes).slice(1, 6)).toEqual(
      [8, 8, 8, 8, 4].map((mebibytes) => mebibytes * 2 ** 20),
    );
  });

  it.each([
    ["in a part", [begun, part, error(403, "AccessDenied"), ok], "denied"],
    ["at the end", [begun, part, part, part, error(400, "InvalidPart"), ok], "conflict"],
    [
      "at the end, though the answer began well",
      [
        begun,
        part,
        part,
        part,
        answer(200, `  <?xml version="1.0"?><Error><Code>InternalError</Code></Error>`),
        ok,
      ],
      "unavailable",
    ],
  ])("%s is aborted", async (_name, steps, code) => {
    const { storage, server } = await scripted(steps);
    await expect(upload(storage)).rejects.toMatchObject({ code });
    expect((await requests(server)).at(-1)).toBe("DELETE /bucket/a?uploadId=u");
  });

  it("rejects with its own error when it cannot be aborted", async () => {
    const { storage } = await scripted([begun, error(403, "AccessDenied"), error(500, "InternalError")]);
    await expect(upload(storage)).rejects.toMatchObject({ code: "denied" });
  });

  it("succeeds when only the last response was lost", async () => {
    const lost = [begun, part, part, part, { kind: "cut" } as const, error(404, "NoSuchUpload")];
    // The MD5 of that etag's bytes, three times.
    const made = answer(200, "", { etag: '"1852b2d43eebfbf285c3cb38129804d4-3"', "content-length": "0" });
    const { storage, server } = await scripted([...lost, made]);
    const refused = await upload(storage).then(
      () => null,
      (reason) => reason,
    );
    expect((await requests(server)).at(6)).toBe("HEAD /bucket/a");
    expect(refused).toBeNull();
  });

  it("is looked up after the server failed to complete it", async () => {
    const fault = error(500, "InternalError");
    const gone = error(404, "NoSuchUpload");
    const { storage } = await scripted([fault, fault, fault, fault, gone, answer(404)]);
    const part = [{ number: 1, etag: "0123456789abcdef0123456789abcdef" }];
    await expect(storage.multipart.complete("a", "u", part)).rejects.toMatchObject({ code: "not_found" });
    const told = answer(200, "<ListPartsResult></ListPartsResult>");
    const { storage: other } = await scripted([fault, fault, fault, fault, told]);
    await expect(other.multipart.complete("a", "u", part)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is not mistaken for another object", async () => {
    const lost = [begun, part, part, part, { kind: "cut" } as const, error(404, "NoSuchUpload")];
    const { storage } = await scripted([...lost, answer(200, "", { etag: '"f00f-3"' }), answer(204)]);
    await expect(upload(storage)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is not sent when the key is taken", async () => {
    const { storage, server } = await scripted([answer(200, "", { etag: '"e"' })]);
    await expect(upload(storage, { ifAbsent: true })).rejects.toMatchObject({ code: "conflict" });
    expect(await requests(server)).toEqual(["HEAD /bucket/a"]);
  });
});

describe("a server with missing features", () => {
  it.each(["bytes", "a stream"])("stores %s without the condition, after a check", async (kind) => {
    const { storage, server } = await scripted([
      answer(404),
      error(404, "NoSuchKey"),
      error(501, "NotImplemented"),
      ok,
    ]);
    const body = kind === "bytes" ? new Uint8Array(10) : streamOf(10);
    await storage.upload("a", body, { length: 10, contentType: "video/mp4", ifAbsent: true });
    const seen = await server.seen();
    expect(seen.map(({ headers }) => headers["if-none-match"])).toEqual([
      undefined,
      undefined,
      "*",
      undefined,
    ]);
    expect(seen[3]).toMatchObject({ method: "PUT", bytes: 10, whole: true });
  });

  it.each([400, 403, 405, 411, 501])("deletes one by one after a %i", async (status) => {
    const { storage, server } = await scripted([answer(status), answer(204)]);
    await storage.delete(["a", "b", "c d"]);
    await storage.delete(["e", "f"]);
    const [first, ...rest] = await requests(server);
    expect(first).toBe("POST /bucket?delete=");
    expect(rest.sort()).toEqual(["a", "b", "c%20d", "e", "f"].map((key) => `DELETE /bucket/${key}`));
  });

  it("deletes one by one what it could not delete in bulk, and reports why", async () => {
    const result = "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    const { storage, server } = await scripted([answer(200, result), error(403, "AccessDenied", "Locked.")]);
    await expect(storage.delete(["a", "b"])).rejects.toMatchObject({
      code: "denied",
      message: expect.stringContaining("Locked."),
    });
    expect(await requests(server)).toEqual(["POST /bucket?delete=", "DELETE /bucket/b"]);
    expect((await server.seen())[0].headers).toHaveProperty("content-md5");
  });

  it("reports a complete deletion in bulk with an empty body", async () => {
    const { storage, server } = await scripted([ok]);
    await storage.delete(["a", "b"]);
    expect(await requests(server)).toEqual(["POST /bucket?delete="]);
  });

  it("is not believed when it responds to a deletion in bulk with another text", async () => {
    const { storage } = await scripted([answer(200, "<html>")]);
    await expect(storage.delete(["a", "b"])).rejects.toMatchObject({ field: "endpoint" });
  });

  it("sends an empty object for a range", async () => {
    const { storage } = await scripted([answer(200)]);
    const refused = storage.download("a", { range: { start: 0 } });
    await expect(refused).rejects.toBeInstanceOf(UnsatisfiableRange);
  });

  it("sends the whole file for a range", async () => {
    const { storage } = await scripted([answer(200, "abcdef")]);
    const refused = storage.download("a", { range: { start: 1, end: 2 } });
    await expect(refused).rejects.toMatchObject({ code: "unavailable" });
  });

  it("sends a file with another etag", async () => {
    const { storage } = await scripted([answer(200, "abcdef", { etag: '"new"' })]);
    await expect(storage.download("a", { ifMatch: "old" })).rejects.toMatchObject({ code: "conflict" });
  });

  it("refuses a range without the file's length", async () => {
    const { storage } = await scripted([error(416, "InvalidRange"), answer(200, "", { etag: '"e"' })]);
    await expect(storage.download("a", { range: { start: 9 } })).rejects.toMatchObject({ size: 0 });
  });

  it("asks for the MD5 of bytes, as with object lock, and gets it from then on", async () => {
    const wanted = error(
      400,
      "InvalidRequest",
      "Content-MD5 OR x-amz-checksum- header is required with Object Lock",
    );
    const { storage, server } = await scripted([wanted, ok]);
    await put(storage);
    await put(storage);
    await storage.multipart.put({ key: "a", uploadId: "u", number: 1 }, new Uint8Array(10), 10);
    const md5s = (await server.seen()).map(({ headers }) => headers["content-md5"]);
    // Of ten zeros.
    const digest = "pjyQzDaErYsKIXamqP6QBQ==";
    expect(md5s).toEqual([undefined, digest, digest, digest]);
  });

  it("cannot list parts", async () => {
    const { storage } = await scripted([error(501, "NotImplemented")]);
    expect(await storage.multipart.list("a", "u")).toBeNull();
  });

  it.each([
    ["not at all", "", "a b+c%20&amp;d/e"],
    ["with %20", "<EncodingType>url</EncodingType>", "a%20b%2Bc%2520%26d/e"],
    ["with +", "<EncodingType>url</EncodingType>", "a+b%2Bc%2520%26d%2Fe"],
  ])("escapes keys in its own way: %s", async (_name, encoding, key) => {
    const { storage } = await scripted([
      answer(
        200,
        `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${encoding}<IsTruncated>false</IsTruncated>
          <Contents><Key>${key}</Key><Size>5</Size><ETag>&quot;e&quot;</ETag>
          <LastModified>2026-11-22T12:00:00.000Z</LastModified></Contents></ListBucketResult>`,
      ),
    ]);
    expect(await storage.list("a b+c%20&d", { recursive: true })).toEqual({
      objects: [{ key: "a b+c%20&d/e", size: 5, etag: "e", modifiedAt: Date.UTC(2026, 10, 22, 12) }],
      folders: [],
      cursor: null,
    });
  });

  it("lists parts on several pages", async () => {
    const page = (number: number, isTruncated: boolean) =>
      answer(
        200,
        `<ListPartsResult><IsTruncated>${isTruncated}</IsTruncated><NextPartNumberMarker>${number}</NextPartNumberMarker>
          <Part><PartNumber>${number}</PartNumber><ETag>"e${number}"</ETag><Size>5</Size></Part></ListPartsResult>`,
      );
    const { storage, server } = await scripted([page(1, true), page(2, false)]);
    expect(await storage.multipart.list("a", "u")).toEqual([
      { number: 1, etag: "e1", size: 5 },
      { number: 2, etag: "e2", size: 5 },
    ]);
    expect((await requests(server))[1]).toContain("part-number-marker=1");
  });
});

describe("the rules for other origins", () => {
  const origin = "https://vivimark.example.com";
  const configuration = (rules: string) =>
    answer(
      200,
      `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules}</CORSConfiguration>`,
    );
  const other =
    "<CORSRule><ID>a</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>";

  /** Returns the body that was put; null without one. */
  async function put(first: FaultyStep): Promise<string | null> {
    const bodies: string[] = [];
    const server = await faulty(first, ok);
    const counting = async (url: string, init: RequestInit) => {
      if (init.method === "PUT") bodies.push(String(init.body));
      return fetch(url, init);
    };
    await open({ endpoint: server.url }, { fetch: counting }).allowUploadsFrom(origin);
    return bodies[0] ?? null;
  }

  it.each([
    ["a bucket without rules", error(404, "NoSuchCORSConfiguration"), ""],
    ["a bucket with other rules, which stay", configuration(other), other],
  ])("are added to %s", async (_what, first, kept) => {
    const body = await put(first);
    expect(body).toContain(`<CORSRule><AllowedOrigin>${origin}</AllowedOrigin>`);
    expect(body).toContain(`</CORSRule>${kept}</CORSConfiguration>`);
    expect(body).toContain("<AllowedMethod>PUT</AllowedMethod>");
  });

  it("are not added twice", async () => {
    const body = (await put(error(404, "NoSuchCORSConfiguration"))) ?? "";
    const rules = /(<CORSRule>.*<\/CORSRule>)/.exec(body)?.[1] ?? "";
    expect(await put(configuration(rules))).toBeNull();
    // As Amazon S3 returns it: in its own order, and with an id.
    const returned = `<CORSRule><ID>b</ID>
      <AllowedMethod>PUT</AllowedMethod><AllowedOrigin>${origin}</AllowedOrigin><AllowedHeader>*</AllowedHeader>
      <MaxAgeSeconds>3600</MaxAgeSeconds><ExposeHeader>ETag</ExposeHeader></CORSRule>`;
    expect(await put(configuration(other + returned))).toBeNull();
  });

  it("come before a rule that allows less, because the first one that matches counts", async () => {
    const less =
      "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader></CORSRule>";
    expect(await put(configuration(less))).toMatch(new RegExp(`${origin}.*${less.replaceAll("*", "\\*")}`));
  });

  it("are not touched by a key without permission", async () => {
    const { storage, server } = await scripted([error(403, "AccessDenied")]);
    await expect(storage.allowUploadsFrom(origin)).rejects.toMatchObject({ code: "denied" });
    expect(await requests(server)).toEqual(["GET /bucket?cors="]);
  });
});

describe("requests", () => {
  /** What a storage asks of a server that is always content. */
  async function asked(change: Partial<S3SettingsBody>, act: (storage: S3Storage) => Promise<unknown>) {
    const seen: { url: string; headers: Record<string, string> }[] = [];
    const fetch = async (url: string, init: RequestInit) => {
      seen.push({ url, headers: init.headers as Record<string, string> });
      return new Response(null, { headers: { "content-length": "0" } });
    };
    await act(open(change, { fetch }, () => Date.UTC(2026, 10, 22, 12)));
    return seen[0];
  }

  it.each([
    ["path", "https://storage.test", "https://storage.test/bucket/deep/a%20b"],
    ["path", "https://storage.test:9000/s3/", "https://storage.test:9000/s3/bucket/deep/a%20b"],
    ["host", "https://storage.test:9000", "https://bucket.storage.test:9000/deep/a%20b"],
  ] as const)("name the bucket in the %s", async (style, endpoint, url) => {
    const change = { style, endpoint, prefix: "deep" };
    expect((await asked(change, (storage) => storage.head("a b"))).url).toBe(url);
  });

  it("are signed with their body, unless TLS protects it", async () => {
    const sent = async (endpoint: string, act: (storage: S3Storage) => Promise<unknown>) =>
      (await asked({ endpoint }, act)).headers["x-amz-content-sha256"];
    const ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await sent("http://storage.test", (storage) => put(storage, new Uint8Array()))).toBe(ofNothing);
    expect(await sent("http://storage.test", (storage) => storage.head("a"))).toBe(ofNothing);
    expect(await sent("https://storage.test", (storage) => put(storage))).toBe("UNSIGNED-PAYLOAD");
    const flow = (storage: S3Storage) =>
      storage.upload("a", streamOf(0), { length: 0, contentType: "video/mp4" });
    expect(await sent("http://storage.test", flow)).toBe(ofNothing);
  });

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
  it("are signed as in Amazon's example", async () => {
    const example = open({ bucket: "examplebucket", style: "host" }, {}, () => Date.UTC(2013, 4, 24));
    const url = new URL(await example.presignedUrl("test.txt", 86_400));
    expect(url.origin + url.pathname).toBe("https://examplebucket.s3.amazonaws.com/test.txt");
    expect(url.searchParams.get("X-Amz-Signature")).toBe(
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    );
  });

  it("have the session token, which is signed and never told", async () => {
    const session = { session_token: "FwoGZXIvYXdzEXAMPLE" };
    const { headers } = await asked(session, (storage) => storage.head("a"));
    expect(headers["x-amz-security-token"]).toBe(session.session_token);
    expect(headers.authorization).toContain("x-amz-security-token");
    const fetch = async () =>
      new Response(`<Error><Code>ExpiredToken</Code><Message>${session.session_token}</Message></Error>`, {
        status: 400,
      });
    const refused = open(session, { fetch }).list("");
    await expect(refused).rejects.toMatchObject({
      field: "session_token",
      message: expect.not.stringContaining("FwoG"),
    });
  });

  it("that create an object have its storage class and encryption", async () => {
    const change = { storage_class: "STANDARD_IA", encryption: "aws:kms", encryption_key_id: "key" } as const;
    const expected = {
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key",
    };
    expect((await asked(change, (storage) => put(storage))).headers).toMatchObject(expected);
    const started = asked(change, (storage) => storage.multipart.start("a", "video/mp4").catch(() => {}));
    expect((await started).headers).toMatchObject(expected);
    expect((await asked(change, (storage) => storage.head("a"))).headers).not.toHaveProperty(
      "x-amz-storage-class",
    );
  });

  it("are presigned for a week at most", async () => {
    const url = new URL(await open({}).presignedUrl("a", 10_000_000));
    expect(url.searchParams.get("X-Amz-Expires")).toBe("604800");
  });

  it("never have a plus for a space in their query", async () => {
    const url = await open({}).presignedUrl("a", 60, { fileName: "a b+c.mp4" });
    expect(url).not.toContain("+");
    expect(new URL(url).searchParams.get("response-content-disposition")).toBe(
      `inline; filename="a b+c.mp4"; filename*=UTF-8''a%20b%2Bc.mp4`,
    );
  });
});
