import { inject } from "vitest";

export type RelayOrder =
  /** Connections break, and new ones too. */
  | { readonly kind: "down" }
  | { readonly kind: "up" }
  /** Once, all connections break when so many bytes went by on the way there. */
  | { readonly kind: "cut"; readonly afterBytes: number };

export interface Relay {
  /** Leads where the origin led. */
  readonly origin: string;
  order(order: RelayOrder): Promise<void>;
}

/** A line to a server (`http:`) that can be cut. */
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
