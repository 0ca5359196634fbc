/**
 * A server that misbehaves by a test's script. Every test gets an address of its own; the steps of its script
 * answer one request each, and the last step answers all further requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import type { FaultyStep, SeenRequest } from "./faulty.ts";

interface Script {
  readonly steps: FaultyStep[];
  readonly seen: SeenRequest[];
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scripts = new Map<string, Script>();
  const server = createServer(async (request, response) => {
    const [, id = "", rest] = /^\/([^/]*)(.*)$/.exec(request.url ?? "") ?? [];
    const script = scripts.get(id);
    if (script) return play(script, rest ?? "", request, response);
    if (request.method === "POST") scripts.set(id, { steps: JSON.parse(await textOf(request)), seen: [] });
    response.end();
  });
  server.on("connection", (socket) => socket.on("error", () => {}));
  // The log has a port of its own, so that a script can answer any path.
  const log = createServer((request, response) => {
    response.end(JSON.stringify(scripts.get(request.url?.slice(1) ?? "")?.seen ?? []));
  });
  project.provide("faultyServer", await listen(server));
  project.provide("faultyServerLog", await listen(log));
  return async () => {
    for (const each of [server, log]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function play(
  { steps, seen }: Script,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const step = steps[Math.min(seen.length, steps.length - 1)];
  const noted = { method: request.method ?? "", path, headers: request.headers, bytes: 0, whole: false };
  seen.push(noted);
  const { socket } = request;
  if (step.kind === "refusal") return answer(response, step);
  const most = step.kind === "cut" ? (step.afterBytes ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  try {
    for await (const chunk of request) {
      noted.bytes += chunk.length;
      if (noted.bytes >= most) break;
    }
  } catch {
    return;
  }
  noted.whole = request.complete;
  switch (step.kind) {
    case "cut":
      socket.destroy();
      return;
    case "silence":
      return;
    case "half": {
      const body = Buffer.from(step.body);
      response.writeHead(step.status ?? 200, { ...step.headers, "content-length": body.length + 1 });
      response.write(body);
      if (step.end === "cut") setImmediate(() => socket.end());
      return;
    }
    case "answer":
      answer(response, step);
  }
}

function answer(
  response: ServerResponse,
  { status = 200, headers = {}, body = "" }: Extract<FaultyStep, { kind: "answer" | "refusal" }>,
): void {
  const length = "transfer-encoding" in headers ? {} : { "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers });
  response.end(body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}
