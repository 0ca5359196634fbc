import { inject } from "vitest";

/** How the faulty server handles one request. All steps except a refusal read the body first. */
export type FaultyStep =
  | {
      readonly kind: "answer";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Answers before it reads the body. */
  | {
      readonly kind: "refusal";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Breaks the connection without an answer. */
  | { readonly kind: "cut"; readonly afterBytes?: number }
  /** Never answers. */
  | { readonly kind: "silence" }
  /** Announces one byte more than it sends. */
  | {
      readonly kind: "half";
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
      readonly end: "cut" | "silence";
    };

export interface SeenRequest {
  readonly method: string;
  /** The path, without the part that selects the script. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Received bytes of the body. */
  readonly bytes: number;
  readonly whole: boolean;
}

export interface Faulty {
  readonly url: string;
  seen(): Promise<SeenRequest[]>;
}

/** Returns an address that plays a script. */
export async function faulty(...steps: FaultyStep[]): Promise<Faulty> {
  const id = crypto.randomUUID();
  const url = `${inject("faultyServer")}/${id}`;
  await (await fetch(url, { method: "POST", body: JSON.stringify(steps) })).text();
  const seen = async (): Promise<SeenRequest[]> => (await fetch(`${inject("faultyServerLog")}/${id}`)).json();
  return { url, seen };
}
