// A web shop's server that receives webhooks, keeps the requests, and answers with the status that a test sets.

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class Receiver {
  readonly url: string;
  readonly received: Received[] = [];
  /** The status of the next answers. */
  status = 200;
  /** Whether it keeps requests open without a response. */
  isSilent = false;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.url = `http://127.0.0.1:${port}/hook`;
    this.#close = close;
  }

  static async start(): Promise<Receiver> {
    const server = createServer(async (request, response) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      receiver.received.push({ headers, body: await textOf(request) });
      if (receiver.isSilent) return;
      response.writeHead(receiver.status).end(`Status ${receiver.status}.`);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const receiver = new Receiver((server.address() as AddressInfo).port, () => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  close(): void {
    this.#close();
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
