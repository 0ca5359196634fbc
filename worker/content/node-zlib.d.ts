/** The part of Node's module that archives need. workerd has it (`nodejs_compat`); its types lack it. */
declare module "node:zlib" {
  export interface InflateRaw {
    readonly destroyed: boolean;
    on(event: "data", listener: (chunk: Uint8Array<ArrayBuffer>) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "close", listener: () => void): this;
    /** Calls `done` when the bytes are unpacked, but not after an error. */
    write(bytes: Uint8Array, done: () => void): boolean;
    end(): void;
    destroy(): void;
  }
  export function createInflateRaw(options: { readonly chunkSize: number }): InflateRaw;
  /** Returns the CRC-32 of `bytes` after bytes whose CRC-32 is `value`. */
  export function crc32(bytes: Uint8Array, value: number): number;
}
