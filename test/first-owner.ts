/** The first owner's session, and an API key of the owner's company. */
export interface FirstOwner {
  /** The owner's session, for a browser. */
  readonly cookies: readonly { readonly name: string; readonly value: string; readonly url: string }[];
  /** An API key of the owner's company, with every scope. */
  readonly key: string;
}

export const OWNER = { name: "Ada", email: "ada@example.net", password: "a password of Ada's" } as const;

/** Sets up a platform through its API, like its setup page. */
export async function becomeFirstOwner(url: string, setupToken: string): Promise<FirstOwner> {
  const post = async (path: string, body: object, cookie = "") => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Origin: url, Cookie: cookie },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const setup = { ...OWNER, company_name: "Portraits", token: setupToken };
  const cookies = (await post("/api/setup", setup)).headers.getSetCookie().map((cookie) => {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
    return { name, value, url };
  });
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const scopes = ["read", "submit", "manage"];
  const made = await post("/api/api-keys", { name: "Tests", scopes }, cookie);
  const { key } = (await made.json()) as { key: string };
  return { cookies, key };
}

/** Returns a request's options with the key. */
export function withKey(key: string, init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${key}`);
  return { ...init, headers };
}
