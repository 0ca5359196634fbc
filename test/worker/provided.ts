/** What compiled-in-node.ts hands to the tests. */
declare module "vitest" {
  interface ProvidedContext {
    /** A JPEG file, base64. */
    photo: string;
    /** Hexadecimal. */
    markerSha256: string;
  }
}

export {};
