import { hashPassword } from "../../worker/accounts/passwords.ts";
import type { Role } from "../../worker/accounts/permissions.ts";
import { FIRST_COMPANY_ID } from "../../worker/content/store.ts";
import { accounts, members, users } from "../../worker/db/tables.ts";
import { type Edge, json, ORIGIN } from "./edge.ts";

/** Sends requests like a browser: stores cookies, and sends the page's origin. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #edge: Edge;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  static async signedIn(edge: Edge, { email, password }: Credentials): Promise<Browser> {
    const browser = new Browser(edge);
    const response = await browser.post("/api/auth/sign-in/email", { email, password });
    if (!response.ok) throw new Error(`Not signed in: ${response.status} ${await response.text()}`);
    return browser;
  }

  /** Returns another browser with the same cookies. */
  copy(): Browser {
    const browser = new Browser(this.#edge);
    for (const [name, value] of this.cookies) browser.cookies.set(name, value);
    return browser;
  }

  /** Returns the Cookie header. */
  cookie(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const isChange = init.method !== undefined && init.method !== "GET";
    if (isChange && !headers.has("Origin") && !headers.has("Sec-Fetch-Site")) headers.set("Origin", ORIGIN);
    if (headers.get("Origin") === "") headers.delete("Origin");
    headers.set("Cookie", this.cookie());
    const response = await this.#edge.anonymously(path, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/max-age=0/i.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  post(path: string, body: object): Promise<Response> {
    return this.fetch(path, body instanceof FormData ? { method: "POST", body } : json("POST", body));
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.fetch(path, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export const OWNER = { email: "ada@example.net", password: "a password of Ada's" } as const;

/** Sets up the platform. Returns null if it was set up before. */
export async function setUp(edge: Edge): Promise<Browser | null> {
  const { open } = (await (await edge.anonymously("/api/setup")).json()) as { open: boolean };
  if (!open) return null;
  const browser = new Browser(edge);
  const owner = { ...OWNER, name: "Ada", company_name: "Portraits", token: "the token of the set-up link" };
  const response = await browser.post("/api/setup", owner);
  if (response.status !== 201) throw new Error(`Not set up: ${response.status} ${await response.text()}`);
  return browser;
}

/** Creates a person with this password, without an invitation, and makes them a member of the first company. */
export async function addMember(edge: Edge, { email, password }: Credentials, role: Role): Promise<Browser> {
  const id = crypto.randomUUID();
  const createdAt = new Date(edge.clock);
  const times = { createdAt, updatedAt: createdAt };
  const account = { id, userId: id, accountId: id, providerId: "credential", ...times };
  await edge.db.insert(users).values({ id, name: email, email, ...times });
  await edge.db.insert(accounts).values({ ...account, password: await hashPassword(password) });
  await edge.db.insert(members).values({ id, companyId: FIRST_COMPANY_ID, userId: id, role, createdAt });
  return Browser.signedIn(edge, { email, password });
}
