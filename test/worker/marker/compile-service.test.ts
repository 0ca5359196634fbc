import { afterEach, describe, expect, it, vi } from "vitest";
import {
  askForPlace,
  type CompileService,
  checkCompiler,
  compileRemotely,
  previewRemotely,
} from "../../../worker/marker/compile-service.ts";
import type { ProgressBody } from "../../../worker/schemas.ts";

/** A mock of the Node compiler's HTTP side: what it was asked, and the answer it was told to give. */
function mockService(answer: (init: RequestInit) => Response | Promise<Response>) {
  const asked: { url: string; headers: Headers; body: Uint8Array }[] = [];
  const service: CompileService = {
    url: "http://node.test",
    secret: "s3cret",
    silenceSeconds: 60,
    totalSeconds: 600,
    fetch: async (url, init) => {
      const body = new Uint8Array(await new Response(init.body).arrayBuffer());
      asked.push({ url, headers: new Headers(init.headers), body });
      return answer(init);
    },
  };
  return { service, asked };
}

const job = (maxFeatures: number | null = null) => ({
  taskId: "task-1",
  requestId: "request-1",
  image: new Response(new Uint8Array([1, 2, 3, 4])).body as ReadableStream,
  imageBytes: 4,
  maxFeatures,
});

function parts(...list: [name: string, type: string, body: string][]): Response {
  const text = list.map(
    ([name, type, body]) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`,
  );
  return new Response(`${text.join("")}--b--\r\n`, {
    headers: { "Content-Type": "multipart/form-data; boundary=b" },
  });
}

/** Returns a response of 10 MB, and a function that returns how many bytes of it were asked for. */
function endless(status: number): { response: Response; sent: () => number } {
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(new Uint8Array(16_384).fill(0x20));
        bytes += 16_384;
        if (bytes > 10_000_000) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { response: new Response(body, { status }), sent: () => bytes };
}

const progressPart = (done: number): [string, string, string] => [
  "progress",
  "application/json",
  JSON.stringify({ stage: "match", done, total: 3 }),
];
const problemJson = (code: string) => JSON.stringify({ code, detail: `About ${code}.`, status: 422 });
const heard = async () => true;

afterEach(() => void vi.useRealTimers());

describe("the Node compiler's client", () => {
  it("names the task and the request", async () => {
    const { service, asked } = mockService(() => parts(["marker", "application/octet-stream", "MIND"]));
    await compileRemotely(service, job(), heard);
    expect(asked[0].headers.get("x-task-id")).toBe("task-1");
    expect(asked[0].headers.get("x-request-id")).toBe("request-1");
  });

  it("sends an image from a FixedLengthStream, as from S3", async () => {
    const { service, asked } = mockService(() => parts(["marker", "application/octet-stream", "MIND"]));
    const { readable, writable } = new FixedLengthStream(4);
    const image = job().image.pipeTo(writable);
    const outcome = await compileRemotely(service, { ...job(), image: readable }, heard);
    await image;
    expect(outcome.kind).toBe("compiled");
    expect(asked[0].body).toEqual(new Uint8Array([1, 2, 3, 4]));
  });

  it("sends the image with secret and option, reports progress, and returns the marker", async () => {
    const { service, asked } = mockService(() =>
      parts(
        progressPart(1),
        progressPart(2),
        ["metadata", "application/json", '{"milliseconds":12,"compiler_version":"9"}'],
        ["thumbnail", "image/jpeg", "JPEG"],
        ["picture", "image/jpeg", "LARGE"],
        ["marker", "application/octet-stream", "MIND"],
      ),
    );
    const seen: ProgressBody[] = [];
    const outcome = await compileRemotely(service, job(150), async (progress) => {
      seen.push(progress);
      return true;
    });
    expect(asked[0].url).toBe("http://node.test/compile?max_features=150");
    expect(asked[0].headers.get("authorization")).toBe("Bearer s3cret");
    expect(asked[0].body).toEqual(new Uint8Array([1, 2, 3, 4]));
    expect(seen.map(({ done }) => done)).toEqual([1, 2]);
    const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
    if (outcome.kind !== "compiled") throw new Error(outcome.kind);
    expect(text(outcome.delivery.marker)).toBe("MIND");
    expect(text(outcome.delivery.thumbnail)).toBe("JPEG");
    expect(text(outcome.delivery.picture)).toBe("LARGE");
    expect(outcome.delivery).toMatchObject({ milliseconds: 12, compilerVersion: "9" });
  });

  it("gets the smaller pictures alone", async () => {
    const { service, asked } = mockService(() =>
      parts(["thumbnail", "image/jpeg", "JPEG"], ["picture", "image/jpeg", "LARGE"]),
    );
    const { maxFeatures: _, ...image } = job();
    const outcome = await previewRemotely(service, { ...image, taskId: null });
    expect(asked[0].url).toBe("http://node.test/preview");
    expect(asked[0].headers.has("x-task-id")).toBe(false);
    expect(asked[0].body).toEqual(new Uint8Array([1, 2, 3, 4]));
    const bytes = (text: string) => new TextEncoder().encode(text);
    const previews = { thumbnail: bytes("JPEG"), picture: bytes("LARGE") };
    expect(outcome).toEqual({ kind: "previewed", previews });
  });

  it.each([
    ["that ends early", () => parts(["thumbnail", "image/jpeg", "JPEG"]), "retryable"],
    [
      "that refuses the photo",
      () => parts(["problem", "application/json", problemJson("image_damaged")]),
      "fatal",
    ],
  ])("tells of a response %s, when it asks for pictures", async (_, respond, kind) => {
    expect(await previewRemotely(mockService(respond).service, job())).toMatchObject({ kind });
  });

  it("reports progress while the response is still streaming", async () => {
    const encoder = new TextEncoder();
    const { service } = mockService(() => {
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      void writer.write(encoder.encode('--b\r\nContent-Disposition: form-data; name="progress"\r\n\r\n'));
      void writer.write(encoder.encode('{"stage":"match","done":1,"total":2}\r\n--b\r\n'));
      next = () => {
        void writer.write(encoder.encode('Content-Disposition: form-data; name="marker"\r\n\r\nM\r\n--b--'));
        void writer.close();
      };
      return new Response(readable, { headers: { "Content-Type": "multipart/form-data; boundary=b" } });
    });
    let next = () => {};
    const outcome = await compileRemotely(service, job(), async () => {
      next();
      return true;
    });
    expect(outcome.kind).toBe("compiled");
  });

  it("stops when the lease is lost", async () => {
    const { service } = mockService(() => parts(progressPart(1), progressPart(2)));
    let reports = 0;
    const outcome = await compileRemotely(service, job(), async () => {
      reports++;
      return false;
    });
    expect([outcome.kind, reports]).toEqual(["unwanted", 1]);
  });

  it.each([
    "empty_file",
    "not_an_image",
    "unsupported_format",
    "image_damaged",
    "image_too_many_bytes",
    "image_too_many_pixels",
    "image_too_many_scans",
    "image_too_small",
    "too_few_features",
    "invalid_option",
  ])("takes %s as fatal, in the stream and instead of it", async (code) => {
    const fatal = { kind: "fatal", failure: { code, message: `About ${code}.` } };
    const streamed = mockService(() =>
      parts(progressPart(1), ["problem", "application/json", problemJson(code)]),
    );
    expect(await compileRemotely(streamed.service, job(), heard)).toEqual(fatal);
    const refused = mockService(() => new Response(problemJson(code), { status: 400 }));
    expect(await compileRemotely(refused.service, job(), heard)).toEqual(fatal);
  });

  const retryable: [string, () => Response, string, number | null][] = [
    [
      "a time-out there",
      () => parts(["problem", "", problemJson("compile_timeout")]),
      "compile_timeout",
      null,
    ],
    ["a crash there", () => parts(["problem", "", problemJson("compile_crashed")]), "compile_crashed", null],
    ["an answer without a marker", () => parts(progressPart(1)), "compile_crashed", null],
    [
      "an answer that breaks off",
      () =>
        new Response("--b\r\nContent-Disposition: form-data; name=", {
          headers: { "Content-Type": "multipart/form-data; boundary=b" },
        }),
      "compile_crashed",
      null,
    ],
    [
      "a full compiler",
      () => new Response(problemJson("busy"), { status: 503, headers: { "Retry-After": "3" } }),
      "compiler_busy",
      3,
    ],
    [
      "a storage that sends the photo too slowly",
      () => new Response(problemJson("upload_too_slow"), { status: 408 }),
      "storage_unavailable",
      null,
    ],
    [
      "a wrong secret",
      () => new Response(problemJson("unauthorized"), { status: 401 }),
      "compiler_error",
      null,
    ],
    ["a proxy's page", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), "compiler_error", null],
    ["an answer without parts", () => new Response("hello"), "compiler_error", null],
    ["progress that is not JSON", () => parts(["progress", "", "{"]), "compiler_error", null],
    [
      "a marker that it says is invalid",
      () => parts(["problem", "", problemJson("invalid_marker")]),
      "invalid_marker",
      null,
    ],
  ];
  it.each(retryable)("treats %s as retryable", async (_name, answer, code, retryAfterSeconds) => {
    const outcome = await compileRemotely(mockService(answer).service, job(), heard);
    expect(outcome).toMatchObject({ kind: "retryable", failure: { code }, retryAfterSeconds });
  });

  it("reads at most 64 KB of a response that is an error", async () => {
    const { response, sent } = endless(502);
    const outcome = await compileRemotely(mockService(() => response).service, job(), heard);
    const message = "The compiler responded with status 502.";
    expect(outcome).toMatchObject({ kind: "retryable", failure: { code: "compiler_error", message } });
    expect(sent()).toBeLessThanOrEqual(2 * 65_536);
  });

  it("treats a network error as retryable", async () => {
    const { service } = mockService(() => Promise.reject(new Error("Network connection lost.")));
    const outcome = await compileRemotely(service, job(), heard);
    expect(outcome).toMatchObject({ kind: "retryable", failure: { code: "compiler_unreachable" } });
  });

  it.each([
    ["silence", 29, "compiler_unreachable", /sent no data for more than 30 s/],
    ["the whole time", 2, "compile_timeout", /took more than 100 s/],
  ])("gives up after %s", async (_name, secondsBetweenParts, code, sentence) => {
    vi.useFakeTimers();
    const encoder = new TextEncoder();
    const part = 'Content-Disposition: form-data; name="progress"\r\n\r\n{}\r\n--b\r\n';
    const { service } = mockService(({ signal }) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(encoder.encode(`--b\r\n${part}`));
          // Talks for a minute at most; the signal ends it like a connection that is aborted.
          const talk = setInterval(
            () => controller.enqueue(encoder.encode(part)),
            secondsBetweenParts * 1000,
          );
          if (secondsBetweenParts === 29) setTimeout(() => clearInterval(talk), 60_000);
          signal?.addEventListener("abort", () => {
            clearInterval(talk);
            controller.error(new Error("aborted"));
          });
        },
      });
      return new Response(body, { headers: { "Content-Type": "multipart/form-data; boundary=b" } });
    });
    const asked = compileRemotely({ ...service, silenceSeconds: 30, totalSeconds: 100 }, job(), heard);
    for (let second = 0; second < 110; second++) await vi.advanceTimersByTimeAsync(1000);
    const outcome = await asked;
    if (outcome.kind !== "retryable") throw new Error(outcome.kind);
    expect(outcome.failure.code).toBe(code);
    expect(outcome.failure.message).toMatch(sentence);
  });
});

describe("the Node compiler's health", () => {
  const ask = (answer: () => Response) => checkCompiler(mockService(answer).service, 1);

  it("is asked for with the secret", async () => {
    const { service, asked } = mockService(() => Response.json({ status: "ok" }));
    await checkCompiler(service, 1);
    expect(asked[0].headers.get("authorization")).toBe("Bearer s3cret");
  });

  it("is good only if it says so", async () => {
    await ask(() => Response.json({ status: "ok", compiler_version: "1", running: 0, capacity: 2 }));
    await expect(ask(() => new Response("no", { status: 401 }))).rejects.toThrow("another COMPILER_SECRET");
    await expect(ask(() => new Response("no", { status: 500 }))).rejects.toThrow("status 500");
    await expect(ask(() => Response.json({ status: "stopping" }))).rejects.toThrow();
    await expect(ask(() => new Response("<html>"))).rejects.toThrow();
    const { response, sent } = endless(200);
    await expect(ask(() => response)).rejects.toThrow();
    expect(sent()).toBeLessThanOrEqual(2 * 65_536);
  });

  it("names the setting when there is no Node compiler", async () => {
    const none = { ...mockService(() => Response.error()).service, url: "" };
    await expect(checkCompiler(none, 1)).rejects.toMatchObject({
      code: "compiler_missing",
      message: "There is no Node compiler. Set COMPILER_URL or COMPILER_CONTAINER.",
    });
    expect(await askForPlace(none, 1)).toMatchObject({
      kind: "retryable",
      failure: { code: "compiler_missing", message: expect.stringContaining("COMPILER_URL") },
    });
  });
});
