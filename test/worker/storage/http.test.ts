import { afterEach, describe, expect, it, vi } from "vitest";
import { StorageHttp, type StorageHttpOptions, type StorageRequest } from "../../../worker/storage/http.ts";
import { Patience, withPatience } from "../../../worker/storage/patience.ts";
import { StorageError } from "../../../worker/storage/provider.ts";
import { faulty } from "./servers/faulty.ts";

/** HTTP whose pauses take no time and are noted, with a random number that is always one half. */
function open(options: Partial<StorageHttpOptions> = {}) {
  const pauses: number[] = [];
  const http = new StorageHttp({
    checkAddress: () => {},
    sleep: async (milliseconds) => void pauses.push(milliseconds),
    random: () => 0.5,
    ...options,
  });
  return { http, pauses };
}

const get = (url: string, more: Partial<StorageRequest> = {}): StorageRequest => ({
  method: "GET",
  url: new URL(`${url}/a`),
  ...more,
});

const ok = { kind: "answer", body: "fine" } as const;
const busy = { kind: "answer", status: 503 } as const;

function chunks(count: number, size: number, end: "close" | "error" | "hang" = "close") {
  const state = { pulled: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (state.pulled < count) {
          state.pulled++;
          controller.enqueue(new Uint8Array(size));
        } else if (end === "close") controller.close();
        else if (end === "error") controller.error(new Error("the source broke"));
        else return new Promise(() => {});
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { state, stream };
}

describe("repeating", () => {
  it.each([429, 500, 502, 503, 504])("repeats a request after a %i", async (status) => {
    const server = await faulty({ kind: "answer", status }, { kind: "answer", status }, ok);
    const { http, pauses } = open();
    expect(await http.ask(get(server.url))).toMatchObject({ status: 200, text: "fine" });
    expect(pauses).toEqual([125, 250]);
    expect(await server.seen()).toHaveLength(3);
  });

  it.each([400, 403, 404, 409, 412, 416, 501, 507])(
    "does not repeat a request after a %i",
    async (status) => {
      const server = await faulty({ kind: "answer", status, body: "why" });
      expect(await open().http.ask(get(server.url))).toMatchObject({ status, text: "why" });
      expect(await server.seen()).toHaveLength(1);
    },
  );

  it("repeats any method after a status that means that the backend did nothing", async () => {
    const locked = { kind: "answer", status: 423 } as const;
    const server = await faulty(locked, locked, ok);
    const request = get(server.url, { method: "POST", refusals: [423] });
    expect(await open().http.ask(request)).toMatchObject({ status: 200 });
    const unsure = await faulty(busy, ok);
    const again = get(unsure.url, { method: "POST", refusals: [423] });
    expect(await open().http.ask(again)).toMatchObject({ status: 503 });
    const streamed = await faulty(locked, ok);
    const { stream } = chunks(1, 10);
    const once = get(streamed.url, { method: "PUT", body: { stream, length: 10 }, refusals: [423] });
    expect(await open().http.ask(once)).toMatchObject({ status: 423 });
  });

  it("returns the last response after four attempts", async () => {
    const server = await faulty(busy, busy, busy, { kind: "answer", status: 500, body: "last" }, ok);
    const { http, pauses } = open();
    expect(await http.ask(get(server.url))).toMatchObject({ status: 500, text: "last" });
    expect(pauses).toEqual([125, 250, 500]);
  });

  it("repeats a request with its whole body when the connection breaks", async () => {
    const server = await faulty({ kind: "cut" }, { kind: "cut", afterBytes: 100_000 }, ok);
    const request = get(server.url, { method: "PUT", body: new Uint8Array(300_000) });
    expect(await open().http.ask(request)).toMatchObject({ status: 200 });
    expect((await server.seen())[2]).toMatchObject({ bytes: 300_000, whole: true });
  });

  it("repeats a request whose response breaks off", async () => {
    const server = await faulty({ kind: "half", body: "fi", end: "cut" }, ok);
    expect(await open().http.ask(get(server.url))).toMatchObject({ text: "fine" });
  });

  it.each(["POST", "PATCH"] as const)("does not repeat a %s by default", async (method) => {
    const server = await faulty(busy, ok);
    expect(await open().http.ask(get(server.url, { method }))).toMatchObject({ status: 503 });
    const cut = await faulty({ kind: "cut" }, ok);
    await expect(open().http.ask(get(cut.url, { method }))).rejects.toMatchObject({ code: "unavailable" });
    expect(await cut.seen()).toHaveLength(1);
  });

  it("repeats a POST that is marked idempotent", async () => {
    const server = await faulty(busy, ok);
    const request = get(server.url, { method: "POST", idempotent: true, body: "x" });
    expect(await open().http.ask(request)).toMatchObject({ status: 200 });
  });

  it("never repeats a stream", async () => {
    const server = await faulty(busy, ok);
    const body = { stream: chunks(3, 10).stream, length: 30 };
    expect(await open().http.ask(get(server.url, { method: "PUT", body }))).toMatchObject({ status: 503 });
  });

  it("names the host that cannot be reached", async () => {
    const refused = open().http.ask(get("http://127.0.0.1:1"));
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toMatchObject({
      code: "unavailable",
      message: "127.0.0.1:1 cannot be reached, or closed the connection.",
    });
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  it.each([
    ["seconds", "7", 7125],
    ["a date", "Sun, 22 Nov 2026 12:00:09 GMT", 9125],
    ["a date gone by", "Sun, 22 Nov 2026 11:00:00 GMT", 125],
    ["nonsense", "soon", 125],
  ])("is waited for: %s", async (_name, retryAfter, pause) => {
    const server = await faulty({ kind: "answer", status: 429, headers: { "retry-after": retryAfter } }, ok);
    const { http, pauses } = open({ now: () => now });
    expect(await http.ask(get(server.url))).toMatchObject({ status: 200 });
    expect(pauses).toEqual([pause]);
  });

  it("is not waited for when it is long", async () => {
    const server = await faulty({ kind: "answer", status: 429, headers: { "retry-after": "16" } }, ok);
    const { http, pauses } = open();
    expect(await http.ask(get(server.url))).toMatchObject({ status: 429 });
    expect(pauses).toEqual([]);
  });
});

describe("silence", () => {
  const hasty = { silenceSeconds: 0.05 };
  const PATIENCE_MILLISECONDS = 30_000;

  afterEach(() => {
    vi.useRealTimers();
  });

  /** From here on only a test makes time pass. */
  const stopTime = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

  it("ends a request without a response, and each of its repetitions", async () => {
    const server = await faulty({ kind: "silence" });
    let asked = 0;
    const count = (url: string, init: RequestInit) => {
      asked++;
      return fetch(url, init);
    };
    await expect(open({ ...hasty, fetch: count }).http.ask(get(server.url))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("sent no data for more than 0.05 s."),
    });
    expect(asked).toBe(4);
  });

  it("ends a response that stops", async () => {
    stopTime();
    const server = await faulty({ kind: "half", body: "fi", end: "silence" });
    const answer = await open().http.open(get(server.url));
    const reader = answer.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("fi");
    const rest = expect(reader.read()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("sent no data for more than 30 s"),
    });
    await vi.advanceTimersByTimeAsync(PATIENCE_MILLISECONDS);
    await rest;
  });

  it("ends the upload of a stream that gets no response", async () => {
    const server = await faulty({ kind: "silence" });
    const body = { stream: chunks(3, 10).stream, length: 30 };
    const request = get(server.url, { method: "PUT", body });
    await expect(open(hasty).http.ask(request)).rejects.toThrow("sent no data");
  });

  it("does not count the time of a slow source", async () => {
    stopTime();
    const server = await faulty(ok);
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await vi.advanceTimersByTimeAsync(4 * PATIENCE_MILLISECONDS);
        if (++pulled > 2) controller.close();
        else controller.enqueue(new Uint8Array(10));
      },
    });
    const request = get(server.url, { method: "PUT", body: { stream, length: 20 } });
    expect(await open().http.ask(request)).toMatchObject({ status: 200 });
  });
});

