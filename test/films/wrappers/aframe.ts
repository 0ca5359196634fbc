// MindAR's A-Frame wrapper; the scene is in aframe.html.

import "aframe";
import "mind-ar/src/image-target/aframe.js";
import { publish, tell } from "./report.ts";

interface Entity extends HTMLElement {
  readonly object3D: { readonly visible: boolean; readonly matrix: { readonly elements: number[] } };
}

const entity = document.getElementById("anchor") as Entity;
const report = publish(() => ({
  isVisible: entity.object3D.visible,
  matrix: [...entity.object3D.matrix.elements],
}));
entity.addEventListener("targetFound", () => tell(report, "found"));
entity.addEventListener("targetLost", () => tell(report, "lost"));
entity.addEventListener("targetUpdate", () => report.updates++);
