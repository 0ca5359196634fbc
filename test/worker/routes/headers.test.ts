import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, test } from "vitest";
import { Edge, form, ORIGIN, refusal } from "../edge.ts";
import { png, video } from "../fixtures.ts";

/** The deployed Worker with the built pages. */
const get = (path: string) => exports.default.fetch(`${ORIGIN}${path}`);

function policyOf(response: Response): Map<string, string> {
  const directives = response.headers.get("content-security-policy")?.split("; ") ?? [];
  return new Map(
    directives.map((directive) => [directive.split(" ")[0], directive.split(" ").slice(1).join(" ")]),
  );
}

function expectSealed({ headers }: Response): void {
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("strict-origin-when-cross-origin");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
}

test.each(["/projects", "/storage", "/content/7d2f6a52", "/setup"])(
  "%s: the studio's policy",
  async (path) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expectSealed(response);
    const policy = policyOf(response);
    expect(Object.fromEntries(policy)).toMatchObject({
      "default-src": "'none'",
      "script-src": "'self'",
      "worker-src": "'self'",
      "style-src": "'self'",
      "connect-src": "'self' https:",
      "base-uri": "'none'",
      "form-action": "'none'",
      "frame-ancestors": "'none'",
    });
    expect([...policy.values()].join(" ")).not.toMatch(/unsafe|\*/);
    expect(response.headers.get("permissions-policy")).toBe(
      "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    );
  },
);

test("/v/…: the viewer's policy, and the camera", async () => {
  const response = await get("/v/11111111-1111-4111-8111-111111111111");
  expect(response.status).toBe(200);
  expectSealed(response);
  expect(policyOf(response).get("frame-ancestors")).toBe("'none'");
  expect(response.headers.get("permissions-policy")).toBe(
    "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
  );
  const [, inPage] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(await response.text())!;
  expect(inPage).toContain("default-src 'none'; script-src 'self'; worker-src 'self';");
  expect(inPage).toContain("connect-src 'self';");
  expect(inPage).not.toMatch(/unsafe|\*|https:/);
});

describe("the API and its files", () => {
  let edge: Edge;
  let path: string;

  beforeAll(async () => {
    edge = new Edge();
    const { content } = await edge.submit();
    path = `/media/${content.unique_id}`;
    const attached = await edge.fetch(`/api/ar-content/${content.id}/video`, {
      method: "PUT",
      // The declared type must not matter.
      headers: { "Content-Type": "text/html", "Content-Length": "5000" },
      body: video("mp4"),
    });
    expect(attached.status).toBe(200);
  });

  it.each([
    ["/api/company", "application/json"],
    ["/api/none", "application/problem+json"],
    ["image", "image/png"],
    ["video", "video/mp4"],
  ])("%s: runs no scripts, and is %s", async (resource, type) => {
    const response = await edge.fetch(resource.startsWith("/") ? resource : `${path}/${resource}`);
    await response.arrayBuffer();
    expect(response.headers.get("content-type")).toMatch(new RegExp(`^${type.replace("+", "\\+")}`));
    expectSealed(response);
    const policy = policyOf(response);
    expect(policy.get("default-src")).toBe("'none'");
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect(policy.has("script-src")).toBe(false);
  });

  it.each([
    ["an SVG", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`],
    ["an SVG with a prologue", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`],
    ["a page", "<!doctype html><script>alert(1)</script>"],
  ])("%s is rejected as an image, whatever its name", async (_, text) => {
    const data = form({});
    data.set("image", new File([text], "portrait.png", { type: "image/png" }));
    const refused = await refusal(await edge.fetch("/api/ar-content", { method: "POST", body: data }));
    expect(refused.status).toBe(415);
    expect(["unsupported_format", "not_an_image"]).toContain(refused.code);
  });

  it("a page is rejected as a video", async () => {
    const { content } = await edge.submit({ image: png() });
    const body = "<!doctype html><script>alert(1)</script>";
    const headers = { "Content-Type": "video/mp4", "Content-Length": String(body.length) };
    const sent = await edge.fetch(`/api/ar-content/${content.id}/video`, { method: "PUT", headers, body });
    expect((await refusal(sent)).code).toBe("unsupported_video");
  });
});
