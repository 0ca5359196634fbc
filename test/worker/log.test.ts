import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../worker/index.ts";
import { logFailure, redacted } from "../../worker/log.ts";
import { Browser, setUp } from "./browser.ts";
import { Edge, refusal } from "./edge.ts";

interface Line {
  readonly event: string;
  readonly level: string;
  readonly request_id?: string;
  readonly error?: {
    readonly message: string;
    readonly at: readonly string[];
    readonly cause?: { message: string };
  };
}

let edge: Edge;
let written: string[];

const lines = (event: string) =>
  written.map((text): Line => JSON.parse(text)).filter((line) => line.event === event);

beforeEach(() => {
  edge = new Edge();
  edge.clock = Date.now();
  written = [];
  for (const level of ["log", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((text) => void written.push(text));
  }
});

afterEach(() => void vi.restoreAllMocks());

/** Returns a database in which reading fails. */
async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
  await env.DB.exec(`ALTER TABLE ${table} RENAME TO away`);
  try {
    return await work();
  } finally {
    await env.DB.exec(`ALTER TABLE away RENAME TO ${table}`);
  }
}

describe("the id of a request", () => {
  it("is the client's own in responses, errors and the log", async () => {
    const headers = { "X-Request-Id": "order-17_b=" };
    const response = await edge.fetch("/api/ar-content/none", { headers });
    expect(response.headers.get("x-request-id")).toBe("order-17_b=");
    expect((await refusal(response)).request_id).toBe("order-17_b=");
    expect(lines("request")).toMatchObject([{ request_id: "order-17_b=", code: "not_found" }]);
  });

  it.each(["", "two words", "x".repeat(65), "<script>", 'a"b'])("replaces %j", async (sent) => {
    const response = await edge.fetch("/api/company", { headers: { "X-Request-Id": sent } });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it.each([
    ["a page", "/nowhere", 200],
    ["a missing file", "/nowhere.js", 404],
    ["a method that is not known", "/api/health", 405],
    ["a body that is not JSON", "/api/projects", 415],
    ["a visitor without a key", "/api/auth/get-session", 200],
  ])("is returned with %s", async (_, path, status) => {
    const method = status === 405 ? "DELETE" : status === 415 ? "POST" : "GET";
    const response = await edge.fetch(path, { method });
    expect(response.status).toBe(status);
    const id = response.headers.get("x-request-id");
    expect(id).not.toBeNull();
    if (status >= 400) expect((await refusal(response)).request_id).toBe(id);
  });
});

describe("a log line", () => {
  it("contains the route, the caller and the result", async () => {
    await edge.fetch("/api/ar-content/a-secret-id/tasks?cursor=a-secret");
    const [line] = lines("request");
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: "info",
      event: "request",
      request_id: expect.any(String),
      company_id: (await edge.store()).company.id,
      actor: { kind: "key", id: "key" },
      code: "not_found",
      method: "GET",
      path: "/api/ar-content/:id/tasks",
      status: 404,
      ms: expect.any(Number),
    });
    expect(written.join()).not.toContain("a-secret");
  });

  it("contains the person of a session, and each path of better-auth", async () => {
    const browser = (await setUp(edge))!;
    await browser.fetch("/api/company");
    await browser.fetch("/api/auth/get-session");
    await browser.fetch("/api/auth/a-secret-path");
    const [, , company, session, unknown] = lines("request");
    expect(company).toMatchObject({
      path: "/api/company",
      actor: { kind: "person" },
      company_id: expect.any(String),
    });
    expect(session).toMatchObject({ path: "/api/auth/get-session", status: 200 });
    expect(unknown).toMatchObject({ path: "/api/auth/*", status: 404 });
    expect(company).not.toHaveProperty("code");
  });

  it("keeps concurrent requests apart", async () => {
    const paths = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? "/api/company" : "/api/projects/none"));
    const ids = await Promise.all(
      paths.map(async (path) => (await edge.fetch(path)).headers.get("x-request-id")),
    );
    const noted = new Map(lines("request").map((line) => [line.request_id, line]));
    for (const [i, id] of ids.entries()) {
      const path = i % 2 === 0 ? "/api/company" : "/api/projects/:id";
      expect(noted.get(id!)).toMatchObject({ path, status: i % 2 === 0 ? 200 : 404 });
    }
  });

  it("reports an internal error with the request's id, without query parameters", async () => {
    const browser = new Browser(edge);
    const signed =
      (await setUp(edge)) ??
      (await Browser.signedIn(edge, { email: "ada@example.net", password: "a password of Ada's" }));
    for (const [name, value] of signed.cookies) browser.cookies.set(name, value);
    const token = decodeURIComponent([...browser.cookies.values()][0]).split(".")[0];
    const response = await without("sessions", () => browser.fetch("/api/company"));
    const problem = await refusal(response);
    expect([problem.status, problem.code]).toEqual([500, "internal_error"]);
    expect(problem.detail).toContain(problem.request_id);
    const [failure] = lines("failure");
    expect(failure).toMatchObject({ level: "error", request_id: problem.request_id });
    expect(failure.error!.message).toMatch(/^Failed query: select .* from "sessions"/);
    expect(failure.error!.cause!.message).toContain("no such table");
    expect(failure.error!.at.length).toBeGreaterThan(0);
    expect(token.length).toBeGreaterThan(20);
    expect(written.join()).not.toContain(token);
  });

  it("reports a queue message that could not be handled", async () => {
    const body = { content_id: "7", generation: 3 };
    const message = { body, ack: vi.fn(), retry: vi.fn() };
    const batch = { queue: "vivimark-compile", messages: [message] };
    await without("compile_tasks", () => worker.queue(batch as never, env));
    expect(message.retry).toHaveBeenCalledOnce();
    expect(lines("failure")).toMatchObject([{ message: body, error: { cause: {} } }]);
  });

  it("reports a sweep that failed", async () => {
    const swept = without("compile_tasks", () => worker.scheduled({} as never, env));
    await expect(swept).rejects.toThrow(/^1 of \d+ steps of the sweep failed\.$/);
    expect(lines("failure")).toMatchObject([
      { job: "sweep", step: "compilations", error: { message: expect.stringMatching(/^Failed query/) } },
    ]);
  });
});

it.each([
  ["https://s3.example.net/b/k?X-Amz-Signature=abc failed", "https://s3.example.net/b/k?… failed"],
  ["see http://localhost/setup#abc", "see http://localhost/setup?…"],
  ["Authorization: Bearer abc.def, next", "Authorization: Bearer …, next"],
  ["OAuth y0_abc", "OAuth …"],
  ["vivi_0123456789 and whsec_ab+/=", "vivi_… and whsec_…"],
  ["a plain sentence?", "a plain sentence?"],
])("%j is written as %j", (text, expected) => {
  expect(redacted(text)).toBe(expected);
  const error = new TypeError(text, { cause: new Error(text) });
  logFailure("Something went wrong", error);
  const [{ error: told }] = lines("failure");
  expect(told).toMatchObject({ name: "TypeError", message: expected, cause: { message: expected } });
  if (text !== expected) expect(written[0]).not.toContain(text);
});
