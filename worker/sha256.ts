/** SHA-256 in lower-case hexadecimal, as the API shows it. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Takes a stream's bytes; `digest` resolves when it is closed. */
export interface DigestSink extends WritableStream<Uint8Array> {
  readonly digest: Promise<ArrayBuffer>;
}

/** SHA-256 of bytes that flow by. */
export function sha256Sink(): DigestSink {
  // The web app reads the API's types with a browser's library, which does not have this.
  const platform = crypto as unknown as { readonly DigestStream: new (algorithm: string) => DigestSink };
  return new platform.DigestStream("SHA-256");
}

/** Returns whether two secrets are equal, in a time that does not reveal where they differ. */
export async function isSame(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([given, expected].map((text) => sha256(new TextEncoder().encode(text))));
  // Hashes of unknown input: where they begin to differ says nothing about the secret.
  return a === b;
}
