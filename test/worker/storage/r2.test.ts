import { env } from "cloudflare:workers";
import { R2Storage } from "../../../worker/storage/r2.ts";
import { LARGE_BYTES, storageContract } from "./contract.ts";

storageContract("R2", () => new R2Storage(env.BUCKET), {
  counted: () => {
    let taken = 0;
    const count = () =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          taken += chunk.length;
          controller.enqueue(chunk);
        },
      });
    const put = (key: string, body: ReadableStream<Uint8Array>, options: R2PutOptions) =>
      env.BUCKET.put(key, body.pipeThrough(count()).pipeThrough(new FixedLengthStream(LARGE_BYTES)), options);
    return { storage: new R2Storage({ put } as unknown as R2Bucket), taken: () => taken };
  },
});
