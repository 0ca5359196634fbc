import { env } from "cloudflare:workers";
import { eq, isNotNull } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { arContent, projects } from "../../../worker/db/tables.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { sweep } from "../../../worker/sweep.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { HEIGHT, jpeg, mind, png, WIDTH } from "../fixtures.ts";

const edge = new Edge();

function upload(body: BodyInit, headers: Record<string, string> = {}, target = edge): Promise<Response> {
  return target.fetch("/api/ar-content", { method: "POST", body, headers });
}

describe("a submitted photo", () => {
  it("is stored with its metadata, and waits for the Node compiler by default", async () => {
    const edge = new Edge();
    const image = png();
    const response = await upload(form({ image, title: "Anna", description: "In the garden" }), {}, edge);
    expect(response.status).toBe(201);
    const { content, task_id, lease, reused } = await response.json<{
      content: ArContent;
      task_id: string;
      lease: null;
      reused: boolean;
    }>();
    expect(response.headers.get("location")).toBe(`/api/ar-content/${content.id}`);
    expect(content).toMatchObject({
      title: "Anna",
      description: "In the garden",
      image_width: WIDTH,
      image_height: HEIGHT,
      image_bytes: image.length,
      marker_status: "pending",
      marker_url: null,
      executor: null,
      task_id,
      viewer_url: `http://edge.test/v/${content.unique_id}`,
    });
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", image));
    expect(content.image_sha256).toBe([...digest].map((b) => b.toString(16).padStart(2, "0")).join(""));
    expect([lease, reused]).toEqual([null, false]);
    expect(edge.sent).toEqual([{ message: { content_id: content.id, generation: 1 }, delaySeconds: 0 }]);
    expect(await edge.files(content)).toEqual([
      `companies/first/portraits/original_images/${content.unique_id}.png`,
    ]);
    const qrCode = await edge.storage.download(`companies/first/qr-codes/${content.unique_id}.svg`);
    expect(await new Response(qrCode?.body).text()).toBe(await (await edge.fetch(content.qr_url)).text());
    const stored = await edge.fetch(content.image_url);
    expect(new Uint8Array(await stored.arrayBuffer())).toEqualBytes(image);
  });

  it("is leased to the browser that asks for it, with the message delayed until the lease ends", async () => {
    const edge = new Edge();
    const { content, lease } = await edge.submit({ compile: "browser", max_features: "300" });
    expect(content).toMatchObject({ marker_status: "processing", executor: "browser", max_features: 300 });
    expect(lease?.expires_at).toBe(new Date(edge.clock + 60_000).toISOString());
    expect(lease?.token).toMatch(/^[0-9a-f]{64}$/);
    expect(edge.sent).toEqual([{ message: { content_id: content.id, generation: 1 }, delaySeconds: 60 }]);
  });

  it("is named after its file when it has no title", async () => {
    expect((await edge.submit({ title: "" })).content.title).toBe("Holiday photo");
  });

  it("is accepted although the queue does not take its message", async () => {
    const edge = new Edge();
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const queue = {
      sendAll: () => Promise.reject(new Error("the queue is down")),
      send: () => Promise.reject(new Error("the queue is down")),
    };
    const response = await edge.fetch(
      "/api/ar-content",
      { method: "POST", body: form({ image: png() }) },
      { queue },
    );
    expect(response.status).toBe(201);
  });

  it("is cleaned up by the sweep when its Worker is killed after storing the files", async () => {
    const edge = new Edge();
    const before = await edge.allFiles();
    const storage = new R2Storage(env.BUCKET);
    let killed = () => {};
    const kill = new Promise<void>((resolve) => {
      killed = resolve;
    });
    const upload = storage.upload.bind(storage);
    let stored = 0;
    storage.upload = async (...file) => {
      await upload(...file);
      if (++stored === 2) killed();
      return new Promise(() => {});
    };
    void edge.fetch(
      "/api/ar-content",
      { method: "POST", body: form({ image: png() }) },
      { storages: edge.storagesWith(storage) },
    );
    await kill;
    expect(await edge.allFiles()).toHaveLength(before.length + stored);
    const rows = () => edge.db.select().from(arContent).where(isNotNull(arContent.deletedAt));
    const [{ id, uniqueId }] = await rows();
    expect((await edge.fetch(`/api/ar-content/${id}`)).status).toBe(404);
    expect((await edge.fetch(`/media/${uniqueId}/image`)).status).toBe(404);
    edge.pass(600);
    await sweep(edge.bindings, edge.clock);
    expect(await rows()).toHaveLength(1);
    edge.pass(600);
    await sweep(edge.bindings, edge.clock);
    expect([await rows(), await edge.allFiles()]).toEqual([[], before]);
  });

  it("leaves nothing behind when its file cannot be stored", async () => {
    const edge = new Edge();
    vi.spyOn(console, "error").mockImplementationOnce(() => {});
    const before = await edge.allFiles();
    const storage = new R2Storage(env.BUCKET);
    storage.upload = () => Promise.reject(new Error("the storage is down"));
    const body = form({ image: png() });
    const response = await edge.fetch(
      "/api/ar-content",
      { method: "POST", body },
      { storages: edge.storagesWith(storage) },
    );
    expect(response.status).toBe(500);
    expect(await edge.db.select().from(arContent).where(isNotNull(arContent.deletedAt))).toEqual([]);
    expect(await edge.allFiles()).toEqual(before);
  });

  it("is refused when its project is archived while it is sent", async () => {
    const edge = new Edge();
    const { id: projectId } = await edge.json<{ id: string }>(
      "/api/projects",
      json("POST", { name: "Fair" }),
    );
    await edge.db.update(projects).set({ archivedAt: edge.clock }).where(eq(projects.id, projectId));
    const { submitPhoto } = await import("../../../worker/content/submission.ts");
    const options = { executor: "node", maxFeatures: null, expiresAt: null } as const;
    const photo = { file: png(), title: "x", description: "", projectId, ...options };
    const failing = submitPhoto(
      { ...edge.bindings, origin: "http://edge.test" },
      await edge.store(),
      { photo },
      edge.clock,
    );
    await expect(failing).rejects.toMatchObject({ code: "project_archived" });
  });

  it("leaves nothing behind when its rows cannot be written", async () => {
    const edge = new Edge();
    const before = await edge.allFiles();
    const store = await edge.store();
    const { submitPhoto } = await import("../../../worker/content/submission.ts");
    const options = { executor: "node", maxFeatures: null, expiresAt: null } as const;
    const photo = { file: png(), title: "x", description: "", ...options };
    const failing = submitPhoto(
      { ...edge.bindings, origin: "http://edge.test" },
      store,
      { photo: { ...photo, projectId: "no such project" } },
      edge.clock,
    );
    await expect(failing).rejects.toThrow();
    expect(await edge.allFiles()).toEqual(before);
  });
});

