import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "../../../../client/client.ts";
import { messageOf, retryTimeOf, Unreachable } from "../../../../web/studio/api/errors.ts";
import { apiError } from "../api-error.ts";

let api: typeof import("../../../../web/studio/api/client.ts");
const fetched = vi.fn<(request: Request) => Promise<Response>>();

beforeAll(async () => {
  vi.stubGlobal("location", new URL("https://vivimark.example/storage"));
  vi.stubGlobal("fetch", fetched);
  api = await import("../../../../web/studio/api/client.ts");
});

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-03-01T12:00:00Z") });
});

afterEach(() => {
  fetched.mockReset();
  vi.useRealTimers();
});

const problem = (status: number, code: string, headers = {}) =>
  new Response(JSON.stringify({ code, status, detail: `The detail of ${code}.` }), {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });

it("calls the API at the page's origin", async () => {
  fetched.mockResolvedValue(Response.json({ items: [] }));
  await api.vivimark.call("GET /api/webhooks");
  expect(fetched.mock.calls[0][0].url).toBe("https://vivimark.example/api/webhooks");
});

it("repeats a rate-limited read, but not a rate-limited change", async () => {
  fetched.mockResolvedValueOnce(problem(429, "too_many_requests", { "Retry-After": "7" }));
  fetched.mockResolvedValueOnce(Response.json({ items: [] }));
  const reading = api.vivimark.call("GET /api/projects");
  await vi.advanceTimersByTimeAsync(7_000);
  expect(await reading).toEqual({ items: [] });

  fetched.mockResolvedValueOnce(problem(429, "too_many_requests", { "Retry-After": "7" }));
  const change = api.vivimark.call("POST /api/projects", { body: { name: "A" } });
  await expect(change).rejects.toMatchObject({ code: "too_many_requests", retryAfterSeconds: 7 });
  expect(fetched).toHaveBeenCalledTimes(3);
});

it.each([502, 503, 504])(
  "reports a proxy's answer of %i as unreachable, and the API's own as an error",
  async (status) => {
    fetched.mockResolvedValueOnce(new Response("<h1>Bad gateway</h1>", { status }));
    await expect(api.vivimark.call("GET /api/me")).rejects.toThrow(Unreachable);
    fetched.mockResolvedValueOnce(problem(status, "storage_unavailable"));
    await expect(api.vivimark.call("GET /api/me")).rejects.toThrow(ApiError);
  },
);

it("waits as long as a proxy's rate limit asks", async () => {
  const refused = new Response("Slow down", { status: 429, headers: { "Retry-After": "20" } });
  fetched.mockResolvedValueOnce(refused);
  const change = api.vivimark.call("POST /api/projects", { body: { name: "A" } });
  const error = await change.catch((reason) => reason);
  expect(retryTimeOf(error)).toBe(Date.parse("2026-03-01T12:00:20Z"));
});

it("reports a request without an answer as unreachable, and an aborted one by its reason", async () => {
  fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  await expect(api.vivimark.call("GET /api/me")).rejects.toThrow(Unreachable);
  const leaving = new AbortController();
  leaving.abort(new Error("left"));
  fetched.mockRejectedValueOnce(new DOMException("aborted", "AbortError"));
  await expect(api.vivimark.call("GET /api/me", { signal: leaving.signal })).rejects.toThrow("left");
});

it("notices that the session has ended", async () => {
  const onEnd = vi.spyOn(api.sessionEnded, "onEnd");
  fetched.mockResolvedValueOnce(problem(403, "forbidden"));
  await expect(api.vivimark.call("GET /api/me")).rejects.toThrow();
  expect(onEnd).not.toHaveBeenCalled();
  fetched.mockResolvedValueOnce(problem(401, "unauthenticated"));
  await expect(api.vivimark.call("GET /api/me")).rejects.toThrow();
  expect(onEnd).toHaveBeenCalledTimes(1);
});

it("names times as the page does", () => {
  const limited = apiError("too_many_requests", 429, "Try again in 40 s.", { retryAfterSeconds: 40 });
  expect(retryTimeOf(limited)).toBe(Date.parse("2026-03-01T12:00:40Z"));
  expect(messageOf(limited)).toMatch(/^Rate limit reached\. Try again at \d+:00:40\s[AP]M\.$/);
  const tries = apiError("too_many_attempts", 429, "Try again in 60 s.", { retryAfterSeconds: 60 });
  expect(messageOf(tries)).toMatch(/^Too many attempts\. Try again at /);
  const quota = apiError("quota_exceeded", 403, "The quota resets at 2026-03-02T00:00:00.000Z.");
  expect(messageOf(quota)).toMatch(/^The quota resets at Mar \d, 2026, \d+:00\s[AP]M\.$/);
  expect(retryTimeOf(quota)).toBeNull();
});
