import { inject } from "vitest";

/** What the faulty server does with one request. All but a refusal read its body first. */
export type FaultyStep =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** An answer before the body is read. */
  | {
      readonly kind: "refusal";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection breaks without an answer. */
  | { readonly kind: "cut"; readonly afterBytes?: number }
  /** Nothing, for ever. */
  | { readonly kind: "silence" }
  /** An answer that announces one byte more than comes. */
  | {
      readonly kind: "half";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
      readonly end: "cut" | "silence";
    };

export interface SeenRequest {
  readonly method: string;
  /** Without the script's own part of it. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of the body, as far as it came. */
  readonly bytes: number;
  readonly whole: boolean;
}

export interface Faulty {
  readonly url: string;
  seen(): Promise<SeenRequest[]>;
}

/** An address that plays a script. */
export async function faulty(...steps: FaultyStep[]): Promise<Faulty> {
  const id = crypto.randomUUID();
  const url = `${inject("faultyServer")}/${id}`;
  await (await fetch(url, { method: "POST", body: JSON.stringify(steps) })).text();
  const seen = async (): Promise<SeenRequest[]> => (await fetch(`${inject("faultyServerLog")}/${id}`)).json();
  return { url, seen };
}