describe("several photos at once", () => {
  it("each get a lease or a message of their own, and a refused one does not affect the others", async () => {
    const edge = new Edge();
    const store = await edge.store();
    const { submitPhotos } = await import("../../../worker/content/submission.ts");
    const { newCreation } = await import("../../../worker/db/idempotency.ts");
    const [{ projectId }] = await edge.db.select().from(arContent);
    const executors = ["browser", "node", "browser"] as const;
    const photos = [...executors.map((executor) => ({ executor, file: png() }))].toSpliced(1, 0, {
      executor: "browser",
      file: new Uint8Array(),
    });
    const outcomes = await submitPhotos(
      { ...edge.bindings, origin: "http://edge.test" },
      store,
      photos.map((photo, i) => ({
        photo: {
          ...photo,
          projectId,
          title: `Photo ${i}`,
          description: "",
          maxFeatures: null,
          expiresAt: null,
        },
        creation: newCreation(),
      })),
      edge.clock,
    );
    expect(outcomes).toMatchObject([
      { content: { title: "Photo 0", markerStatus: "processing" }, task: { executor: "browser" } },
      { error: { code: "empty_file" } },
      { content: { title: "Photo 2", markerStatus: "pending" }, task: { executor: null }, lease: null },
      { content: { title: "Photo 3", markerStatus: "processing" }, task: { executor: "browser" } },
    ]);
    const [first, , second, third] = outcomes.map((outcome) => ("error" in outcome ? null : outcome));
    expect(first?.lease?.hash).toBe(first?.task.leaseHash);
    expect(third?.lease?.hash).toBe(third?.task.leaseHash);
    expect(first?.lease?.token).not.toBe(third?.lease?.token);
    const message = (submitted: typeof first, delaySeconds: number) => ({
      message: { content_id: submitted?.content.id, generation: 1 },
      delaySeconds,
    });
    expect(edge.sent).toEqual([message(first, 60), message(second, 0), message(third, 60)]);
  });
});

