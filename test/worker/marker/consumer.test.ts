import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { arContent } from "../../../worker/db/tables.ts";
import worker from "../../../worker/index.ts";
import { askForPlace, type CompileOutcome } from "../../../worker/marker/compile-service.ts";
import { consume, deadLetter } from "../../../worker/marker/consumer.ts";
import { MAX_ATTEMPTS } from "../../../worker/marker/life.ts";
import type { ArContent, CompileTask, Submission } from "../../../worker/schemas.ts";
import { sweep } from "../../../worker/sweep.ts";
import wranglerToml from "../../../wrangler.toml?raw";
import { compiledOutcome, Edge, json, type MockCompile } from "../edge.ts";
import { mind, target } from "../fixtures.ts";

const ACK = { kind: "ack" };

const compiled = compiledOutcome();
const crashed: CompileOutcome = {
  kind: "retryable",
  failure: { code: "compile_crashed", message: "A thread died." },
  retryAfterSeconds: null,
};

const mockCompiler: MockCompile = () => compiled;
const mockCrash: MockCompile = () => crashed;

async function headless(fields: Record<string, string> = {}) {
  const edge = new Edge();
  const submission = await edge.submit(fields);
  const { id } = submission.content;
  const message = { content_id: id, generation: 1 };
  const task = () => edge.json<CompileTask>(`/api/tasks/${submission.task_id}`);
  return { edge, id, message, task, submission };
}

describe("a message", () => {
  it("compiles a submission without a browser", async () => {
    const { edge, id, message, task } = await headless({ max_features: "200" });
    const seen: (number | null)[] = [];
    const small = mind([target(undefined, undefined, { maxFeatures: 200 })]);
    const mockCompile: MockCompile = async (job, onProgress) => {
      seen.push(job.imageBytes, job.maxFeatures);
      edge.pass(50);
      expect(await onProgress({ stage: "match", done: 2, total: 8 })).toBe(true);
      const running = await edge.content(id);
      expect(running).toMatchObject({ marker_status: "processing", executor: "node" });
      expect(running.progress).toEqual({ stage: "match", done: 2, total: 8 });
      // Past the first lease: progress has extended it.
      edge.pass(50);
      return { kind: "compiled", delivery: { ...compiled.delivery, marker: small } };
    };
    expect(await consume(edge.consumer(mockCompile), message)).toEqual(ACK);
    const content = await edge.content(id);
    expect(seen).toEqual([content.image_bytes, 200]);
    expect(content).toMatchObject({
      marker_status: "ready",
      marker_metadata: { executor: "node", milliseconds: 77 },
    });
    expect(await task()).toMatchObject({ state: "ready", executor: "node", attempts: 1, error_code: null });
  });

  it("that is delivered twice, at once or later, compiles once", async () => {
    const { edge, id, message } = await headless();
    let compilations = 0;
    let finish: (outcome: CompileOutcome) => void = () => {};
    const outcome = new Promise<CompileOutcome>((resolve) => (finish = resolve));
    const consumer = edge.consumer(() => {
      compilations++;
      return outcome;
    });
    const first = consume(consumer, message);
    await vi.waitUntil(() => compilations === 1);
    edge.sent.length = 0;
    expect(await consume(consumer, message)).toEqual(ACK);
    // The second one looks again when the first one's lease ends.
    expect(edge.sent).toEqual([{ message, delaySeconds: 60 }]);
    finish(compiled);
    expect(await first).toEqual(ACK);
    expect(await consume(consumer, message)).toEqual(ACK);
    expect(compilations).toBe(1);
    expect((await edge.content(id)).marker_status).toBe("ready");
  });

  it("waits for a browser that holds the lease, without using up its deliveries", async () => {
    const { edge, id, message } = await headless({ compile: "browser" });
    edge.pass(40);
    edge.sent.length = 0;
    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    expect(edge.sent).toEqual([{ message, delaySeconds: 20 }]);
    expect((await edge.content(id)).executor).toBe("browser");
  });

  it("takes over from a browser that disappeared", async () => {
    const { edge, id, message } = await headless({ compile: "browser" });
    edge.pass(60);
    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    expect((await edge.content(id)).marker_metadata?.executor).toBe("node");
  });

  it("of an older generation, or of deleted content, is acknowledged", async () => {
    const { edge, id, message } = await headless();
    const mockNever: MockCompile = () => {
      throw new Error("must not compile");
    };
    await edge.json(`/api/ar-content/${id}/marker/recompile`, json("POST", {}));
    expect(await consume(edge.consumer(mockNever), message)).toEqual(ACK);
    await edge.fetch(`/api/ar-content/${id}`, { method: "DELETE" });
    expect(await consume(edge.consumer(mockNever), { ...message, generation: 2 })).toEqual(ACK);
  });
});

