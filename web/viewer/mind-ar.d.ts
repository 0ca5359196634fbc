/** The part of mind-ar 1.2.5's player that the viewer uses. The package has no types. */
declare module "mind-ar/src/image-target/controller.js" {
  export type ControllerUpdate =
    | {
        type: "updateMatrix";
        targetIndex: number;
        /** Column-major 4 × 4; null when the target is lost. */
        worldMatrix: number[] | null;
      }
    | { type: "processDone" };

  /** A source that a 2D canvas can draw. The player reads its `width` and `height`. */
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
    /** Intrinsic camera matrix, row-major, in input pixels. */
    readonly projectionTransform: number[][];
    /** Throws if the bytes are not MessagePack. Returns no dimensions for another version of the format. */
    addImageTargetsFromBuffer(buffer: ArrayBuffer): { dimensions: [width: number, height: number][] };
    /** Compiles the GPU programs. */
    dummyRun(input: ControllerInput): void;
    /** Starts a loop that processes one frame per animation frame. */
    processVideo(input: ControllerInput): void;
    /** Stops the loop after the current frame and one more animation frame. */
    stopProcessVideo(): void;
  }
}