describe("patience", () => {
  const counted = () => {
    const asked: string[] = [];
    const { http } = open({
      fetch: (url, init) => {
        asked.push(new URL(url).host);
        return fetch(url, init);
      },
    });
    return { http, asked };
  };

  it("ends all attempts of a request, and every later request to the same host", async () => {
    const server = await faulty({ kind: "silence" });
    const { http, asked } = counted();
    await withPatience(new Patience(0.05), async () => {
      await expect(http.ask(get(server.url))).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("sent no data for more than 0.05 s."),
      });
      expect(asked).toHaveLength(1);
      await expect(http.ask(get(server.url))).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("has not responded for 0.05 s."),
      });
      expect(asked).toHaveLength(1);
      // Another name is another host.
      const elsewhere = (await faulty(ok)).url.replace("127.0.0.1", "localhost");
      expect(await http.ask(get(elsewhere))).toMatchObject({ status: 200 });
    });
    const another = await faulty(ok);
    expect(await http.ask(get(another.url))).toMatchObject({ status: 200 });
  });

  it("ends a request that is known to need longer", async () => {
    const server = await faulty({ kind: "silence" });
    const { http, asked } = counted();
    const request = get(server.url, { method: "POST", body: "x", idempotent: true, silenceSeconds: 300 });
    await withPatience(new Patience(0.05), () => expect(http.ask(request)).rejects.toThrow("0.05 s"));
    expect(asked).toHaveLength(1);
  });

  it("ends a long body that the server does not read", async () => {
    const server = await faulty({ kind: "silence" });
    const request = get(server.url, { method: "PUT", body: new Uint8Array(8 * 2 ** 20) });
    const { http, asked } = counted();
    await withPatience(new Patience(0.5), () => expect(http.ask(request)).rejects.toThrow("0.5 s"));
    expect(asked).toHaveLength(1);
  });

  it("is not used up by a host that is slow but responds", async () => {
    const server = await faulty(ok);
    const { http, asked } = counted();
    const patience = new Patience(20);
    await withPatience(patience, async () => {
      for (let i = 0; i < 3; i++) await http.ask(get(server.url));
    });
    expect([asked.length, patience.left(new URL(server.url).host)]).toEqual([3, 20]);
  });

  it("includes the pauses between attempts", async () => {
    const server = await faulty({ kind: "answer", status: 429, headers: { "retry-after": "12" } });
    const { http, pauses } = open();
    const reply = await withPatience(new Patience(20), () => http.ask(get(server.url)));
    expect([reply.status, pauses]).toEqual([429, [12_125]]);
    const url = new URL(server.url);
    await withPatience(new Patience(1), async () => {
      await http.pause(url, 600);
      await expect(http.pause(url, 600)).rejects.toMatchObject({ code: "unavailable" });
    });
  });
});