it("a form may arrive in chunks of any length, also with its last line break in one of its own", async () => {
  const whole = new Request("http://x", { method: "POST", body: form({ image: png() }) });
  const headers = { "Content-Type": whole.headers.get("content-type") as string };
  // Other clients than this one end a form with a line break.
  const bytes = new Uint8Array(await new Blob([await whole.arrayBuffer(), "\r\n"]).arrayBuffer());
  for (const length of [1, 2, 3, 40]) {
    const chunks = [bytes.slice(0, -length), bytes.slice(-length)];
    const body = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    });
    expect([length, (await upload(body, headers)).status]).toEqual([length, 201]);
  }
});

it("data after the last boundary of a form is read only up to a limit", async () => {
  const whole = new Request("http://x", { method: "POST", body: form({ image: png() }) });
  const headers = { "Content-Type": whole.headers.get("content-type") as string };
  const bytes = new Uint8Array(await whole.arrayBuffer());
  const endless = new ReadableStream({
    start: (controller) => controller.enqueue(bytes),
    pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
  });
  expect(await refusal(await upload(endless, headers))).toMatchObject({ code: "malformed_upload" });
});

describe("a refused upload names the reason and stores nothing", () => {
  const cases: [string, () => BodyInit, number, string, RegExp][] = [
    ["no image", () => form({ title: "x" }), 422, "invalid_input", /"image" is missing/],
    ["an empty file", () => form({ image: new Uint8Array() }), 422, "empty_file", /empty/],
    [
      "not an image",
      () => form({ image: new TextEncoder().encode("<!doctype html><p>hello</p>") }),
      415,
      "not_an_image",
      /expected a JPEG/,
    ],
    [
      "a GIF",
      () => form({ image: new TextEncoder().encode(`GIF89a${"x".repeat(100)}`) }),
      415,
      "unsupported_format",
      /GIF/,
    ],
    ["too small", () => form({ image: png(500, 127) }), 422, "image_too_small", /500 × 127.*128/],
    ["too many pixels", () => form({ image: png(10_000, 5_001) }), 422, "image_too_many_pixels", /50/],
    ["a damaged image", () => form({ image: png().slice(0, 20) }), 422, "image_damaged", /damaged/],
    [
      "20 MB and a byte",
      () => form({ image: jpeg(800, 600, 20_000_001) }),
      413,
      "image_too_many_bytes",
      /20 MB/,
    ],
    [
      "an unknown executor",
      () => form({ image: png(), compile: "cloud" }),
      422,
      "invalid_input",
      /"compile".*server.*browser.*received "cloud"/,
    ],
    [
      "max_features that is not a number",
      () => form({ image: png(), max_features: "many" }),
      422,
      "invalid_input",
      /"max_features".*received "many"/,
    ],
    [
      "a title of 201 characters",
      () => form({ image: png(), title: "x".repeat(201) }),
      422,
      "invalid_input",
      /"title".*200/,
    ],
    [
      "a text beyond all bounds",
      () => form({ image: png(), title: "x".repeat(20_000) }),
      422,
      "invalid_input",
      /"title" is longer than the maximum of 16384/,
    ],
    [
      "an unknown project",
      () => form({ image: png(), project_id: "elsewhere" }),
      422,
      "invalid_input",
      /"project_id".*"elsewhere"/,
    ],
    ["an unknown field", () => form({ image: png(), compil: "server" }), 422, "invalid_input", /"compil"/],
  ];
  it.each(cases)("%s", async (_name, body, status, code, sentence) => {
    const before = await edge.allFiles();
    const sent = edge.sent.length;
    const problem = await refusal(await upload(body()));
    expect([problem.status, problem.code]).toEqual([status, code]);
    expect(problem.detail).toMatch(sentence);
    expect(await edge.allFiles()).toEqual(before);
    expect(edge.sent.length).toBe(sent);
  });

  it("a field twice", async () => {
    const twice = form({ image: png() });
    twice.append("title", "a");
    twice.append("title", "b");
    const problem = await refusal(await upload(twice));
    expect([problem.code, problem.detail]).toEqual([
      "invalid_input",
      'Field "title" was sent twice; expected it once.',
    ]);
  });

  it("a body that is not a form", async () => {
    const problem = await refusal(await upload("hello", { "Content-Type": "text/plain" }));
    expect([problem.status, problem.code]).toEqual([415, "unsupported_media_type"]);
  });

  it("a form that ends too early", async () => {
    const whole = new Request("http://x", { method: "POST", body: form({ image: png() }) });
    const type = whole.headers.get("content-type") as string;
    const bytes = await whole.arrayBuffer();
    const problem = await refusal(await upload(bytes.slice(0, -40), { "Content-Type": type }));
    expect([problem.status, problem.code]).toEqual([400, "malformed_upload"]);
  });

  it.each([
    ["name", "title", "Gr\u00fcn.png", "Anna"],
    ["text", "title", "a.png", "Gr\u00fcn"],
  ])("a form whose %s is not UTF-8", async (_what, field, fileName, text) => {
    const body = [
      `--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${text}\r\n`,
      `--b\r\nContent-Disposition: form-data; name="image"; filename="${fileName}"\r\n\r\nx\r\n--b--\r\n`,
    ].join("");
    const latin1 = Uint8Array.from(body, (character) => character.charCodeAt(0));
    const problem = await refusal(
      await upload(latin1, { "Content-Type": "multipart/form-data; boundary=b" }),
    );
    expect([problem.status, problem.code]).toEqual([400, "malformed_upload"]);
    expect(problem.detail).toContain("UTF-8");
  });

  it("a connection that breaks in the middle", async () => {
    const before = await edge.allFiles();
    const whole = new Request("http://x", { method: "POST", body: form({ image: png() }) });
    const type = whole.headers.get("content-type") as string;
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const broken = new ReadableStream({
      start: (controller) => controller.enqueue(bytes.slice(0, 200)),
      pull: (controller) => controller.error(new Error("connection reset")),
    });
    const problem = await refusal(await upload(broken, { "Content-Type": type }));
    expect([problem.status, problem.code]).toEqual([400, "upload_interrupted"]);
    expect(await edge.allFiles()).toEqual(before);
  });

  it("a body that exceeds the limit is not read any further", async () => {
    const boundary = "limit";
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n`;
    let pulled = 0;
    const endless = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(head)),
      pull: (controller) => {
        pulled += 1_000_000;
        controller.enqueue(new Uint8Array(1_000_000));
      },
    });
    const type = `multipart/form-data; boundary=${boundary}`;
    const problem = await refusal(await upload(endless, { "Content-Type": type }));
    expect([problem.status, problem.code]).toEqual([413, "image_too_many_bytes"]);
    expect(pulled).toBeLessThan(25_000_000);
  });
});

describe("the same photo again", () => {
  const finished = async (
    edge: Edge,
    image: Uint8Array<ArrayBuffer>,
    fields: Record<string, string> = {},
  ) => {
    const { content, lease } = await edge.submit({ image, compile: "browser", ...fields });
    const body = form({
      marker: mind(),
      thumbnail: jpeg(240, 180),
      picture: jpeg(240, 180),
      metadata: '{"milliseconds":42}',
    });
    await edge.json(`/api/ar-content/${content.id}/marker`, {
      method: "PUT",
      body,
      headers: { "Vivimark-Lease": lease?.token ?? "" },
    });
    return edge.content(content.id);
  };

  it("gets a copy of the marker at once", async () => {
    const edge = new Edge();
    const image = png();
    const first = await finished(edge, image);
    edge.sent.length = 0;
    const { content, lease, reused, task_id } = await edge.submit({ image, compile: "browser" });
    expect([reused, lease, content.marker_status]).toEqual([true, null, "ready"]);
    expect(edge.sent).toEqual([]);
    expect(content.marker_metadata).toEqual(first.marker_metadata);
    expect(await edge.json(`/api/tasks/${task_id}`)).toMatchObject({ state: "ready", attempts: 0 });

    expect((await edge.fetch(`/api/ar-content/${first.id}`, { method: "DELETE" })).status).toBe(204);
    const marker = await edge.fetch(content.marker_url ?? "");
    expect(new Uint8Array(await marker.arrayBuffer())).toEqualBytes(mind());
    expect((await edge.fetch(content.thumbnail_url ?? "")).status).toBe(200);
    expect((await edge.fetch(content.picture_url ?? "")).status).toBe(200);
    expect((await edge.fetch(content.image_url)).status).toBe(200);
  });

  it("is compiled when the options differ, or the first is not ready", async () => {
    const edge = new Edge();
    const image = png();
    const waiting = await edge.submit({ image });
    expect((await edge.submit({ image })).reused).toBe(false);
    await edge.fetch(`/api/ar-content/${waiting.content.id}`, { method: "DELETE" });
    await finished(edge, image);
    expect((await edge.submit({ image, max_features: "100" })).reused).toBe(false);
    expect((await edge.submit({ image })).reused).toBe(true);
  });
});
