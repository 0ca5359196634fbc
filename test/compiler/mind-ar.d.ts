/** The parts of mind-ar 1.2.5 that the oracle calls; the package ships no types. */
declare module "mind-ar/src/image-target/offline-compiler.js" {
  export class OfflineCompiler {
    compileImageTargets(images: unknown[], onProgress: (percent: number) => void): Promise<unknown[]>;
    exportData(): Uint8Array;
  }
}
