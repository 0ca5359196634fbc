/** What a vault needs and does not have: told to whoever runs the platform, not to whoever uses it. */
export class VaultError extends Error {
  override readonly name = "VaultError";
}

/** A text that is encrypted, and which key opens it. */
export interface Sealed {
  /** Base64 of the 12 bytes of the nonce, the ciphertext and its tag of 16 bytes. */
  readonly text: string;
  readonly keyId: string;
}

const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/**
 * Encrypts small texts at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce for each.
 *
 * Several keys make rotation possible: the first one seals, all of them open. To rotate, put a new key in
 * front, wait until nothing names the old one any more (the sweep seals again what others sealed), and take
 * the old one out. Every text is bound to a context, such as its row's id: moved to another row, it does not
 * open there.
 */
export class Vault {
  readonly #text: string;
  #parsed: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  /** @param keys `id:base64key,older:base64key`, the newest first, 32 bytes each; empty: none. Read when needed. */
  constructor(keys: string) {
    this.#text = keys;
  }

  /** @throws VaultError when the keys are not what they should be */
  check(): void {
    void this.#keys;
  }

  get #keys(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
    return (this.#parsed ??= parseKeys(this.#text));
  }

  /** The key that seals; null when there is none. */
  get newestKeyId(): string | null {
    return this.#keys.keys().next().value ?? null;
  }

  /** @throws VaultError when there is no key */
  async seal(text: string, context: string): Promise<Sealed> {
    const keyId = this.newestKeyId;
    if (keyId === null) throw new VaultError("SECRETS_KEYS is not set: nothing can be encrypted.");
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const plain = new TextEncoder().encode(text);
    const sealed = await crypto.subtle.encrypt(parameters(nonce, context), await this.#key(keyId), plain);
    return { text: base64Of(nonce, new Uint8Array(sealed)), keyId };
  }

  /** @throws VaultError when its key is not there, or when the text, the key or the context is another */
  async open({ text, keyId }: Sealed, context: string): Promise<string> {
    const key = await this.#key(keyId);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const nonce = bytes.subarray(0, NONCE_BYTES);
    try {
      const plain = await crypto.subtle.decrypt(parameters(nonce, context), key, bytes.subarray(NONCE_BYTES));
      return new TextDecoder().decode(plain);
    } catch {
      throw new VaultError(`The key "${keyId}" of SECRETS_KEYS does not open what was sealed with it.`);
    }
  }

  #key(id: string): Promise<CryptoKey> {
    const imported = this.#imported.get(id);
    if (imported) return imported;
    const bytes = this.#keys.get(id);
    if (!bytes) throw new VaultError(`SECRETS_KEYS has no key "${id}", which sealed this.`);
    const key = crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
    this.#imported.set(id, key);
    return key;
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, context: string) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(context) };
}

function parseKeys(keys: string): Map<string, Uint8Array<ArrayBuffer>> {
  const parsed = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [position, entry] of keys.split(",").entries()) {
    if (entry.trim() === "") continue;
    // No sentence repeats an entry: it is a secret.
    const where = `Entry ${position + 1} of SECRETS_KEYS`;
    const [, id, key] = entry.trim().match(/^([\w.-]{1,32}):([A-Za-z0-9+/]+=*)$/) ?? [];
    if (id === undefined || key === undefined) throw new VaultError(`${where} is not "id:base64key".`);
    const bytes = bytesOf(key);
    if (bytes?.length !== KEY_BYTES) {
      throw new VaultError(`${where}: the key has ${bytes?.length ?? "no readable"} bytes; expected 32.`);
    }
    if (parsed.has(id)) throw new VaultError(`${where}: the id "${id}" came before.`);
    parsed.set(id, bytes);
  }
  return parsed;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function base64Of(...parts: Uint8Array[]): string {
  return btoa(parts.map((part) => Array.from(part, (byte) => String.fromCharCode(byte)).join("")).join(""));
}
