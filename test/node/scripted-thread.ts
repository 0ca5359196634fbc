// A compile thread that follows orders in the image's text, so that a test can make it hang or crash.

import { randomUUID } from "node:crypto";
import { parentPort } from "node:worker_threads";
import type { Job, JobMessage } from "../../node/protocol.ts";

const port = parentPort!;
const identity = randomUUID();

port.on("message", ({ bytes }: Job) => {
  const order = new TextDecoder().decode(bytes);
  switch (order) {
    case "hang":
      post({ kind: "progress", progress: { stage: "match", done: 1, total: 9 } });
      for (;;);
    case "throw":
      throw new Error("a bug");
    case "reject":
      void Promise.reject(new Error("a bug in a promise"));
      break;
    case "exit":
      process.exit(3);
      break;
    case "refuse":
      post({ kind: "refused", code: "too_few_features", message: "Nothing to see." });
      break;
    case "refuse unread":
      post({ kind: "refused", code: "not_an_image", message: "A letter." });
      break;
    case "large":
      done(6000, 4000);
      break;
    case "long answer":
      done(100, 100, new Uint8Array(30_000_000));
      break;
    default:
      done(100, 100);
  }
});

/** Answers with the thread's identity as the marker, or with another one. */
function done(width: number, height: number, marker = new TextEncoder().encode(identity)): void {
  post({
    kind: "done",
    photo: {
      marker,
      thumbnail: new Uint8Array(1),
      picture: new Uint8Array(1),
      width,
      height,
      milliseconds: 0,
    },
  });
}

function post(message: JobMessage): void {
  port.postMessage(message);
}
