import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ArContent, Submission } from "../../../../client/client.ts";
import { CompileError, type CompileProgress } from "../../../../compiler/types.ts";
import type { CompiledPhoto } from "../../../../web/compile/protocol.ts";
import { CompileCrash } from "../../../../web/compile/run.ts";
import { createSlots } from "../../../../web/compile/slots.ts";
import { Unreachable } from "../../../../web/studio/api/errors.ts";
import {
  compileStored,
  type JobContext,
  type JobDependencies,
  type JobProgress,
  type StoredPhoto,
  uploadPhoto,
} from "../../../../web/studio/upload/job.ts";
import { apiError } from "../api-error.ts";
import { content } from "../content.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ["Date"] });
});

afterEach(() => {
  vi.useRealTimers();
});

const photo = new File(["bytes"], "portrait.jpg", { type: "image/jpeg" });
const compiled: CompiledPhoto = {
  marker: new Uint8Array([1]),
  thumbnail: new Uint8Array([2]),
  picture: new Uint8Array([3]),
  milliseconds: 7,
  compilerVersion: "1",
};
const lease = { token: "token", expires_at: "2026-01-01T00:01:00.000Z" };
const stored: Submission = { content: content(), task_id: "task", lease, reused: false };
const ready = content({ marker_status: "ready" });
const tooMany = apiError("too_many_requests", 429, "Too many.", { retryAfterSeconds: 5 });
const leaseLost = apiError("lease_lost", 409, "The lease is gone.");

interface Script {
  submit?: (signal: AbortSignal) => Promise<Submission>;
  compile?: (onProgress: (progress: CompileProgress) => void, signal: AbortSignal) => Promise<CompiledPhoto>;
  deliver?: (() => Promise<ArContent>)[];
}

/** Returns dependencies of a job whose calls are scripted and recorded. */
function desk({ submit, compile, deliver = [] }: Script = {}) {
  const calls: string[] = [];
  const note = <T>(call: string, result: T) => {
    calls.push(call);
    return result;
  };
  const world: JobDependencies = {
    api: {
      submitPhoto: async ({ details, onSent, signal }) => {
        calls.push(`submit ${details.title}`);
        onSent(1);
        return submit ? submit(signal) : stored;
      },
      reportProgress: async (id) => note(`progress ${id}`, lease),
      releaseLease: async (id) => note(`release ${id}`, undefined),
      deliverMarker: async (id, { token }, { milliseconds }) => {
        calls.push(`deliver ${id} ${token} ${milliseconds}`);
        return (deliver.shift() ?? (async () => ready))();
      },
      deleteContent: async (id, { keepFiles }) =>
        note(`delete ${id}${keepFiles ? "" : " at once"}`, undefined),
      downloadPhoto: async ({ image_url }) => note(`download ${image_url}`, new Blob(["stored"])),
    },
    maxFeatures: null,
    compile: (_photo, options, { onProgress, signal }) => {
      calls.push(`compile ${options.maxFeatures ?? "all"}`);
      return compile ? compile(onProgress, signal) : Promise.resolve(compiled);
    },
    sending: createSlots(1),
    compiling: createSlots(1),
    pause: async (repetition) => note(`pause ${repetition}`, undefined),
    until: async (time) => note(`until ${time}`, undefined),
  };
  return { world, calls };
}

const never = new AbortController().signal;
const silent = { onProgress: () => {} };

const upload = (
  deps: JobDependencies,
  signal: AbortSignal,
  events: Omit<JobContext, "deps" | "signal"> = silent,
) => uploadPhoto({ photo, details: { title: "Portrait" } }, { deps, signal, ...events });

/** Waits until the signal aborts. */
const endless = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

