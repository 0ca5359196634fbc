import type { D1Migration } from "cloudflare:test";
import type { Env as EdgeEnv } from "../../worker/connect.ts";

declare global {
  namespace Cloudflare {
    interface Env extends EdgeEnv {
      TEST_MIGRATIONS: D1Migration[];
      SECOND_BUCKET: R2Bucket;
      THIRD_BUCKET: R2Bucket;
    }
    interface GlobalProps {
      mainModule: typeof import("../../worker/index.ts");
    }
  }
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
