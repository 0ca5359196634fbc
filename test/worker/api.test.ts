import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { MEANINGS } from "../../worker/errors.ts";
import { Edge, refusal } from "./edge.ts";

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: unknown }[];
  requestBody?: { content: Record<string, { schema: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
interface ApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

describe("the API's document", async () => {
  const document = await new Edge().json<ApiDocument>("/api/openapi.json");
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );

  it("is OpenAPI 3.1 and names every operation once", () => {
    expect(document.openapi).toBe("3.1.0");
    const names = operations.map(({ method, path }) => `${method} ${path}`).sort();
    expect(names).toEqual([
      "delete /api/ar-content/{id}",
      "delete /api/ar-content/{id}/marker/lease",
      "delete /api/ar-content/{id}/video",
      "get /api/ar-content",
      "get /api/ar-content/{id}",
      "get /api/ar-content/{id}/qr.svg",
      "get /api/ar-content/{id}/tasks",
      "get /api/health",
      "get /api/projects",
      "get /api/tasks/{task_id}",
      "get /api/viewer/{unique_id}",
      "get /media/{unique_id}/{kind}",
      "patch /api/ar-content/{id}",
      "post /api/ar-content",
      "post /api/ar-content/{id}/marker/lease",
      "post /api/ar-content/{id}/marker/progress",
      "post /api/ar-content/{id}/marker/recompile",
      "put /api/ar-content/{id}/marker",
      "put /api/ar-content/{id}/video",
    ]);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("describes every answer, parameter of a path, and upload", () => {
    for (const { path, method, parameters = [], responses, requestBody } of operations) {
      const where = `${method} ${path}`;
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((parameter) => parameter.in === "path");
      expect([where, declared.map(({ name }) => name)]).toEqual([where, inPath]);
      expect(declared.every(({ required }) => required)).toBe(true);
      if (method === "put") expect([where, requestBody !== undefined]).toEqual([where, true]);
      const statuses = Object.keys(responses).map(Number);
      expect([where, statuses.some((status) => status < 300)]).toEqual([where, true]);
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description).not.toBe("");
        if (Number(status) >= 400 && path !== "/api/health") {
          expect([where, status, content]).toEqual([
            where,
            status,
            { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
          ]);
        }
      }
    }
  });

  it("has every component that it refers to", () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, name] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it("names every code that a request can be refused with", () => {
    const text = JSON.stringify(document);
    for (const [code, { status }] of Object.entries(MEANINGS)) {
      if (status < 500) expect([code, text.includes(code)]).toEqual([code, true]);
    }
  });
});

describe("an address that leads nowhere", () => {
  it.each(["/api", "/api/nothing", "/media/x", "/api/ar-content/a/b/c"])("%s is a problem", async (path) => {
    const problem = await refusal(await new Edge().fetch(path));
    expect([problem.status, problem.code]).toEqual([404, "not_found"]);
    expect(problem.type).toBe("urn:vivimark:error:not_found");
  });

  it("of content or a task says which", async () => {
    const edge = new Edge();
    expect((await refusal(await edge.fetch("/api/ar-content/nobody"))).detail).toContain('"nobody"');
    expect((await refusal(await edge.fetch("/api/tasks/nothing"))).detail).toContain('"nothing"');
  });
});

describe("an error of ours", () => {
  it("tells nothing of its inside", async () => {
    const noted = vi.spyOn(console, "error").mockImplementation(() => {});
    const db = {
      select() {
        throw new Error("password=hunter2");
      },
    };
    const response = await new Edge().fetch("/api/viewer/x", {}, { db: db as never });
    const problem = await refusal(response);
    expect([problem.status, problem.code]).toEqual([500, "internal_error"]);
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    expect(noted).toHaveBeenCalledOnce();
    noted.mockRestore();
  });
});

describe("health", () => {
  it("is good when each dependency answers, and names the one that does not", async () => {
    const edge = new Edge();
    const good = async () => {};
    const dependencies = { database: good, storage: good };
    const ok = await edge.fetch("/api/health", {}, { dependencies });
    expect(ok.status).toBe(200);
    expect(await ok.json()).toEqual({
      status: "ok",
      dependencies: { database: { ok: true, milliseconds: 0 }, storage: { ok: true, milliseconds: 0 } },
    });
    const bad = () => Promise.reject(new Error("no route to host"));
    const degraded = await edge.fetch(
      "/api/health",
      {},
      { dependencies: { ...dependencies, compiler: bad } },
    );
    expect(degraded.status).toBe(503);
    expect(await degraded.json()).toMatchObject({
      status: "degraded",
      dependencies: { database: { ok: true }, compiler: { ok: false, error: "no route to host" } },
    });
  });
});

describe("the Worker as it is deployed", () => {
  const fetch = (path: string) => exports.default.fetch(`http://edge.test${path}`);
  const asset = (path: string) => env.ASSETS.fetch(`http://edge.test${path}`);

  it("checks the real dependencies: all but the compiler, which is down here", async () => {
    const response = await fetch("/api/health");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      dependencies: {
        database: { ok: true },
        storage: { ok: true },
        queue: { ok: true },
        compiler: { ok: false },
      },
    });
  });

  it("has its docs and everything that they load on its own origin", async () => {
    const response = await fetch("/api/docs");
    expect(response.headers.get("content-type")).toContain("text/html");
    const policy = response.headers.get("content-security-policy") ?? "";
    const page = await response.text();
    const nonce = page.match(/<script nonce="([^"]+)">/)?.[1];
    expect(policy).toContain(`'nonce-${nonce}'`);
    const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(loaded).toEqual(["/swagger-ui/swagger-ui.css", "/swagger-ui/swagger-ui-bundle.js"]);
    for (const address of loaded) {
      const file = await asset(address);
      expect([address, file.status]).toEqual([address, 200]);
      expect(file.headers.get("content-type")).toMatch(address.endsWith(".css") ? /css/ : /javascript/);
      await file.body?.cancel();
    }
  });

  it("serves the viewer's page at a photo's link", async () => {
    const viewer = await fetch(`/v/${crypto.randomUUID()}`);
    expect(viewer.status).toBe(200);
    expect(viewer.headers.get("content-type")).toContain("text/html");
    const page = await viewer.text();
    expect(page).toBe(await (await asset("/viewer")).text());
    expect(page).not.toBe(await (await asset("/")).text());
  });
});
