import { env, exports } from "cloudflare:workers";
import { eq } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { api } from "../../../worker/api.ts";
import { arContent, compileTasks } from "../../../worker/db/tables.ts";
import { ERRORS, Refusal } from "../../../worker/errors.ts";
import type { ArContent } from "../../../worker/schemas.ts";
import { Edge, form, json, refusal } from "../edge.ts";
import { mind, png } from "../fixtures.ts";

type Content = Record<string, { schema: unknown; examples?: Record<string, unknown> }>;

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: unknown }[];
  summary: string;
  tags: string[];
  security: object[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}
interface ApiDocument {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string }[];
  components: {
    schemas: Record<string, unknown>;
    examples: Record<string, { value: unknown }>;
    securitySchemes: Record<string, unknown>;
  };
}

describe("the API's document", async () => {
  const document = await new Edge().json<ApiDocument>("/api/openapi.json");
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );

  it("is OpenAPI 3.1 and names every operation once", () => {
    expect(document.openapi).toBe("3.1.0");
    // routes.test.ts lists the app's routes.
    const described = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } }).paths;
    const methodsOf = (paths: object) =>
      Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods)]);
    expect(methodsOf(document.paths)).toEqual(methodsOf(described ?? {}));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("describes every response, path parameter and upload", () => {
    for (const { path, method, parameters = [], responses, requestBody } of operations) {
      const where = `${method} ${path}`;
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((parameter) => parameter.in === "path");
      expect([where, declared.map(({ name }) => name)]).toEqual([where, inPath]);
      expect(declared.every(({ required }) => required)).toBe(true);
      if (method === "put") expect([where, requestBody !== undefined]).toEqual([where, true]);
      const statuses = Object.keys(responses).map(Number);
      expect([where, statuses.some((status) => status < 400)]).toEqual([where, true]);
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description).not.toBe("");
        if (Number(status) < 400 || (path === "/api/health" && status === "503")) continue;
        const { schema, examples } = content!["application/problem+json"];
        expect([where, status, schema]).toEqual([where, status, { $ref: "#/components/schemas/Problem" }]);
        const codes = /is (?:one of )?(.*)\.$/.exec(description)![1].split(", ");
        // test/worker/document/examples.test.ts lists the codes without an example.
        const recorded = codes.filter((code) => code in document.components.examples);
        expect([where, status, Object.keys(examples ?? {})]).toEqual([where, status, recorded]);
        for (const code of recorded) {
          expect(document.components.examples[code].value).toMatchObject({ code, status: Number(status) });
        }
      }
    }
  });

  it("gives every operation a group and security, and every JSON body an example", () => {
    for (const { path, method, tags, summary, security, requestBody, responses } of operations) {
      const where = `${method} ${path}`;
      expect([where, tags.length, summary.length > 0]).toEqual([where, 1, true]);
      expect(document.tags.map(({ name }) => name)).toContain(tags[0]);
      expect([where, security]).toEqual([where, expect.any(Array)]);
      for (const name of security.flatMap(Object.keys)) {
        expect(Object.keys(document.components.securitySchemes)).toContain(name);
      }
      const bodies = [requestBody, ...Object.values(responses)].map(
        (body) => body?.content?.["application/json"],
      );
      for (const body of bodies.filter((body) => body !== undefined)) {
        const name = String((body.schema as { $ref?: string }).$ref).replace("#/components/schemas/", "");
        const examples = { [name]: { $ref: `#/components/examples/${name}` } };
        expect([where, body.examples]).toEqual([where, examples]);
      }
    }
  });

  it("contains every component that it refers to", () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(20);
    for (const [, name] of references) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  it("lists for each status only the codes of that operation", () => {
    const said = (id: string, status: number) =>
      operations.find(({ operationId }) => operationId === id)?.responses[status].description;
    expect(said("takeLease", 409)).toBe(
      "Problem details; `code` is one of lease_held, nothing_to_compile, request_in_progress, response_not_kept, conflict.",
    );
    expect(said("putVideo", 415)).toBe("Problem details; `code` is unsupported_video.");
    expect(said("listArContent", 422)).toBe("Problem details; `code` is invalid_input.");
    expect(said("getArContent", 404)).toBe("Problem details; `code` is not_found.");
  });

  it("lists every error code", () => {
    const text = JSON.stringify(document);
    for (const [code, { status }] of Object.entries(ERRORS)) {
      if (status < 500) expect([code, text.includes(code)]).toEqual([code, true]);
    }
  });
});