describe("a retryable error", () => {
  it("is recorded and retried with growing delays until the dead letter; compiling again works", async () => {
    const { edge, id, message, task } = await headless();
    const delays: number[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const verdict = await consume(edge.consumer(mockCrash), message);
      if (verdict.kind !== "retry") throw new Error(verdict.kind);
      expect(await task()).toMatchObject({
        state: "pending",
        attempts: attempt,
        error_code: "compile_crashed",
        error_message: "A thread died.",
        next_attempt_at: new Date(edge.clock + verdict.delaySeconds * 1000).toISOString(),
      });
      delays.push(verdict.delaySeconds);
      edge.pass(verdict.delaySeconds);
    }
    expect(delays).toEqual([60, 120, 240, 480, 960, 1920]);

    expect(await deadLetter(edge.consumer(mockCrash), message)).toEqual(ACK);
    expect(await edge.content(id)).toMatchObject({
      marker_status: "failed",
      error_code: "retries_exhausted",
    });
    expect((await task()).error_message).toContain("A thread died.");

    const again = await edge.json<Submission>(`/api/ar-content/${id}/marker/recompile`, json("POST", {}));
    expect(again.content.marker_status).toBe("pending");
    const redriven = edge.sent.at(-1)?.message ?? message;
    expect(redriven).toEqual({ content_id: id, generation: 2 });
    expect(await consume(edge.consumer(mockCompiler), redriven)).toEqual(ACK);
    expect((await edge.content(id)).marker_status).toBe("ready");
  });

  it("ends after the same number of attempts when its messages are sent anew", async () => {
    const { edge, id, message } = await headless();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      await consume(edge.consumer(mockCrash), message);
      edge.pass(3600);
    }
    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    expect(await edge.content(id)).toMatchObject({
      marker_status: "failed",
      error_code: "retries_exhausted",
    });
  });

  it("is counted by the queue as by the database", () => {
    expect(wranglerToml).toMatch(new RegExp(`max_retries = ${MAX_ATTEMPTS - 1}\\n`));
  });

  it("of a busy compiler does not count as an attempt, and is retried when the compiler says", async () => {
    const { edge, message, task } = await headless();
    edge.sent.length = 0;
    const mockBusy: MockCompile = () => ({
      kind: "retryable",
      failure: { code: "compiler_busy", message: "All places are taken." },
      retryAfterSeconds: 7,
    });
    expect(await consume(edge.consumer(mockBusy), message)).toEqual(ACK);
    // With jitter.
    expect(edge.sent).toEqual([
      { message, delaySeconds: expect.toSatisfy((s: number) => s >= 7 && s <= 11) },
    ]);
    expect(await task()).toMatchObject({ state: "pending", attempts: 0, error_code: "compiler_busy" });
  });

  it("of a platform without a Node compiler waits with the reason, and compiles in a browser", async () => {
    const { edge, id, message, task } = await headless();
    edge.sent.length = 0;
    const none = { url: "", secret: "", fetch: () => Promise.reject(new Error("There is no address.")) };
    const consumer = { ...edge.consumer(mockCompiler), askForPlace: () => askForPlace(none, 1) };
    // More often than there are attempts.
    for (let look = 0; look <= MAX_ATTEMPTS; look++) {
      expect(await consume(consumer, message)).toEqual(ACK);
      const { message: next, delaySeconds } = edge.sent.pop()!;
      expect(next).toEqual(message);
      expect(delaySeconds).toBeGreaterThanOrEqual(600);
      edge.pass(delaySeconds);
    }
    expect(await task()).toMatchObject({
      state: "pending",
      attempts: 0,
      error_code: "compiler_missing",
      error_message: expect.stringContaining("COMPILER_URL"),
    });
    await edge.json(`/api/ar-content/${id}/marker/lease`, { method: "POST" });
    expect((await edge.content(id)).executor).toBe("browser");
  });

  it("does not touch a compilation that was taken over in between", async () => {
    const { edge, id, message } = await headless();
    const mockOvertaken: MockCompile = async () => {
      edge.pass(61);
      await edge.json(`/api/ar-content/${id}/marker/lease`, { method: "POST" });
      return crashed;
    };
    await consume(edge.consumer(mockOvertaken), message);
    expect(await edge.content(id)).toMatchObject({ marker_status: "processing", executor: "browser" });
  });

  it("is how a failing storage counts", async () => {
    const { edge, message, task } = await headless();
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const consumer = edge.consumer(mockCompiler);
    const storage = Object.create(edge.storage, {
      download: { value: () => Promise.reject(new Error("R2 is down")) },
    });
    expect(await consume({ ...consumer, storages: edge.storagesWith(storage) }, message)).toEqual({
      kind: "retry",
      delaySeconds: 60,
    });
    expect((await task()).error_code).toBe("storage_unavailable");
  });

  it("is how bytes that are not a marker count, and nothing of them is kept", async () => {
    const { edge, message, task, submission } = await headless();
    const mockGarbage: MockCompile = () => ({
      kind: "compiled",
      delivery: { ...compiled.delivery, marker: new Uint8Array([1, 2, 3]) },
    });
    expect(await consume(edge.consumer(mockGarbage), message)).toEqual({ kind: "retry", delaySeconds: 60 });
    expect((await task()).error_code).toBe("compiler_error");
    expect(await edge.files(submission.content)).toHaveLength(1);
  });
});

