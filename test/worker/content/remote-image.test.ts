import { beforeEach, describe, expect, test, vi } from "vitest";
import { MAX_IMAGE_BYTES } from "../../../compiler/image/inspect.ts";
import { arContent } from "../../../worker/db/tables.ts";
import type { Problem } from "../../../worker/errors.ts";
import type { Submission } from "../../../worker/schemas.ts";
import { Edge, json, refusal } from "../edge.ts";
import { png } from "../fixtures.ts";

const ADDRESS = "https://images.example.net/2026/Grand%20mother.png?size=large";

let edge: Edge;

beforeEach(() => {
  edge = new Edge();
});

function submit(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Response> {
  return edge.fetch("/api/ar-content", json("POST", body, headers));
}

async function refused(address: string): Promise<Problem> {
  const before = await edge.db.select().from(arContent);
  const problem = await refusal(await submit({ image_url: address }));
  expect(await edge.db.select().from(arContent)).toEqual(before);
  return problem;
}

function redirect(to: string) {
  return () => new Response(null, { status: 302, headers: { Location: to } });
}

describe("a photo fetched from an address", () => {
  test("is submitted like an upload, whatever type its server claims", async () => {
    const bytes = png();
    const seen: Request[] = [];
    edge.sites.set(ADDRESS, (request) => {
      seen.push(request);
      return new Response(bytes, { headers: { "Content-Type": "text/html" } });
    });
    const response = await submit({ image_url: ADDRESS, description: "Told", max_features: 200 });
    expect(response.status).toBe(201);
    const { content, lease } = (await response.json()) as Submission;
    expect(response.headers.get("Location")).toBe(`/api/ar-content/${content.id}`);
    expect(content).toMatchObject({ title: "Grand mother", description: "Told", max_features: 200 });
    expect(lease).toBeNull();
    expect(content.image_bytes).toBe(bytes.length);
    const original = await edge.fetch(content.image_url);
    expect(original.headers.get("Content-Type")).toBe("image/png");
    expect(new Uint8Array(await original.arrayBuffer())).toEqualBytes(bytes);
    expect(seen.map(({ headers }) => headers.has("Authorization"))).toEqual([false]);
  });

  test("up to three redirects are followed", async () => {
    edge.sites.set(ADDRESS, redirect("https://one.example.org/x"));
    edge.sites.set("https://one.example.org/x", redirect("/y"));
    edge.sites.set("https://one.example.org/y", redirect("https://two.example.org/"));
    edge.sites.set("https://two.example.org/", () => new Response(png()));
    expect((await submit({ image_url: ADDRESS })).status).toBe(201);
    edge.sites.set("https://two.example.org/", redirect("https://three.example.org/"));
    expect(await refused(ADDRESS)).toMatchObject({ code: "image_not_fetched" });
  });

  test("with an Idempotency-Key it is fetched once", async () => {
    let fetched = 0;
    edge.sites.set(ADDRESS, () => {
      fetched += 1;
      return new Response(png());
    });
    const headers = { "Idempotency-Key": "one-photo" };
    const first = await (await submit({ image_url: ADDRESS }, headers)).text();
    expect(await (await submit({ image_url: ADDRESS }, headers)).text()).toBe(first);
    expect(fetched).toBe(1);
  });
});

describe("refused", () => {
  test.each([
    "http://images.example.net/a.png",
    "https://localhost/a.png",
    "https://127.0.0.1/a.png",
    "https://2130706433/a.png",
    "https://0x7f.1/a.png",
    "https://[::1]/a.png",
    "https://[::ffff:10.0.0.1]/a.png",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.internal/",
    "https://images.example.net:22/a.png",
    "https://me:secret@images.example.net/a.png",
    "ftp://images.example.net/a.png",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
    "portrait.jpg",
    "",
  ])("an address that leads to no public server: %s", async (address) => {
    const { code, detail, errors } = await refused(address);
    expect(code).toBe("invalid_input");
    expect(errors).toMatchObject([{ field: "image_url" }]);
    expect(detail).not.toContain("secret");
  });

  test("a redirect to such an address", async () => {
    edge.sites.set(ADDRESS, redirect("https://10.0.0.1/"));
    edge.sites.set("https://10.0.0.1/", () => new Response(png()));
    expect((await refused(ADDRESS)).code).toBe("invalid_input");
    edge.sites.set(ADDRESS, redirect("http://images.example.net/"));
    expect((await refused(ADDRESS)).code).toBe("invalid_input");
  });

  test("a file that is not an image", async () => {
    edge.sites.set(ADDRESS, () => new Response("<svg/>", { headers: { "Content-Type": "image/png" } }));
    expect((await refused(ADDRESS)).code).toBe("not_an_image");
    edge.sites.set(ADDRESS, () => new Response(null));
    expect((await refused(ADDRESS)).code).toBe("empty_file");
  });

  test.each([404, 403, 500, 204, 206])("a response with status %i", async (status) => {
    edge.sites.set(ADDRESS, () => new Response(status === 204 ? null : "no", { status }));
    const { code, detail } = await refused(ADDRESS);
    expect(code).toBe("image_not_fetched");
    expect(detail).toContain(String(status));
    expect(detail).not.toContain("size=large");
  });

  test("a server that does not respond", async () => {
    expect((await refused("https://nobody.example.net/")).code).toBe("image_not_fetched");
  });

  test("one that takes longer than 30 seconds", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    edge.sites.set(ADDRESS, () => {
      resolve();
      return new Promise<never>(() => {});
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const problem = refused(ADDRESS);
    await asked;
    await vi.advanceTimersByTimeAsync(30_000);
    vi.useRealTimers();
    const { code, detail } = await problem;
    expect([code, detail]).toEqual(["image_not_fetched", expect.stringContaining("30 s")]);
  });

  test.each(["a lot", "", "-1", "1, 2"])("too many bytes, and a Content-Length of %j", async (declared) => {
    const bytes = new Uint8Array(MAX_IMAGE_BYTES + 1);
    const headers = { "Content-Length": declared };
    edge.sites.set(ADDRESS, () => new Response(new Response(bytes).body, { headers }));
    expect((await refused(ADDRESS)).code).toBe("image_too_many_bytes");
  });

  test("too many bytes, declared or not; the rest is not read", async () => {
    const declared = { "Content-Length": String(MAX_IMAGE_BYTES + 1) };
    edge.sites.set(ADDRESS, () => new Response(new Uint8Array(MAX_IMAGE_BYTES + 1), { headers: declared }));
    expect((await refused(ADDRESS)).code).toBe("image_too_many_bytes");

    let read = 0;
    let isCancelled = false;
    const endless = () =>
      new ReadableStream({
        type: "bytes",
        pull(controller) {
          read += 1_000_000;
          controller.enqueue(new Uint8Array(1_000_000));
        },
        cancel() {
          isCancelled = true;
        },
      });
    edge.sites.set(ADDRESS, () => new Response(endless()));
    expect((await refused(ADDRESS)).code).toBe("image_too_many_bytes");
    expect(isCancelled).toBe(true);
    expect(read).toBeLessThan(MAX_IMAGE_BYTES + 3_000_000);
  });

  test("invalid or unknown fields, before anything is fetched", async () => {
    edge.sites.set(ADDRESS, () => {
      throw new Error("Fetched.");
    });
    for (const body of [
      {},
      { image_url: 1 },
      { image_url: ADDRESS, max_features: "200" },
      { image_url: ADDRESS, nonsense: true },
      { image_url: ADDRESS, project_id: "none" },
    ]) {
      expect((await refusal(await submit(body))).code).toBe("invalid_input");
    }
    const other = await edge.fetch("/api/ar-content", {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "text/plain" },
    });
    expect((await refusal(other)).code).toBe("unsupported_media_type");
  });
});
