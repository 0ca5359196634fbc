// The memory of the Worker's isolate in the local workerd, asked through its inspector (Chrome DevTools Protocol).

type Reply = { readonly id?: number; readonly result?: Record<string, number>; readonly error?: unknown };

export class Isolate {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id === undefined) return;
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /**
   * Connects until `wrangler dev` ends: its inspector has one client at a time.
   *
   * @param inspector its origin
   */
  static async connect(inspector: string): Promise<Isolate> {
    const response = await fetch(`${inspector}/json`);
    const [{ webSocketDebuggerUrl }] = (await response.json()) as { webSocketDebuggerUrl: string }[];
    // wrangler lets only these origins in.
    const socket = new WebSocket(webSocketDebuggerUrl, { headers: { Origin: inspector } });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error(`Cannot connect to ${webSocketDebuggerUrl}.`)));
    });
    return new Isolate(socket);
  }

  /** Returns the bytes of its objects and buffers, with those that are no longer used but not freed yet. */
  async memory(): Promise<number> {
    const { usedSize, backingStorageSize } = await this.#ask("Runtime.getHeapUsage");
    return usedSize + backingStorageSize;
  }

  async #ask(method: string): Promise<Record<string, number>> {
    const id = ++this.#lastId;
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params: {} }));
    const { result, error } = await replied;
    if (!result) throw new Error(`${method} failed: ${JSON.stringify(error)}`);
    return result;
  }
}
