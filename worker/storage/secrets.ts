/** A missing or wrong key. The message is for the operator of the platform, not for its users. */
export class VaultError extends Error {
  override readonly name = "VaultError";
}

/** An encrypted text, and the id of its key. */
export interface Sealed {
  /** Base64 of a nonce of 12 bytes, the ciphertext, and a tag of 16 bytes. */
  readonly text: string;
  readonly keyId: string;
}

const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/**
 * Encrypts ("seals") and decrypts ("opens") small texts at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce per
 * text. Each text is bound to a context, such as its row's id, and cannot be opened in another one.
 *
 * Keys can be rotated: the first one seals, and all of them open. Put a new key in front, wait until the sweep has
 * sealed everything again with it, and remove the old one.
 */
export class Vault {
  readonly #text: string;
  #parsed: ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  /** @param keys `id:base64key,older:base64key`, the newest first, 32 bytes each; may be empty. Parsed at first use. */
  constructor(keys: string) {
    this.#text = keys;
  }

  /** @throws VaultError when the keys cannot be parsed */
  check(): void {
    void this.#keys;
  }

  get #keys(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
    return (this.#parsed ??= parseKeys(this.#text));
  }

  /** Id of the key that seals; null without keys. */
  get newestKeyId(): string | null {
    return this.#keys.keys().next().value ?? null;
  }

  /** @throws VaultError without keys */
  async seal(text: string, context: string): Promise<Sealed> {
    const keyId = this.newestKeyId;
    if (keyId === null) throw new VaultError("SECRETS_KEYS is missing: nothing can be encrypted.");
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const plain = new TextEncoder().encode(text);
    const sealed = await crypto.subtle.encrypt(parameters(nonce, context), await this.#key(keyId), plain);
    return { text: base64Of(nonce, new Uint8Array(sealed)), keyId };
  }

  /** @throws VaultError when the key is missing, or the text, key or context is not the one of `seal` */
  async open({ text, keyId }: Sealed, context: string): Promise<string> {
    const key = await this.#key(keyId);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const nonce = bytes.subarray(0, NONCE_BYTES);
    try {
      const plain = await crypto.subtle.decrypt(parameters(nonce, context), key, bytes.subarray(NONCE_BYTES));
      return new TextDecoder().decode(plain);
    } catch {
      throw new VaultError(
        `The key "${keyId}" of SECRETS_KEYS cannot decrypt this: it is not the key that encrypted it.`,
      );
    }
  }

  #key(id: string): Promise<CryptoKey> {
    const imported = this.#imported.get(id);
    if (imported) return imported;
    const bytes = this.#keys.get(id);
    if (!bytes) throw new VaultError(`SECRETS_KEYS lacks the key "${id}", which encrypted this.`);
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
    // Messages do not repeat an entry, which is a secret.
    const where = `Entry ${position + 1} of SECRETS_KEYS`;
    const [, id, key] = entry.trim().match(/^([\w.-]{1,32}):([A-Za-z0-9+/]+=*)$/) ?? [];
    if (id === undefined || key === undefined)
      throw new VaultError(`${where} is invalid; expected "id:base64key".`);
    const bytes = bytesOf(key);
    if (bytes?.length !== KEY_BYTES) {
      throw new VaultError(
        bytes
          ? `${where}: the key has ${bytes.length} bytes; expected ${KEY_BYTES}.`
          : `${where}: the key is not base64.`,
      );
    }
    if (parsed.has(id)) throw new VaultError(`${where} repeats the id "${id}".`);
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
