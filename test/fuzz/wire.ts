import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";

export interface Request {
  readonly method: string;
  /** The raw path, including the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const SILENCE_MILLISECONDS = 60_000;
const MOST_CONNECTIONS = 16;

/** Sends requests unchanged, unlike `fetch`: paths are not normalised, and any header may be wrong. */
export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  readonly #port: number;

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** Sends a request. Returns null if the connection closes instead: HTTP allows it for invalid requests. */
  send({ method, path, headers, body }: Request): Promise<Answer | null> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.#port,
          agent: this.#agent,
          method,
          path,
          headers,
          timeout: SILENCE_MILLISECONDS,
        },
        (response) => void read(response).then(resolve, () => resolve(null)),
      );
      sent.on("timeout", () => {
        sent.destroy();
        reject(new Error(`No answer to ${method} ${path.slice(0, 300)}`));
      });
      sent.on("error", () => resolve(null));
      sent.end(body);
    });
  }

  /** Sends bytes that may be invalid HTTP. Returns what comes back until the server closes or falls silent. */
  raw(bytes: Buffer): Promise<string> {
    return new Promise((resolve) => {
      let text = "";
      const socket = connect(this.#port, "127.0.0.1", () => socket.end(bytes));
      socket.setTimeout(2_000, () => socket.destroy());
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => resolve(text));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode!,
    type: response.headers["content-type"] ?? "",
    text: Buffer.concat(chunks).toString("latin1"),
  };
}
