import { ORIGIN } from "../edge.ts";

/** The server's options for an authenticator, as far as this one reads them. */
export interface Ceremony {
  readonly challenge: string;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;

/** A phone or security key with one passkey (WebAuthn 3, section 6), and the browser around it. */
export class Authenticator {
  /** Whether it verifies the user. */
  isVerifying = true;
  /** Number of signatures so far. */
  counter = 0;
  readonly #id = crypto.getRandomValues(new Uint8Array(16));
  readonly #keys = crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]) as Promise<CryptoKeyPair>;

  get id(): string {
    return base64url(this.#id);
  }

  /** Returns the result of `navigator.credentials.create` in a page at `origin`. */
  async create({ challenge }: Ceremony, origin = ORIGIN) {
    const authData = await this.#data(origin, ATTESTED, [
      ...new Uint8Array(16),
      ...[0, this.#id.length],
      ...this.#id,
      ...(await this.#publicKey()),
    ]);
    const attestation = cbor(
      new Map<string, Encodable>([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", authData],
      ]),
    );
    return this.#credential({
      clientDataJSON: base64url(clientData("webauthn.create", challenge, origin)),
      attestationObject: base64url(Uint8Array.from(attestation)),
      transports: ["internal"],
    });
  }

  /** Returns the result of `navigator.credentials.get` in a page at `origin`. */
  async sign({ challenge }: Ceremony, origin = ORIGIN) {
    this.counter += 1;
    const data = await this.#data(origin);
    const client = clientData("webauthn.get", challenge, origin);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", client));
    const { privateKey } = await this.#keys;
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      privateKey,
      Uint8Array.from([...data, ...hash]),
    );
    return this.#credential({
      clientDataJSON: base64url(client),
      authenticatorData: base64url(data),
      signature: base64url(der(new Uint8Array(signature))),
    });
  }

  #credential<Response>(response: Response) {
    return { id: this.id, rawId: this.id, type: "public-key", response } as const;
  }

  async #data(origin: string, flags = 0, attested: readonly number[] = []) {
    const rpId = new TextEncoder().encode(new URL(origin).hostname);
    const all = flags | USER_PRESENT | (this.isVerifying ? USER_VERIFIED : 0);
    return Uint8Array.from([
      ...new Uint8Array(await crypto.subtle.digest("SHA-256", rpId)),
      ...[all, 0, 0, 0, this.counter],
      ...attested,
    ]);
  }

  /** Returns the key in COSE (RFC 9053): an elliptic curve, ES256, P-256, x and y. */
  async #publicKey(): Promise<number[]> {
    const raw = new Uint8Array(
      (await crypto.subtle.exportKey("raw", (await this.#keys).publicKey)) as ArrayBuffer,
    );
    return cbor(
      new Map<number, Encodable>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, raw.slice(1, 33)],
        [-3, raw.slice(33)],
      ]),
    );
  }
}

function clientData(type: string, challenge: string, origin: string) {
  return new TextEncoder().encode(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

type Encodable = number | string | Uint8Array | ReadonlyMap<number | string, Encodable>;

/** Encodes the needed part of CBOR (RFC 8949): values below 64 kB. */
function cbor(value: Encodable): number[] {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return [...head(3, bytes.length), ...bytes];
  }
  if (value instanceof Uint8Array) return [...head(2, value.length), ...value];
  return [...head(5, value.size), ...[...value].flatMap(([key, item]) => [...cbor(key), ...cbor(item)])];
}

function head(major: number, argument: number): number[] {
  const type = major << 5;
  if (argument < 24) return [type | argument];
  return argument < 256 ? [type | 24, argument] : [type | 25, argument >> 8, argument & 255];
}

/** Encodes a signature of two numbers of 32 bytes in ASN.1, as WebAuthn requires. */
function der(signature: Uint8Array): Uint8Array {
  const numbers = [signature.slice(0, 32), signature.slice(32)].flatMap((bytes) => {
    const digits = bytes.slice(bytes.findIndex((byte) => byte !== 0));
    const positive = digits[0] > 127 ? [0, ...digits] : [...digits];
    return [0x02, positive.length, ...positive];
  });
  return Uint8Array.from([0x30, numbers.length, ...numbers]);
}
