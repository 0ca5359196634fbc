import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { CompilerContainer } from "../../../worker/marker/container.ts";
import { fetchFromContainers, type Instance } from "../../../worker/marker/container-pool.ts";

const { COMPILER, COMPILER_SECRET } = env as unknown as {
  COMPILER: DurableObjectNamespace<CompilerContainer>;
  COMPILER_SECRET: string;
};

const COMPILE = { method: "POST", headers: { Authorization: "Bearer secret" }, body: "a photo" };

/** A mock of a container whose program answers with `answer`. */
function mockContainer(answer: (request: Request) => Response | Promise<Response>) {
  const started: object[] = [];
  const container = {
    running: false,
    start(options: object) {
      started.push(options);
      container.running = true;
    },
    monitor: () => new Promise(() => {}),
    getTcpPort: (port: number) => ({
      async fetch(url: string, request?: Request) {
        // The package asks whether the program listens already.
        if (!request?.method) return new Response(String(port));
        return answer(new Request(url, request));
      },
    }),
  };
  return { container, started };
}

let objects = 0;

/** Runs `test` with an instance whose container is `container`. */
function withInstance(
  { container }: { container: object },
  use: (instance: CompilerContainer) => Promise<void>,
): Promise<void> {
  objects += 1;
  return runInDurableObject(COMPILER.getByName(`test-${objects}`), async (_, state) => {
    Object.defineProperty(state, "container", { value: container });
    await use(new CompilerContainer(state as never, env as never));
  });
}

test("a container starts with its first compilation, and is not free until the response ends", async () => {
  const end = Promise.withResolvers<void>();
  const parts = new ReadableStream({
    async pull(controller) {
      await end.promise;
      controller.enqueue(new TextEncoder().encode("a marker"));
      controller.close();
    },
  });
  const asked: string[] = [];
  const mock = mockContainer(async (request) => {
    asked.push(
      `${request.method} ${request.url} ${request.headers.get("authorization")} ${await request.text()}`,
    );
    return new Response(parts, { headers: { "Content-Type": "multipart/form-data" } });
  });
  await withInstance(mock, async (instance) => {
    expect(instance.state()).toEqual({ isFree: true, isFailing: false });
    expect(instance.reserve()).toBe(true);
    expect(instance.reserve()).toBe(false);
    expect(mock.started).toEqual([]);
    const response = await instance.fetch(new Request("http://compiler/compile?max_features=80", COMPILE));
    expect(mock.started).toMatchObject([
      { enableInternet: false, env: { COMPILER_SECRET, COMPILER_PORT: "8788" } },
    ]);
    expect(asked).toEqual(["POST http://compiler/compile?max_features=80 Bearer secret a photo"]);
    expect(response.headers.get("content-type")).toBe("multipart/form-data");
    expect(instance.reserve()).toBe(false);
    end.resolve();
    expect(new TextDecoder().decode(await response.arrayBuffer())).toBe("a marker");
    expect(instance.state().isFree).toBe(true);
  });
});

test("a container that does not start is failing until a compilation begins", async () => {
  const mock = mockContainer(() => Response.json({ code: "busy" }, { status: 503 }));
  const { start } = mock.container;
  mock.container.start = () => {
    throw new Error("There is no image.");
  };
  await withInstance(mock, async (instance) => {
    const refused = await instance.fetch(new Request("http://compiler/compile", COMPILE));
    expect(refused.status).toBe(500);
    await refused.text();
    expect(instance.state()).toEqual({ isFree: true, isFailing: true });
    mock.container.start = start;
    const busy = await instance.fetch(new Request("http://compiler/compile", COMPILE));
    expect(await busy.json()).toEqual({ code: "busy" });
    expect(instance.state().isFailing).toBe(false);
  });
});

test("a caller that hangs up frees the place", async () => {
  const mock = mockContainer(() => new Response(new ReadableStream()));
  await withInstance(mock, async (instance) => {
    const response = await instance.fetch(new Request("http://compiler/compile", COMPILE));
    expect(instance.reserve()).toBe(false);
    await response.body!.cancel();
    expect(instance.reserve()).toBe(true);
  });
});

/** Mocks of instances: the names of those that are free, and what each was asked. */
function mockInstances(...places: ("free" | "taken" | "failing")[]) {
  const asked: number[] = [];
  const instances = places.map<Instance>((place, index) => ({
    reserve: async () => place !== "taken",
    state: async () => ({ isFree: place !== "taken", isFailing: place === "failing" }),
    fetch: async () => {
      asked.push(index);
      return new Response("parts");
    },
  }));
  return { instances, asked };
}

test("a compilation goes to the first instance with a free place", async () => {
  const { instances, asked } = mockInstances("taken", "free", "free");
  await fetchFromContainers(instances, "http://compiler/compile", COMPILE);
  expect(asked).toEqual([1]);
});

test("without a free place, the answer is that of a busy Node compiler", async () => {
  const { instances } = mockInstances("taken", "taken");
  const response = await fetchFromContainers(instances, "http://compiler/compile", COMPILE);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await response.json()).toEqual({ code: "busy", detail: "All 2 places of the compiler are taken." });
});

test.each([
  [["free", "taken"], { status: "ok", running: 1, capacity: 2 }],
  [["free", "failing"], { status: "ok", running: 0, capacity: 2 }],
  [["failing", "failing"], { status: "failing", running: 0, capacity: 2 }],
] as const)("the health of %j starts no container", async (places, health) => {
  const { instances, asked } = mockInstances(...places);
  const response = await fetchFromContainers(instances, "http://compiler/health", { method: "GET" });
  expect(await response.json()).toEqual(health);
  expect(asked).toEqual([]);
});