describe("uploadPhoto", () => {
  it("keeps as many points as the project's default, or as the response if it differs", async () => {
    const known = desk();
    const few = { ...stored, content: { ...stored.content, max_features: 150 } };
    const knowing = { ...desk({ submit: async () => few }).world, maxFeatures: 150 };
    expect(await upload({ ...knowing, compile: known.world.compile }, never)).toMatchObject({
      kind: "ready",
    });
    expect(known.calls).toEqual(["compile 150"]);

    const { world, calls } = desk({
      submit: async () => few,
      compile: (_, signal) => (calls.at(-1) === "compile all" ? endless(signal) : Promise.resolve(compiled)),
    });
    expect(await upload(world, never)).toMatchObject({ kind: "ready" });
    expect(calls.filter((call) => call.startsWith("compile"))).toEqual(["compile all", "compile 150"]);
  });

  it("sends and compiles at the same time, then delivers with the lease", async () => {
    const order: string[] = [];
    const gate = Promise.withResolvers<Submission>();
    const { world, calls } = desk({
      submit: () => gate.promise,
      compile: async (onProgress) => {
        onProgress({ stage: "match", done: 1, total: 2 });
        order.push("compiled");
        gate.resolve(stored);
        return compiled;
      },
    });
    const seen: JobProgress[] = [];
    const watch = {
      onProgress: (progress: JobProgress) => seen.push(progress),
      onStored: ({ id }: ArContent) => order.push(`stored ${id}`),
    };
    const outcome = await upload(world, never, watch);

    expect(outcome).toEqual({ kind: "ready", content: ready, reused: false });
    expect(order).toEqual(["compiled", "stored content-1"]);
    expect([...calls].sort()).toEqual(["compile all", "deliver content-1 token 7", "submit Portrait"]);
    expect(seen).toContainEqual({
      sent: 1,
      compile: { stage: "match", done: 1, total: 2 },
      delivering: false,
      pausedUntil: null,
    });
    expect(seen.at(-1)).toMatchObject({ delivering: true });
  });

  it("stops compiling when an existing marker is reused", async () => {
    const { world, calls } = desk({
      submit: async () => ({ content: ready, task_id: "task", lease: null, reused: true }),
      compile: (_, signal) => endless(signal),
    });
    const outcome = await upload(world, never);
    expect(outcome).toEqual({ kind: "ready", content: ready, reused: true });
    expect(calls.some((call) => call.startsWith("deliver"))).toBe(false);
  });

  it("reports why the server refuses a photo, and stops compiling it", async () => {
    let stopped = false;
    const { world } = desk({
      submit: () => Promise.reject(apiError("image_too_small", 422, "The shorter side is 90 px.")),
      compile: (_, signal) =>
        endless(signal).catch((reason) => {
          stopped = true;
          throw reason;
        }),
    });
    expect(await upload(world, never)).toEqual({
      kind: "refused",
      message: "The shorter side is 90 px.",
    });
    expect(stopped).toBe(true);
  });

  it.each([
    new Unreachable(),
    apiError("internal_error", 500, "It broke."),
    apiError("upload_interrupted", 400, "Cut off."),
    apiError("quota_exceeded", 403, "The company has 3 of the 3 photos that it may have."),
    apiError("internal_error", 429, "A proxy's page that does not say when."),
  ])("may be tried again when the submission fails in passing: $message", async (error) => {
    const { world } = desk({ submit: () => Promise.reject(error) });
    expect(await upload(world, never)).toEqual({
      kind: "retryable",
      message: error.message,
    });
  });

  it("waits when sending or delivering is rate-limited, and reports until when", async () => {
    const answers = [() => Promise.reject(tooMany), async () => stored];
    const refused = () => Promise.reject(tooMany);
    const { world, calls } = desk({ submit: () => answers.shift()!(), deliver: [refused, refused] });
    const seen: JobProgress[] = [];
    const watch = { onProgress: (progress: JobProgress) => seen.push(progress) };
    expect(await upload(world, never, watch)).toMatchObject({ kind: "ready" });
    expect(calls.filter((call) => /^(submit|deliver|until)/.test(call))).toEqual([
      "submit Portrait",
      "until 5000",
      "submit Portrait",
      "deliver content-1 token 7",
      "until 5000",
      "deliver content-1 token 7",
      "until 5000",
      "deliver content-1 token 7",
    ]);
    expect(seen.filter(({ pausedUntil }) => pausedUntil === 5_000)).toHaveLength(3);
    expect(seen.at(-1)).toMatchObject({ pausedUntil: null });
  });

  it("can be cancelled while it waits, and sends nothing more", async () => {
    const controller = new AbortController();
    const { world, calls } = desk({ submit: () => Promise.reject(tooMany) });
    const waiting: JobDependencies = {
      ...world,
      until: (_, signal) => {
        setTimeout(() => controller.abort(), 0);
        return endless(signal);
      },
    };
    expect(await upload(waiting, controller.signal)).toEqual({
      kind: "cancelled",
    });
    expect(calls.filter((call) => call.startsWith("submit"))).toHaveLength(1);
  });

  it("leaves a stored photo to the server when its delivery is refused temporarily", async () => {
    const broken = () => Promise.reject(apiError("internal_error", 500, "It broke."));
    const { world, calls } = desk({ deliver: [broken] });
    expect(await upload(world, never)).toMatchObject({ kind: "handed_over" });
    expect(calls.at(-1)).toBe("release content-1");
  });

  it("removes the stored photo when it cannot be compiled", async () => {
    const { world, calls } = desk({
      compile: () => Promise.reject(new CompileError("too_few_features", "Only 12 points.")),
      submit: () => new Promise((resolve) => setTimeout(resolve, 0, stored)),
    });
    expect(await upload(world, never)).toEqual({
      kind: "refused",
      message: "Only 12 points.",
    });
    expect(calls).toContain("delete content-1 at once");
    expect(calls).not.toContain("release content-1");
  });

  it("stops sending a photo that cannot be compiled", async () => {
    const { world, calls } = desk({
      compile: () => Promise.reject(new CompileError("too_few_features", "Only 12 points.")),
      submit: (signal) => endless(signal),
    });
    expect(await upload(world, never)).toEqual({
      kind: "refused",
      message: "Only 12 points.",
    });
    expect(calls).not.toContain("delete content-1 at once");
  });

  it("hands over to the server when its worker crashes", async () => {
    const { world, calls } = desk({ compile: () => Promise.reject(new CompileCrash("out of memory")) });
    const outcome = await upload(world, never);
    expect(outcome).toMatchObject({ kind: "handed_over", reason: expect.stringContaining("out of memory") });
    expect(calls).toContain("release content-1");
    expect(calls).not.toContain("delete content-1 at once");
  });

  it("explains a lost lease and changes nothing more", async () => {
    const { world, calls } = desk({ deliver: [() => Promise.reject(leaseLost)] });
    const outcome = await upload(world, never);
    expect(outcome).toMatchObject({ kind: "handed_over", content: stored.content });
    expect(calls.at(-1)).toBe("deliver content-1 token 7");
  });

  it("repeats a delivery without a response", async () => {
    const gone = () => Promise.reject(new Unreachable());
    const { world, calls } = desk({ deliver: [gone, gone] });
    expect(await upload(world, never)).toMatchObject({ kind: "ready" });
    expect(calls.filter((call) => call.startsWith("pause"))).toEqual(["pause 1", "pause 2"]);
  });

  it("leaves the photo to the server when every delivery fails", async () => {
    const gone = () => Promise.reject(new Unreachable());
    const { world, calls } = desk({ deliver: [gone, gone, gone, gone] });
    expect(await upload(world, never)).toMatchObject({ kind: "handed_over" });
    expect(calls.filter((call) => call.startsWith("deliver"))).toHaveLength(4);
  });

  it("removes the stored photo when cancelled during compilation", async () => {
    const controller = new AbortController();
    const { world, calls } = desk({
      compile: (_, signal) => {
        setTimeout(() => controller.abort(), 0);
        return endless(signal);
      },
    });
    expect(await upload(world, controller.signal)).toEqual({
      kind: "cancelled",
    });
    expect(calls).toContain("delete content-1 at once");
  });

  it("removes the stored photo even if the removal is rate-limited", async () => {
    const controller = new AbortController();
    const { world, calls } = desk({
      submit: async () => {
        controller.abort();
        return stored;
      },
      compile: (_, signal) => endless(signal),
    });
    const { deleteContent } = world.api;
    const removals = [() => Promise.reject(tooMany), deleteContent];
    const remove: typeof deleteContent = (id, options) => removals.shift()!(id, options);
    const held = { ...world, api: { ...world.api, deleteContent: remove } };
    expect(await upload(held, controller.signal)).toEqual({
      kind: "cancelled",
    });
    expect(calls.slice(-2)).toEqual(["until 5000", "delete content-1 at once"]);
  });

  it("removes the stored photo when cancelled before the response", async () => {
    const controller = new AbortController();
    const { world, calls } = desk({
      submit: async () => {
        controller.abort();
        return stored;
      },
      compile: (_, signal) => endless(signal),
    });
    expect(await upload(world, controller.signal)).toEqual({
      kind: "cancelled",
    });
    expect(calls).toContain("delete content-1 at once");
  });

  it("removes the stored photo even if its delivery completes during the cancellation", async () => {
    const controller = new AbortController();
    const { world, calls } = desk({
      deliver: [
        async () => {
          controller.abort();
          return ready;
        },
      ],
    });
    expect(await upload(world, controller.signal)).toEqual({
      kind: "cancelled",
    });
    expect(calls.at(-1)).toBe("delete content-1 at once");
  });

  it("throws unexpected errors", async () => {
    const { world } = desk({ compile: () => Promise.reject(new RangeError("a bug")) });
    await expect(upload(world, never)).rejects.toThrow("a bug");
  });
});

