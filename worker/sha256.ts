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