describe("a stream", () => {
  it("is sent with its length", async () => {
    const server = await faulty(ok);
    const body = { stream: chunks(5, 100_000).stream, length: 500_000 };
    await open().http.ask(get(server.url, { method: "PUT", body }));
    const [seen] = await server.seen();
    expect(seen).toMatchObject({ bytes: 500_000, whole: true, headers: { "content-length": "500000" } });
    expect(seen.headers).not.toHaveProperty("transfer-encoding");
  });

  it.each([
    ["breaks", chunks(2, 10, "error"), "the source broke"],
    ["is too short", chunks(2, 10), "Expected 30 bytes, got 20."],
    ["is too long", chunks(4, 10), "Expected 30 bytes, got 40 or more."],
  ])(
    "that %s rejects with that reason, and its request is never whole",
    async (_name, { stream }, message) => {
      const server = await faulty(ok);
      const request = get(server.url, { method: "PUT", body: { stream, length: 30 } });
      await expect(open().http.ask(request)).rejects.toThrow(message);
      expect((await server.seen()).filter(({ whole }) => whole)).toEqual([]);
    },
  );

  it("is cancelled when the backend refuses before it has ended", async () => {
    const server = await faulty({ kind: "refusal", status: 403, body: "no" });
    const { state, stream } = chunks(1, 10, "hang");
    const request = get(server.url, { method: "PUT", body: { stream, length: 30 } });
    expect(await open().http.ask(request)).toMatchObject({ status: 403, text: "no" });
    expect(state.cancelled).toBe(true);
  });

  it("rejects with the backend's error when the connection breaks", async () => {
    const server = await faulty({ kind: "cut", afterBytes: 10 });
    // The last chunk waits for the one behind it.
    const { state, stream } = chunks(2, 10, "hang");
    const request = get(server.url, { method: "PUT", body: { stream, length: 30 } });
    await expect(open().http.ask(request)).rejects.toMatchObject({ code: "unavailable" });
    expect(state.cancelled).toBe(true);
  });
});