describe("a response", async () => {
  const edge = new Edge();
  const document = await edge.json<ApiDocument>("/api/openapi.json");
  const definitions = JSON.stringify(document.components.schemas).replaceAll(
    "#/components/schemas/",
    "#/$defs/",
  );

  /** Asserts that a response matches a schema of the document. */
  function assertFits(name: string, answer: unknown) {
    const schema = z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: JSON.parse(definitions) });
    expect([name, schema.safeParse(answer).error?.issues ?? []]).toEqual([name, []]);
  }

  it("is null only where the document allows it", () => {
    for (const name of ["Progress", "Lease", "MarkerMetadata", "Executor"]) {
      const { type } = document.components.schemas[name] as { type: unknown };
      expect([name, type]).toEqual([name, name === "Executor" ? "string" : "object"]);
    }
    expect(() => assertFits("Executor", null)).toThrow();
    expect(() => assertFits("ArContent", {})).toThrow();
  });

  it("matches the document for pending, leased, ready and failed content", async () => {
    const pending = await edge.submit();
    const leased = await edge.submit({ compile: "browser" });
    const headers = { "Vivimark-Lease": leased.lease?.token ?? "" };
    const marker = `/api/ar-content/${leased.content.id}/marker`;
    const progress = json("POST", { stage: "match", done: 1, total: 2 }, headers);
    const prolonged = await edge.json(`${marker}/progress`, progress);
    const processing = await edge.content(leased.content.id);
    const ready = await edge.json<ArContent>(marker, {
      method: "PUT",
      body: form({ marker: mind() }),
      headers,
    });
    const failed = await edge.submit();
    await edge.db
      .update(compileTasks)
      .set({ state: "failed", errorCode: "too_few_features", errorMessage: "Too plain." })
      .where(eq(compileTasks.id, failed.task_id));
    await edge.db
      .update(arContent)
      .set({ markerStatus: "failed" })
      .where(eq(arContent.id, failed.content.id));
    const contents = [pending.content, processing, ready, await edge.content(failed.content.id)];
    expect(contents.map(({ marker_status: status }) => status)).toEqual([
      "pending",
      "processing",
      "ready",
      "failed",
    ]);
    for (const content of contents) {
      assertFits("ArContent", content);
      assertFits("CompileTask", await edge.json(`/api/tasks/${content.task_id}`));
      assertFits("CompileTaskList", await edge.json(`/api/ar-content/${content.id}/tasks`));
      assertFits("ViewerManifest", await edge.json(`/api/viewer/${content.unique_id}`));
    }
    for (const submission of [pending, leased]) assertFits("Submission", submission);
    assertFits("Lease", prolonged);
    assertFits("ArContentPage", await edge.json("/api/ar-content"));
    assertFits("ProjectList", await edge.json("/api/projects"));
    assertFits("Problem", await (await edge.fetch("/api/tasks/x")).json());
  });
});

