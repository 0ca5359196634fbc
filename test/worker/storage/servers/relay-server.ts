/** Relays to other servers that a test can interrupt. Every relay is a port that forwards to its target. */
import { createServer, type IncomingMessage } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import type { TestProject } from "vitest/node";
import type { RelayOrder } from "./relay.ts";

class Line {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #isDown = false;
  /** Bytes to the target until all connections break; null for never. */
  #left: number | null = null;

  constructor(host: string, port: number) {
    this.#server = createTcpServer((near) => {
      if (this.#isDown) return near.destroy();
      const far = connect(port, host);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      near.on("data", (bytes) => this.#pass(bytes));
      near.pipe(far);
      far.pipe(near);
      return near;
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  obey(order: RelayOrder): void {
    this.#isDown = order.kind === "down";
    this.#left = order.kind === "cut" ? order.afterBytes : null;
    if (order.kind !== "cut") this.#break();
  }

  close(): void {
    this.#break();
    this.#server.close();
  }

  #pass(bytes: Buffer): void {
    if (this.#left === null) return;
    this.#left -= bytes.length;
    if (this.#left > 0) return;
    this.#left = null;
    this.#break();
  }

  #break(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const lines = new Map<string, Line>();
  const control = createServer(async (request, response) => {
    const body = JSON.parse(await textOf(request));
    const port = request.url?.slice(1) ?? "";
    if (port === "") {
      const line = new Line(body.host, body.port);
      const opened = await line.listen();
      lines.set(String(opened), line);
      response.end(String(opened));
    } else {
      lines.get(port)?.obey(body);
      response.end();
    }
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("relayControl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return () => {
    for (const line of lines.values()) line.close();
    control.closeAllConnections();
    control.close();
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}
