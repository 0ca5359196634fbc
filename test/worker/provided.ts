/** What the global setups hand to the tests. */
declare module "vitest" {
  interface ProvidedContext {
    /** A JPEG file, base64. */
    photo: string;
    /** Hexadecimal. */
    markerSha256: string;
    /** Origin of the server that plays the scripts of faulty.ts. */
    faultyServer: string;
    /** Origin of the server that tells what it has seen. */
    faultyServerLog: string;
  }
}

export {};
