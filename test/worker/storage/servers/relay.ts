import { inject } from "vitest";

export type RelayOrder =
  /** Breaks all connections, also new ones. */
  | { readonly kind: "down" }
  | { readonly kind: "up" }
  /** Breaks all connections once, after this many bytes to the target. */
  | { readonly kind: "cut"; readonly afterBytes: number };

export interface Relay {
  /** Leads to the given origin. */
  readonly origin: string;
  order(order: RelayOrder): Promise<void>;
}

/** Returns a relay to a server (`http:`) that a test can interrupt. */
export async function relay(origin: string): Promise<Relay> {
  const { hostname, port } = new URL(origin);
  const control = inject("relayControl");
  const post = async (path: string, body: unknown) =>
    (await fetch(`${control}/${path}`, { method: "POST", body: JSON.stringify(body) })).text();
  const opened = await post("", { host: hostname, port: Number(port || 80) });
  return {
    origin: `http://127.0.0.1:${opened}`,
    order: async (order) => void (await post(opened, order)),
  };
}