describe("an unknown path", () => {
  it.each(["/api", "/api/nothing", "/media/x", "/api/ar-content/a/b/c"])(
    "%s returns a problem document",
    async (path) => {
      const problem = await refusal(await new Edge().fetch(path));
      expect([problem.status, problem.code]).toEqual([404, "not_found"]);
      expect(problem.type).toBe("urn:vivimark:error:not_found");
    },
  );

  it.each([
    ["POST", "/api/ar-content/x", "DELETE, GET, HEAD, PATCH"],
    ["PUT", "/api/ar-content", "GET, HEAD, POST"],
    ["GET", "/api/ar-content/x/marker", "PUT"],
    ["DELETE", "/api/health", "GET, HEAD"],
    ["POST", "/api/openapi.json", "GET, HEAD"],
    ["POST", "/media/x/image", "GET, HEAD"],
    ["POST", "/api/ar-content/x/qr.svg", "GET, HEAD"],
  ])("%s %s is not allowed: expected %s", async (method, path, allowed) => {
    const response = await new Edge().fetch(path, { method });
    expect(response.headers.get("allow")).toBe(allowed);
    const problem = await refusal(response);
    expect([problem.status, problem.code]).toEqual([405, "method_not_allowed"]);
    expect(problem.detail).toContain(`does not support ${method}; expected ${allowed}`);
  });

  it.each(["/assets/index-stale.js", "/assets/x", "/favicon.png", "/api/anything", "/content/x.js"])(
    "%s is not a page of the studio",
    async (path) => {
      expect((await refusal(await new Edge().fetch(path))).code).toBe("not_found");
      expect((await refusal(await new Edge().fetch(path, { method: "POST" }))).code).toBe("not_found");
    },
  );

  it.each(["/content/x", "/anything"])("%s is a page of the studio", async (path) => {
    expect(await (await new Edge().fetch(path)).text()).toBe("/");
  });

  it("may contain an overlong id", async () => {
    for (const path of ["/api/ar-content/", "/api/tasks/", "/api/viewer/"]) {
      expect((await refusal(await new Edge().fetch(path + "x".repeat(2000)))).code).toBe("not_found");
    }
    const media = `/media/${"x".repeat(2000)}/${"y".repeat(2000)}`;
    expect((await refusal(await new Edge().fetch(media))).detail.length).toBeLessThan(300);
  });

  it("is named in the error of missing content and tasks", async () => {
    const edge = new Edge();
    expect((await refusal(await edge.fetch("/api/ar-content/nobody"))).detail).toContain('"nobody"');
    expect((await refusal(await edge.fetch("/api/tasks/nothing"))).detail).toContain('"nothing"');
  });
});

