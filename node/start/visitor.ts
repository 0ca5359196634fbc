/** A person at a browser: keeps cookies, and sends the origin of the platform's own pages. */
export class Visitor {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  get<T>(address: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.#request(address, { method: "GET", headers });
  }

  send<T>(
    method: string,
    address: string,
    body: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const type = { "Content-Type": "application/json" };
    return this.#request(address, { method, headers: { ...type, ...headers }, body: JSON.stringify(body) });
  }

  sendBytes<T>(method: string, address: string, type: string, bytes: Uint8Array): Promise<T> {
    return this.#request(address, {
      method,
      headers: { "Content-Type": type },
      body: new Uint8Array(bytes),
    });
  }

  sendForm<T>(method: string, address: string, form: FormData): Promise<T> {
    return this.#request(address, { method, body: form });
  }

  async #request<T>(address: string, init: RequestInit): Promise<T> {
    const headers = new Headers(init.headers);
    headers.set("Origin", this.#url);
    headers.set("Cookie", [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(this.#url + address, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      this.#cookies.set(name!, value!);
    }
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${init.method} ${address} was refused (${response.status}): ${text.slice(0, 500)}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}
