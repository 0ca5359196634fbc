// The parts of MindAR's wrappers, of which the packages have no types.

declare module "mind-ar/src/image-target/three.js" {
  interface Anchor {
    readonly group: { readonly visible: boolean; readonly matrix: { readonly elements: number[] } };
    onTargetFound: (() => void) | null;
    onTargetLost: (() => void) | null;
    onTargetUpdate: (() => void) | null;
  }

  export class MindARThree {
    constructor(options: { container: HTMLElement; imageTargetSrc: string });
    readonly scene: object;
    readonly camera: object;
    readonly renderer: {
      setAnimationLoop(callback: () => void): void;
      render(scene: object, camera: object): void;
    };
    addAnchor(targetIndex: number): Anchor;
    start(): Promise<void>;
  }
}

declare module "mind-ar/src/image-target/aframe.js";
declare module "aframe";