describe("a fatal error", () => {
  it("fails the task with the compiler's own code and message", async () => {
    const { edge, id, message } = await headless();
    const mockBlank: MockCompile = () => ({
      kind: "fatal",
      failure: { code: "too_few_features", message: "A blank wall." },
    });
    expect(await consume(edge.consumer(mockBlank), message)).toEqual(ACK);
    expect(await edge.content(id)).toMatchObject({
      marker_status: "failed",
      error_code: "too_few_features",
      error_message: "A blank wall.",
    });
  });

  it("is a second time-out, also with other errors in between", async () => {
    const { edge, id, message, task } = await headless();
    const fails = (code: "compile_timeout" | "compiler_busy" | "compiler_unreachable") => {
      const outcome: CompileOutcome = {
        kind: "retryable",
        failure: { code, message: `It was ${code}.` },
        retryAfterSeconds: null,
      };
      edge.pass(3600);
      return consume(
        edge.consumer(() => outcome),
        message,
      );
    };
    expect(await fails("compile_timeout")).toMatchObject({ kind: "retry" });
    expect(await task()).toMatchObject({ state: "pending", error_code: "compile_timeout" });
    expect(await fails("compiler_busy")).toEqual(ACK);
    expect(await fails("compiler_unreachable")).toMatchObject({ kind: "retry" });
    expect(await fails("compile_timeout")).toEqual(ACK);
    expect(await task()).toMatchObject({
      state: "failed",
      attempts: 3,
      error_code: "compile_timeout",
      error_message:
        "The compilation took too long 2 times and was not tried again. Last error: It was compile_timeout.",
    });
    // Compiling again is a new task.
    await edge.json(`/api/ar-content/${id}/marker/recompile`, json("POST", {}));
    const redriven = edge.sent.at(-1)?.message ?? message;
    expect(await consume(edge.consumer(mockCompiler), redriven)).toEqual(ACK);
    expect((await edge.content(id)).marker_status).toBe("ready");
  });

  it("is an original that is missing", async () => {
    const { edge, id, message, submission } = await headless();
    await edge.storage.delete(await edge.files(submission.content));
    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    expect((await edge.content(id)).error_code).toBe("image_missing");
  });
});

