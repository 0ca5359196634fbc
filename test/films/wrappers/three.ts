// MindAR's three.js wrapper, as its documentation uses it.

import { MindARThree } from "mind-ar/src/image-target/three.js";
import { publish, tell } from "./report.ts";

const mindar = new MindARThree({
  container: document.getElementById("scene")!,
  imageTargetSrc: "/marker.mind",
});
const anchor = mindar.addAnchor(0);
const report = publish(() => ({
  isVisible: anchor.group.visible,
  matrix: [...anchor.group.matrix.elements],
}));
anchor.onTargetFound = () => tell(report, "found");
anchor.onTargetLost = () => tell(report, "lost");
anchor.onTargetUpdate = () => report.updates++;
Object.assign(globalThis, { mindar });
await mindar.start();
mindar.renderer.setAnimationLoop(() => mindar.renderer.render(mindar.scene, mindar.camera));
