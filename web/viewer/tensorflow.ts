/**
 * The parts of TensorFlow.js that MindAR's player uses. The build replaces `@tensorflow/tfjs` with this module:
 * its layers, converter, data and CPU backend would make the download 50 % larger.
 */
import "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";

export * from "@tensorflow/tfjs-core";
