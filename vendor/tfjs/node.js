// In Node, mind-ar's compiler computes with its own kernels on the CPU backend.
import "@tensorflow/tfjs-backend-cpu";
import * as core from "@tensorflow/tfjs-core";

// The package's own modules for chained calls, such as `tensor.reshape(shape)`, do not load in Node.
for (const [name, operation] of Object.entries(core)) {
  if (typeof operation !== "function" || name in core.Tensor.prototype) continue;
  core.Tensor.prototype[name] = function (...rest) {
    return operation(this, ...rest);
  };
}

export * from "@tensorflow/tfjs-core";
