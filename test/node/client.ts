// A caller of the compile service, like the Worker.

import { type MultipartPart, parseMultipartStream } from "@remix-run/multipart-parser";

export const SECRET = "a secret of the tests, long enough to start";

export interface Compilation {
  readonly status: number;
  readonly headers: Headers;
  /** The parts, one after another, as they arrive. */
  readonly parts: AsyncGenerator<MultipartPart, void, unknown>;
  /** Hangs up. */
  abort(): void;
}

/** Posts an image and returns the answer as soon as it begins. */
export async function post(
  url: string,
  image: Uint8Array | string,
  {
    secret = SECRET,
    path = "/compile",
    query = "",
    headers = {},
  }: { secret?: string; path?: string; query?: string; headers?: Record<string, string> } = {},
): Promise<Compilation> {
  const controller = new AbortController();
  const response = await fetch(`${url}${path}${query}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${secret}`, ...headers },
    body: typeof image === "string" ? image : new Uint8Array(image),
    signal: controller.signal,
  });
  return {
    status: response.status,
    headers: response.headers,
    parts: partsOf(response),
    abort: () => controller.abort(),
  };
}

/** Keeps the response, too: the body of one that is garbage collected unread is cancelled. */
async function* partsOf(response: Response): Compilation["parts"] {
  const boundary = /boundary=(.+)$/.exec(response.headers.get("content-type") ?? "")?.[1] ?? "";
  yield* parseMultipartStream(response.body as ReadableStream<Uint8Array>, { boundary, maxFileSize: 30e6 });
}

/** Returns a refusal that comes before any work. */
export async function refusal(url: string, init: RequestInit & { path?: string }) {
  const { path = "/compile", ...rest } = init;
  const response = await fetch(`${url}${path}`, rest);
  return { status: response.status, headers: response.headers, problem: (await response.json()) as Problem };
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
}

/** Reads an answer to its end. */
export async function readAll(compilation: Compilation): Promise<MultipartPart[]> {
  const parts: MultipartPart[] = [];
  for await (const part of compilation.parts) parts.push(part);
  return parts;
}

/** Reads an answer that consists of progress and one problem, and returns the problem. */
export async function problemIn(compilation: Compilation): Promise<Problem> {
  const rest = (await readAll(compilation)).filter((part) => part.name !== "progress");
  if (rest.length !== 1 || rest[0].name !== "problem") {
    throw new Error(`The answer has ${rest.map((part) => part.name).join(", ")}.`);
  }
  return JSON.parse(rest[0].text);
}