describe("a compilation whose lease is lost", () => {
  it("is stopped at its next progress report, and its marker is not stored", async () => {
    const { edge, id, message } = await headless();
    const mockSlow: MockCompile = async (_job, onProgress) => {
      await edge.json(`/api/ar-content/${id}/marker/recompile`, json("POST", { compile: "browser" }));
      expect(await onProgress({ stage: "match", done: 1, total: 8 })).toBe(false);
      return { kind: "unwanted" };
    };
    expect(await consume(edge.consumer(mockSlow), message)).toEqual({ kind: "retry", delaySeconds: 0 });
    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    expect(await edge.content(id)).toMatchObject({ marker_status: "processing", executor: "browser" });
  });

  it("cannot deliver after its lease has expired, and leaves no file", async () => {
    const { edge, id, message, submission } = await headless();
    const mockLate: MockCompile = () => {
      edge.pass(61);
      return compiled;
    };
    expect(await consume(edge.consumer(mockLate), message)).toEqual({ kind: "retry", delaySeconds: 0 });
    expect((await edge.content(id)).marker_url).toBeNull();
    expect(await edge.files(submission.content)).toHaveLength(1);
  });
});

describe("the sweep", () => {
  it("sends the lost message of a waiting photo again, once per grace period", async () => {
    const { edge, message } = await headless();
    const mine = () => edge.sent.filter((sent) => sent.message.content_id === message.content_id);
    edge.sent.length = 0;
    edge.pass(119);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([]);
    edge.pass(1);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([{ message, delaySeconds: 0 }]);
    edge.pass(60);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toHaveLength(1);
  });

  it("leaves a browser's lease alone until long after its end", async () => {
    const { edge, message, submission } = await headless({ compile: "browser" });
    const mine = () => edge.sent.filter((sent) => sent.message.content_id === message.content_id);
    edge.sent.length = 0;
    for (let minute = 0; minute < 5; minute++) {
      edge.pass(50);
      await edge.json(
        `/api/ar-content/${message.content_id}/marker/progress`,
        json(
          "POST",
          { stage: "match", done: 1, total: 2 },
          { "Vivimark-Lease": submission.lease?.token ?? "" },
        ),
      );
      await sweep(edge.bindings, edge.clock);
    }
    expect(mine()).toEqual([]);
    edge.pass(60 + 120);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([{ message, delaySeconds: 0 }]);
  });

  it("finds a claim whose consumer died, and leaves back-offs and settled tasks alone", async () => {
    const { edge, message } = await headless();
    const mine = () => edge.sent.filter((sent) => sent.message.content_id === message.content_id);
    await consume(edge.consumer(mockCrash), message);
    edge.sent.length = 0;
    edge.pass(60 + 119);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([]);

    const dies = new Promise<never>(() => {});
    let started = false;
    void consume(
      edge.consumer(() => {
        started = true;
        return dies;
      }),
      message,
    );
    await vi.waitUntil(() => started);
    edge.pass(60 + 120);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([{ message, delaySeconds: 0 }]);

    expect(await consume(edge.consumer(mockCompiler), message)).toEqual(ACK);
    edge.sent.length = 0;
    edge.pass(3600);
    await sweep(edge.bindings, edge.clock);
    expect(mine()).toEqual([]);
  });
});

describe("the Worker's queue handler", () => {
  const dispatch = async (queue: string, content: ArContent) => {
    const body = { content_id: content.id, generation: 1 };
    const batch = createMessageBatch(queue, [{ id: "1", timestamp: new Date(), attempts: 1, body }]);
    const context = createExecutionContext();
    await worker.queue(batch as never, env);
    return getQueueResult(batch, context);
  };

  it("retries when the compiler is down, and marks dead letters as failed", async () => {
    const edge = new Edge();
    edge.clock = Date.now();
    // The real queue would announce the compilations that other tests left waiting.
    await edge.db.delete(arContent);
    const { content } = await edge.submit();
    const result = await dispatch("vivimark-compile", content);
    expect(result.retryMessages).toMatchObject([{ msgId: "1" }]);
    expect((await edge.content(content.id)).error_code).toBe("compiler_unreachable");

    expect((await dispatch("vivimark-compile-dead", content)).explicitAcks).toEqual(["1"]);
    expect((await edge.content(content.id)).error_code).toBe("retries_exhausted");
  });
});