describe("an error while the body is still arriving", async () => {
  const edge = new Edge();
  const { content } = await edge.submit();
  const path = `/api/ar-content/${content.id}`;

  /** Returns a body that arrives one megabyte at a time, and how much of it was read. */
  function arriving(megabytes: number, head = "") {
    const state = { read: 0, ended: false, cancelled: false };
    const body = new ReadableStream(
      {
        type: "bytes",
        pull(controller) {
          if (state.read === 0 && head) controller.enqueue(new TextEncoder().encode(head));
          if (state.read++ < megabytes) return controller.enqueue(new Uint8Array(1_000_000));
          state.ended = true;
          controller.close();
        },
        cancel: () => {
          state.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return { state, body };
  }
  const unknownField = '--b\r\nContent-Disposition: form-data; name="nope"\r\n\r\n1\r\n--b';
  const formType = "multipart/form-data; boundary=b";

  it.each([
    ["a form with an unknown field", "POST", "", formType, `${unknownField}\r\n`, 15, 422],
    ["a form with another boundary", "POST", "", "multipart/form-data; boundary=c", unknownField, 15, 400],
    ["no form", "POST", "", "text/plain", "", 15, 415],
    ["no archive", "POST", "/batch", "application/zip", "no archive", 15, 400],
    ["no video", "PUT", "/video", "video/mp4", "no video", 60, 415],
    ["no JSON", "PATCH", "", "application/json", "", 15, 413],
    ["something for nobody", "PUT", "/nothing", "text/plain", "", 15, 404],
  ])("is sent after the rest of %s", async (_name, method, below, type, head, megabytes, status) => {
    const { state, body } = arriving(megabytes, head);
    const length = String(head.length + megabytes * 1_000_000);
    const headers = { "Content-Type": type, "Content-Length": length };
    const address = `${method === "POST" ? "/api/ar-content" : path}${below}`;
    const problem = await refusal(await edge.fetch(address, { method, body, headers }));
    expect([problem.status, state.ended, state.cancelled]).toEqual([status, true, false]);
  });

  it("waits for a body of unknown length too, up to a limit", async () => {
    const headers = { "Content-Type": "application/json" };
    const { state, body } = arriving(15);
    const problem = await refusal(await edge.fetch(path, { method: "PATCH", body, headers }));
    expect([problem.code, state.ended]).toEqual(["body_too_large", true]);
    const endless = arriving(Number.POSITIVE_INFINITY);
    await refusal(await edge.fetch(path, { method: "PATCH", body: endless.body, headers }));
    expect(endless.state.read).toBeLessThan(25);
  });

  it("is sent at once if the declared length is far too large", async () => {
    const { state, body } = arriving(500);
    const headers = { "Content-Type": "video/mp4", "Content-Length": "500000000" };
    const problem = await refusal(await edge.fetch(`${path}/video`, { method: "PUT", body, headers }));
    expect([problem.code, state.read]).toEqual(["video_too_large", 0]);
  });
});

describe("an error message", async () => {
  const edge = new Edge();
  const { content, lease } = await edge.submit({ compile: "browser" });
  const path = `/api/ar-content/${content.id}`;
  const headers = { "Content-Type": "application/json", "Vivimark-Lease": lease?.token ?? "" };
  const send = async (method: string, address: string, body: BodyInit, more = {}) =>
    refusal(await edge.fetch(address, { method, body, headers: { ...headers, ...more } }));

  it.each([
    ["{title:", 'The body is "{title:"; expected a JSON object.'],
    ["", "The body is empty; expected a JSON object."],
  ])("names the body %o, which is not JSON", async (body, sentence) => {
    const problem = await send("PATCH", path, body);
    expect([problem.status, problem.code, problem.detail]).toEqual([400, "malformed_json", sentence]);
  });

  it("names a media type other than JSON", async () => {
    const problem = await send("PATCH", path, "{}", { "Content-Type": "text/plain" });
    expect(problem).toMatchObject({
      status: 415,
      detail: 'The Content-Type is "text/plain"; expected application/json.',
    });
  });

  it.each(["application/json ; charset=utf-8", "Application/JSON;charset=utf-8", "application/json;"])(
    "accepts JSON as %s",
    async (type) => {
      const init = { method: "PATCH", body: '{"title":"T"}', headers: { "Content-Type": type } };
      expect((await edge.fetch(path, init)).status).toBe(200);
    },
  );

  it("names the field, the expected and the received value", async () => {
    const whole = await send("POST", `${path}/marker/progress`, '{"stage":"match","done":1.5,"total":9}');
    expect(whole.detail).toBe('Field "done" of the body: expected int; received 1.5.');
    const missing = await send("POST", `${path}/marker/progress`, '{"stage":"match","done":1}');
    expect(missing.detail).toBe('Field "total" of the body: expected number; received nothing.');
    const over = await send("POST", `${path}/marker/progress`, '{"stage":"match","done":2,"total":1}');
    expect(over.detail).toBe('Field "done" of the body: expected at most "total"; received 2.');
    const bare = await refusal(await edge.fetch(`${path}/marker/lease`, { method: "DELETE" }));
    expect(bare.detail).toBe('Field "vivimark-lease" of the headers: expected string; received nothing.');
  });

  it.each(["constructor", "__proto__", "toString"])("reports the field %s as unknown", async (name) => {
    const body = `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n1\r\n--b--\r\n`;
    const problem = await send("POST", "/api/ar-content", body, {
      "Content-Type": "multipart/form-data; boundary=b",
    });
    expect(problem.detail).toMatch(`Unknown field "${name}"; expected "image"`);
  });

  it("contains the size of an upload", async () => {
    const problem = await send("POST", "/api/ar-content", "x", {
      "Content-Type": "multipart/form-data; boundary=b",
      "Content-Length": "25300000",
    });
    expect(problem.detail).toBe("The upload is 25.3 MB; expected a file of at most 20 MB.");
  });

  it.each(["multipart/form-datax; boundary=b", "multipart/mixed; boundary=b"])(
    "rejects the media type %s",
    async (type) => {
      expect((await send("POST", "/api/ar-content", "x", { "Content-Type": type })).status).toBe(415);
      expect((await send("PUT", `${path}/marker`, "x", { "Content-Type": type })).status).toBe(415);
    },
  );

  it.each(["0x64", "1e3", " 100 ", "+100", ""])(
    "rejects the number %o, which is not in decimal digits",
    async (text) => {
      const listed = await edge.fetch(`/api/ar-content?limit=${encodeURIComponent(text)}`);
      expect((await refusal(listed)).detail).toMatch(/^Field "limit" of the query: expected a whole number/);
      if (text === "") return;
      const body = new FormData();
      body.set("max_features", text);
      body.set("image", new Blob([png()]), "a.png");
      const problem = await refusal(await edge.fetch("/api/ar-content", { method: "POST", body }));
      expect(problem.detail).toMatch(/^Field "max_features" of the form: expected a whole number/);
    },
  );

  it("is not sent for a missing optional body", async () => {
    const again = await edge.fetch(`${path}/marker/recompile`, { method: "POST", body: "", headers });
    expect(again.status).toBe(200);
  });
});

describe("an internal error", () => {
  it("reveals no details", async () => {
    const noted = vi.spyOn(console, "error").mockImplementation(() => {});
    const db = {
      select() {
        throw new Error("password=hunter2");
      },
    };
    const response = await new Edge().fetch(`/api/viewer/${crypto.randomUUID()}`, {}, { db: db as never });
    const problem = await refusal(response);
    expect([problem.status, problem.code]).toEqual([500, "internal_error"]);
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    expect(noted).toHaveBeenCalledOnce();
    noted.mockRestore();
  });
});

describe("health", () => {
  it("is ok if every dependency responds, and names the one that does not", async () => {
    const edge = new Edge();
    const good = async () => {};
    const dependencies = { database: good, storage: good };
    const ok = await edge.fetch("/api/health", {}, { dependencies });
    expect(ok.status).toBe(200);
    expect(await ok.json()).toEqual({
      status: "ok",
      dependencies: {
        database: { ok: true, milliseconds: 0 },
        storage: { ok: true, milliseconds: 0 },
        public_url: { ok: true, milliseconds: 0 },
      },
    });
    const noted = vi.spyOn(console, "error").mockImplementation(() => {});
    const bad = () => Promise.reject(new Error("no route to host"));
    const degraded = await edge.fetch(
      "/api/health",
      {},
      { dependencies: { ...dependencies, compiler: bad } },
    );
    expect(degraded.status).toBe(503);
    // The error's message is for the operator only.
    expect(await degraded.json()).toEqual({
      status: "degraded",
      dependencies: {
        database: { ok: true, milliseconds: 0 },
        storage: { ok: true, milliseconds: 0 },
        compiler: { ok: false, milliseconds: 0 },
        public_url: { ok: true, milliseconds: 0 },
      },
    });
    expect(JSON.parse(noted.mock.calls[0][0])).toMatchObject({
      dependency: "compiler",
      error: { message: "no route to host" },
    });
    noted.mockRestore();
  });

  it("names a setting that is missing", async () => {
    const noted = vi.spyOn(console, "error").mockImplementation(() => {});
    const compiler = () => Promise.reject(new Refusal("compiler_missing", "Set COMPILER_URL."));
    const degraded = await new Edge().fetch("/api/health", {}, { dependencies: { compiler } });
    expect(await degraded.json()).toMatchObject({
      dependencies: { compiler: { ok: false, detail: "Set COMPILER_URL." } },
    });
    noted.mockRestore();
  });
});

describe("the deployed Worker", () => {
  const fetch = (path: string) => exports.default.fetch(`http://edge.test${path}`);
  const asset = (path: string) => env.ASSETS.fetch(`http://edge.test${path}`);

  it("checks the real dependencies; the compiler is down and PUBLIC_URL is missing here", async () => {
    const response = await fetch("/api/health");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      dependencies: {
        database: { ok: true },
        storage: { ok: true },
        queue: { ok: true },
        compiler: { ok: false },
        public_url: { ok: false },
      },
    });
  });

  it("leads from /api/docs to the reference, a page of the studio", async () => {
    const response = await exports.default.fetch("http://edge.test/api/docs", { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([302, "/reference"]);
    const page = await fetch("/reference");
    expect([page.status, await page.text()]).toEqual([200, await (await asset("/")).text()]);
  });

  it("serves no file at a stale URL, and the studio at a page's URL", async () => {
    const stale = await asset("/assets/index-stale.js");
    expect([stale.status, await stale.text()]).toEqual([404, ""]);
    const page = await fetch("/content/x");
    expect([page.status, await page.text()]).toEqual([200, await (await asset("/")).text()]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("serves the viewer at a photo's link", async () => {
    const viewer = await fetch(`/v/${crypto.randomUUID()}`);
    expect(viewer.status).toBe(200);
    expect(viewer.headers.get("content-type")).toContain("text/html");
    // No photo is there to fill the properties in, and the texts in other languages are not linked.
    const withoutEmpty = (page: string) =>
      page.replace(
        /<meta property="[^"]*" content="" ?\/?>|<link rel="modulepreload" hreflang="(?!en)[^>]*>/g,
        "",
      );
    const page = await viewer.text();
    expect(page).toBe(withoutEmpty(await (await asset("/viewer")).text()));
    expect(page).not.toBe(await (await asset("/")).text());
  });
});
