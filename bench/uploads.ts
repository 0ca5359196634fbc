// Measures how much memory uploads of photos take in the local workerd, as `npm start` runs it. Linux only.
//
//   npm run bench:uploads

import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { cpus, loadavg } from "node:os";
import { crc32 } from "node:zlib";
import { Edge } from "../test/faults/edge.ts";
import { Isolate } from "./isolate.ts";
import { writeResults } from "./results.ts";

const MEGABYTE = 1_000_000;
const PHOTO_BYTES = 20 * MEGABYTE;
const UPLOADS = 10;
const UNFINISHED = 30;
const UNFINISHED_BYTES = 19 * MEGABYTE;
/** Time in which unfinished uploads arrive, and are refused. */
const UNFINISHED_SECONDS = 20;
const SAMPLE_MILLISECONDS = 20;
const GOAL = 64 * MEGABYTE;

interface Peak {
  readonly name: string;
  /** The most memory of the Worker's isolate, less what it had before. */
  readonly isolateBytes: number;
  /** The same of the whole process, with the emulated bucket. */
  readonly processBytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

async function main(): Promise<void> {
  const load = loadavg()[0].toFixed(1);
  const edge = await Edge.create({ COMPILER_URL: "http://127.0.0.1:1", RATE_LIMITS: "" });
  try {
    await edge.start();
    const server = { edge, isolate: await Isolate.connect(edge.inspector) };
    // The first uploads load code.
    await Promise.all([upload(edge), upload(edge)]);
    const peaks = [
      await peakOf(`${UPLOADS} photos of ${PHOTO_BYTES / MEGABYTE} MB at the same time`, server, () =>
        Promise.all(Array.from({ length: UPLOADS }, () => upload(edge))),
      ),
      await peakOf(`the same, without \`image_bytes\``, server, () =>
        Promise.all(Array.from({ length: UPLOADS }, () => upload(edge, { isAnnounced: false }))),
      ),
      await peakOf(
        `${UNFINISHED} uploads of one caller, without \`image_bytes\`, that stop after ${UNFINISHED_BYTES / MEGABYTE} MB`,
        server,
        () =>
          Promise.all(
            Array.from({ length: UNFINISHED }, () =>
              upload(edge, { isAnnounced: false, bytes: UNFINISHED_BYTES }),
            ),
          ),
      ),
      await peakOf("a photo after these have disconnected", server, () => Promise.all([upload(edge)])),
    ];
    const text = [
      "## Memory of uploads",
      "",
      "Written by `npm run bench:uploads` (bench/uploads.ts): wrangler's local workerd, D1 and R2, and the clients on",
      `the same ${cpus().length} × ${cpus()[0].model}; Node ${process.version}; load average at the start ${load}. The`,
      "memory is the highest during these uploads, less what it was before them. Of the Worker's isolate, it is the objects",
      "and buffers that the inspector reports, with those that are not freed yet: that is the goal. Of the process, it is the",
      "resident set of workerd, with the emulated bucket.",
      "",
      "| uploads | isolate, MB | process, MB | responses | seconds | goal, MB |",
      "|---|---|---|---|---|---|",
      ...peaks.map(lineOf),
    ].join("\n");
    console.log(text);
    writeResults("uploads", text);
  } finally {
    await edge.remove();
  }
}

async function peakOf(
  name: string,
  { edge, isolate }: { readonly edge: Edge; readonly isolate: Isolate },
  work: () => Promise<readonly string[]>,
): Promise<Peak> {
  const sample = async () => {
    const [isolateBytes, processBytes] = await Promise.all([isolate.memory(), edge.memory()]);
    return { isolateBytes, processBytes };
  };
  const before = await sample();
  const most = { ...before };
  const started = performance.now();
  let isWorking = true;
  const watch = (async () => {
    while (isWorking) {
      const now = await sample();
      most.isolateBytes = Math.max(most.isolateBytes, now.isolateBytes);
      most.processBytes = Math.max(most.processBytes, now.processBytes);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MILLISECONDS));
    }
  })();
  const statuses: Record<string, number> = {};
  for (const status of await work()) statuses[status] = (statuses[status] ?? 0) + 1;
  isWorking = false;
  await watch;
  const seconds = (performance.now() - started) / 1000;
  return {
    name,
    isolateBytes: most.isolateBytes - before.isolateBytes,
    processBytes: most.processBytes - before.processBytes,
    statuses,
    seconds,
  };
}

function lineOf({ name, isolateBytes, processBytes, statuses, seconds }: Peak): string {
  const megabytes = (bytes: number) => (bytes / MEGABYTE).toFixed(0);
  const responses = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`);
  const verdict = `${GOAL / MEGABYTE}: ${isolateBytes <= GOAL ? "reached" : "missed"}`;
  const sizes = [isolateBytes, processBytes].map(megabytes);
  const cells = [name, ...sizes, responses.join(", ")];
  return `| ${[...cells, seconds.toFixed(1), verdict].join(" | ")} |`;
}

/**
 * Sends a photo, or its first `bytes`, and before it its size if it is announced. Returns the status of the response
 * or, without one, what happened.
 */
async function upload(
  edge: Edge,
  { isAnnounced = true, bytes = Number.POSITIVE_INFINITY } = {},
): Promise<string> {
  const { body, type } = formWith(photo(), isAnnounced);
  const sent = request(`${edge.url}/api/ar-content`, {
    method: "POST",
    headers: { ...edge.callers[0], "Content-Type": type, "Content-Length": body.length },
    agent: false,
  });
  const answer = answerOf(sent);
  if (bytes >= body.length) {
    sent.end(body);
    return answer;
  }
  sent.write(body.subarray(0, bytes));
  const stop = new Promise<string>((resolve) =>
    setTimeout(() => resolve("unfinished"), UNFINISHED_SECONDS * 1000),
  );
  const outcome = await Promise.race([answer, stop]);
  sent.destroy();
  return outcome;
}

async function answerOf(sent: ClientRequest): Promise<string> {
  try {
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    return String(response.statusCode);
  } catch {
    return "disconnected";
  }
}

/** Returns a PNG of the largest accepted size, whose pixels are noise. The Worker reads its headers only. */
function photo(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(4000, 0);
  header.writeUInt32BE(3000, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunks = [chunk("IHDR", header), chunk("IEND", Buffer.alloc(0))];
  const rest = PHOTO_BYTES - 8 - chunks[0].length - chunks[1].length - 12;
  const pixels = chunk("IDAT", randomFillSync(Buffer.alloc(rest)));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunks[0], pixels, chunks[1]]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const bytes = Buffer.alloc(8 + body.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.set(body, 4);
  bytes.writeUInt32BE(crc32(body), bytes.length - 4);
  return bytes;
}

/** Returns a form with the image between texts, as programs send it. */
function formWith(image: Buffer, isAnnounced: boolean): { body: Buffer; type: string } {
  const boundary = "----bench";
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const size = isAnnounced ? `${part('name="image_bytes"')}\r\n${image.length}\r\n` : "";
  const head = `${size}${part('name="compile"')}\r\nbrowser\r\n${part('name="image"; filename="photo.png"')}Content-Type: image/png\r\n\r\n`;
  const tail = `\r\n${part('name="title"')}\r\nPhoto\r\n--${boundary}--\r\n`;
  const body = Buffer.concat([Buffer.from(head), image, Buffer.from(tail)]);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}

await main();
