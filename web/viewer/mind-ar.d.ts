/** The part of mind-ar 1.2.5's player that the viewer uses; the package carries no types. */
declare module "mind-ar/src/image-target/controller.js" {
  export type ControllerUpdate =
    | {
        type: "updateMatrix";
        targetIndex: number;
        /** Column-major 4 × 4; null when the target was lost. */
        worldMatrix: number[] | null;
      }
    | { type: "processDone" };

  /** Anything that a 2-D canvas can draw, with the size at which it is to be drawn. */
  export type ControllerInput = HTMLVideoElement | HTMLCanvasElement;

  export class Controller {
    constructor(options: {
      inputWidth: number;
      inputHeight: number;
      onUpdate?: (update: ControllerUpdate) => void;
      maxTrack?: number;
      warmupTolerance?: number | null;
      missTolerance?: number | null;
      filterMinCF?: number | null;
      filterBeta?: number | null;
    });
    readonly worker: Worker;
    /** Intrinsic camera matrix, rows, in input pixels. */
    readonly projectionTransform: number[][];
    /** Throws when the bytes are not MessagePack; answers no dimensions for another version of the file. */
    addImageTargetsFromBuffer(buffer: ArrayBuffer): { dimensions: [width: number, height: number][] };
    /** Compiles the GPU programs. */
    dummyRun(input: ControllerInput): void;
    /** Starts an endless loop, one round per animation frame. */
    processVideo(input: ControllerInput): void;
    /** Ends that loop after its current round and one more animation frame. */
    stopProcessVideo(): void;
  }
}
