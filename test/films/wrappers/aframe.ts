// MindAR's A-Frame wrapper; the scene is in aframe.html.

import "aframe";
import "mind-ar/src/image-target/aframe.js";
import { publish, tell } from "./report.ts";

interface Entity extends HTMLElement {
  readonly hasLoaded: boolean;
  readonly object3D: { readonly visible: boolean; readonly matrix: { readonly elements: number[] } };
}

/** The wrapper's controls. */
export interface AframeSystem {
  start(): void;
  stop(): void;
  pause(keepVideo?: boolean): void;
  unpause(): void;
  switchTarget(targetIndex: number): void;
  readonly controller: { onUpdate: (update: { readonly type: string }) => void };
}

interface Scene extends HTMLElement {
  readonly systems: { readonly "mindar-image-system": AframeSystem };
}

const scene = document.querySelector<Scene>("a-scene")!;
const system = () => scene.systems["mindar-image-system"];
const entity = document.getElementById("anchor") as Entity;
// An anchor that has not been loaded counts as visible.
if (!entity.hasLoaded) await new Promise((resolve) => entity.addEventListener("loaded", resolve));
const report = publish(() => ({
  isVisible: entity.object3D.visible,
  matrix: [...entity.object3D.matrix.elements],
}));
entity.addEventListener("targetFound", () => tell(report, "found"));
entity.addEventListener("targetLost", () => tell(report, "lost"));
entity.addEventListener("targetUpdate", () => report.updates++);
scene.addEventListener("arReady", () => {
  const { controller } = system();
  const { onUpdate } = controller;
  controller.onUpdate = (update) => {
    if (update.type === "processDone") report.processed++;
    onUpdate(update);
  };
});
Object.assign(globalThis, { system });
