/** MindAR's Controller, of which the package has no types. */
declare module "mind-ar/src/image-target/controller.js" {
  export { Controller } from "../../../player/web/controller.ts";
}