describe("a response", () => {
  it("breaks with the connection", async () => {
    const server = await faulty({ kind: "half", body: "fi", end: "cut" });
    const answer = await open().http.open(get(server.url));
    await expect(answer.text()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("closed the connection during its response"),
    });
  });

  it("of endless text is not read to the end", async () => {
    const { state, stream } = chunks(1000, 2 ** 20);
    const bytes = stream.pipeThrough(new FixedLengthStream(1000 * 2 ** 20));
    const { http } = open({ fetch: async () => new Response(bytes) });
    await expect(http.ask(get("http://storage.test"))).rejects.toThrow("more than 4 MB of text");
    expect(state.pulled).toBeLessThan(8);
  });

  it("takes little memory, however many requests wait for the rest of large texts", async () => {
    const cancelled: string[] = [];
    const stalled = (host: string) =>
      new ReadableStream<Uint8Array>({
        start: (stream) => stream.enqueue(new Uint8Array(3_000_000)),
        cancel: () => void cancelled.push(host),
      });
    const { http } = open({
      fetch: async (url) =>
        new Response(
          url.includes("small") ? "fine" : url.includes("other") ? "x".repeat(300_000) : stalled(url),
        ),
    });
    for (let i = 0; i < 20; i++) http.ask(get("http://hostile.test", { method: "POST" })).catch(() => {});
    await vi.waitFor(() => expect(cancelled).toHaveLength(18));
    expect((await http.ask(get("http://other.test"))).text).toHaveLength(300_000);
    expect((await http.ask(get("http://small.test"))).text).toBe("fine");
  });

  it("is not read for longer than 30 s, however often a byte arrives", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    let sent = 0;
    const trickle = new ReadableStream<Uint8Array>(
      {
        pull(stream) {
          vi.setSystemTime(Date.now() + 10_000);
          sent += 1;
          stream.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const { http } = open({ fetch: async () => new Response(trickle) });
    const asked = http.ask(get("http://slow.test", { method: "POST" }));
    await expect(asked).rejects.toThrow("slow.test did not send its response within 30 s.");
    expect(sent).toBeLessThan(10);
    vi.useRealTimers();
  });
});

describe("a redirect", () => {
  const to = (location: string, status = 302) => ({ kind: "answer", status, headers: { location } }) as const;

  it("is returned unless it may be followed", async () => {
    const server = await faulty(to("/elsewhere", 307));
    expect(await open().http.ask(get(server.url))).toMatchObject({ status: 307 });
    const put = get(server.url, { method: "PUT", maxRedirects: 3, body: "x" });
    expect(await open().http.ask(put)).toMatchObject({ status: 307 });
  });

  it("is followed after its address is checked, without the credentials", async () => {
    const there = await faulty(ok);
    // Another name is another origin.
    const elsewhere = there.url.replace("127.0.0.1", "localhost");
    const here = await faulty(to(`${elsewhere}/b?c=d`));
    const asked: string[] = [];
    const { http } = open({ checkAddress: ({ href }) => asked.push(href) });
    const headers = { Authorization: "secret", "X-Other": "kept" };
    const request = get(here.url, { headers, maxRedirects: 3 });
    expect(await http.ask(request)).toMatchObject({ status: 200, text: "fine" });
    expect(asked).toEqual([`${here.url}/a`, `${elsewhere}/b?c=d`]);
    const [seen] = await there.seen();
    expect(seen).toMatchObject({ path: "/b?c=d", headers: { "x-other": "kept" } });
    expect(seen.headers).not.toHaveProperty("authorization");
    expect((await here.seen())[0].headers).toMatchObject({ authorization: "secret" });
  });

  it("is followed with the credentials within an origin", async () => {
    const server = await faulty(ok);
    const here = await faulty(to(`${server.url}/b`));
    const headers = { Authorization: "secret" };
    await open().http.ask(get(here.url, { headers, maxRedirects: 1 }));
    expect((await server.seen())[0].headers).toMatchObject({ authorization: "secret" });
  });

  it("to a forbidden address is not followed", async () => {
    const forbidden = await faulty(ok);
    const here = await faulty(to(`${forbidden.url}/secret`));
    const { http } = open({
      checkAddress: ({ href }) => {
        if (href.startsWith(forbidden.url)) throw new StorageError("invalid_config", "No.");
      },
    });
    const refused = http.ask(get(here.url, { maxRedirects: 3 }));
    await expect(refused).rejects.toMatchObject({ code: "invalid_config" });
    expect(await forbidden.seen()).toEqual([]);
  });

  it("is followed a limited number of times", async () => {
    const server = await faulty(to("?again"));
    const refused = open().http.ask(get(server.url, { maxRedirects: 3 }));
    await expect(refused).rejects.toThrow("redirects more than 3 times");
    expect(await server.seen()).toHaveLength(4);
  });

  it("to an invalid address is an error", async () => {
    const server = await faulty(to("http://"));
    const refused = open().http.ask(get(server.url, { maxRedirects: 3 }));
    await expect(refused).rejects.toThrow("redirects to an invalid address");
  });
});

it("checks the first address too", async () => {
  const server = await faulty(ok);
  const { http } = open({
    checkAddress: () => {
      throw new StorageError("invalid_config", "No.");
    },
  });
  await expect(http.ask(get(server.url))).rejects.toMatchObject({ code: "invalid_config" });
  expect(await server.seen()).toEqual([]);
});
