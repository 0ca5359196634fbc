/**
 * What MindAR's player needs of TensorFlow.js. The build puts this in the place of `@tensorflow/tfjs`, whose
 * layers, converter, data and CPU back end would make the download half as large again.
 */
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";

export * from "@tensorflow/tfjs-core";