describe("compileStored", () => {
  const compile = (photo: Omit<StoredPhoto, "content">, deps: JobDependencies, signal: AbortSignal) =>
    compileStored({ content: ready, ...photo }, { deps, signal, ...silent });
  const take = (calls: string[]) => async () => {
    calls.push("take");
    return stored;
  };

  it("reports why the lease is refused, and compiles nothing", async () => {
    const { world, calls } = desk();
    const held = async () => {
      throw apiError("lease_held", 409, "Another executor compiles this photo.");
    };
    expect(await compile({ maxFeatures: null, take: held }, world, never)).toEqual({
      kind: "refused",
      message: "Another executor compiles this photo.",
    });
    expect(calls).toEqual(["download /media/content-1/image"]);
  });

  it("fetches the stored photo, compiles it with the limit and delivers", async () => {
    const { world, calls } = desk();
    const outcome = await compile({ maxFeatures: 200, take: take(calls) }, world, never);
    expect(outcome).toEqual({ kind: "ready", content: ready, reused: false });
    expect(calls).toEqual([
      "download /media/content-1/image",
      "take",
      "compile 200",
      "deliver content-1 token 7",
    ]);
  });

  it("keeps the content and releases the lease when the photo is refused or the job cancelled", async () => {
    const refusal = desk({ compile: () => Promise.reject(new CompileError("too_few_features", "Few.")) });
    expect(await compile({ maxFeatures: null, take: take(refusal.calls) }, refusal.world, never)).toEqual({
      kind: "refused",
      message: "Few.",
    });
    expect(refusal.calls.slice(-1)).toEqual(["release content-1"]);

    const controller = new AbortController();
    const cancelled = desk({
      compile: (_, signal) => {
        setTimeout(() => controller.abort(), 0);
        return endless(signal);
      },
    });
    expect(
      await compile({ maxFeatures: null, take: take(cancelled.calls) }, cancelled.world, controller.signal),
    ).toEqual({
      kind: "cancelled",
    });
    expect(cancelled.calls.slice(-1)).toEqual(["release content-1"]);
  });
});
