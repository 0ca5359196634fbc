// Sends thousands of malformed requests and files to the running Worker and the Node compiler. FUZZ_SEED starts
// another series than the default one, FUZZ_COUNT makes it longer.

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Submission, TakenLease } from "../../worker/schemas.ts";
import type { StorageConnection, StorageConnectionUsage } from "../../worker/storage/schemas.ts";
import { until } from "../faults/api.ts";
import { NodeCompiler, SECRET } from "../faults/compiler.ts";
import { Edge } from "../faults/edge.ts";
import { Contract } from "./contract.ts";
import { type Corpus, readCorpus, spoilFile } from "./files.ts";
import { Random } from "./random.ts";
import { type ApiDocument, makeBytes, makeRequest, type World } from "./requests.ts";
import { EVIL_TEXTS } from "./values.ts";
import { type Answer, type Request, Wire } from "./wire.ts";

const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** Requests to the Worker. The compiler gets a twentieth as many. */
const COUNT = Number(process.env.FUZZ_COUNT ?? 10_000);
const RAW_COUNT = 200;
const AT_ONCE = 8;

/** Paths whose errors are problem documents: Better Auth has its own format, and pages and files have none. */
const SPEAKS_PROBLEMS = /^\/api\/(?!auth\/)/;

let corpus: Corpus;
let compiler: NodeCompiler;
let edge: Edge;
let wire: Wire;

beforeAll(async () => {
  corpus = await readCorpus();
  compiler = await NodeCompiler.reserve();
  await compiler.start();
  edge = await Edge.create({
    COMPILER_URL: compiler.url,
    BROWSER_LEASE_SECONDS: "900",
    RETRY_BASE_SECONDS: "1",
    SWEEP_GRACE_SECONDS: "1",
    // No other client is this fast.
    RATE_LIMITS: "",
    SECRETS_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
  });
  await edge.start();
  wire = new Wire(edge.url);
});

afterAll(async () => {
  wire?.close();
  await edge?.remove();
  await compiler?.kill();
});

async function submit(image: Buffer, compile: "server" | "browser"): Promise<Submission> {
  const form = new FormData();
  form.set("image", new Blob([new Uint8Array(image)]), "photo");
  form.set("title", "Good");
  form.set("compile", compile);
  return edge.api.json(201, "/api/ar-content", { method: "POST", body: form });
}

/** Starts the compilation again after a delivery that was accepted. */
async function leaseAgain(id: string): Promise<World["leased"]> {
  const body = JSON.stringify({ compile: "browser" });
  const headers = { "Content-Type": "application/json" };
  const path = `/api/ar-content/${id}/marker/recompile`;
  const { lease } = await edge.api.json<Submission>(200, path, { method: "POST", headers, body });
  return { id, token: (lease as TakenLease).token };
}

interface Failure {
  readonly number: number;
  readonly why: string;
  readonly request: string;
  readonly answer: string;
}

/** Returns whether workerd itself refused the request as invalid HTTP, before the Worker saw it. */
function isWorkerds({ status, type }: Answer): boolean {
  return status >= 400 && (type === "" || type.startsWith("text/plain"));
}

function judge({ path, method }: Request, answer: Answer | null): string | null {
  if (!answer) return null;
  if (answer.status >= 500 && answer.status !== 503) return `status ${answer.status}`;
  if (answer.status < 400 || method === "HEAD" || !SPEAKS_PROBLEMS.test(path)) return null;
  if (isWorkerds(answer)) return null;
  if (!answer.type.startsWith("application/problem+json")) return `an error as ${answer.type}`;
  const { code, status, detail } = JSON.parse(answer.text);
  return typeof code === "string" && status === answer.status && detail !== ""
    ? null
    : "an incomplete problem";
}

test("the Worker refuses malformed requests as documented, and stores nothing of them", async () => {
  const random = new Random(SEED);
  const good = [await submit(corpus.images[0], "server"), await submit(corpus.images[1], "server")];
  const marked = await submit(corpus.markedPhoto, "browser");
  const created = new Set([...good, marked].map(({ content }) => content.id));
  let leased: World["leased"] = { id: marked.content.id, token: marked.lease!.token };
  const document = await edge.api.json<ApiDocument>(200, "/api/openapi.json");
  const world: World = {
    document,
    corpus,
    callers: edge.callers,
    origin: edge.url,
    contents: good.map(({ content }) => content.id),
    uniqueId: good[0].content.unique_id,
    get leased() {
      return leased;
    },
  };

  const contract = new Contract(document);
  const statuses = new Map<number | "closed", number>();
  const failures: Failure[] = [];
  let next = 0;
  const work = async () => {
    while (next < COUNT && failures.length < 20) {
      const number = next++;
      const request = makeRequest(random, world);
      const answer = await wire
        .send(request)
        .catch((error: Error) => ({ status: 599, type: "", text: String(error) }));
      const status = answer?.status ?? "closed";
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (request.method === "POST" && request.path === "/api/ar-content" && status === 201) {
        created.add((JSON.parse(answer!.text) as Submission).content.id);
      }
      if (request.method === "PUT" && request.path.endsWith(`${leased.id}/marker`) && status === 200) {
        leased = await leaseAgain(leased.id);
      }
      const why =
        judge(request, answer) ?? (answer && !isWorkerds(answer) && contract.breach(request, answer));
      if (why) failures.push({ number, why, request: summary(request), answer: answer!.text.slice(0, 600) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(`Seed ${SEED}: ${next} requests, answered ${JSON.stringify(Object.fromEntries(statuses))}`);
  expect(failures).toEqual([]);

  // wrangler's proxy may answer invalid HTTP with a 500 of its own. The Worker's own answers have nosniff.
  for (let i = 0; i < RAW_COUNT; i++) {
    const bytes = makeBytes(random);
    const answer = await wire.raw(bytes);
    expect(answer, bytes.toString("latin1", 0, 200)).not.toMatch(/^HTTP\/1\.1 5.*nosniff/is);
  }
  await edge.api.json(200, "/api/health");

  // After the sweep of interrupted requests, only the accepted ones remain.
  await pause(2_000);
  await edge.sweep();
  const { ids } = edge.one<{ ids: string }>("SELECT group_concat(id) AS ids FROM ar_content");
  expect(ids.split(",").sort()).toEqual([...created].sort());
  const settled = await until(
    "settled",
    async () => {
      const { items } = await edge.api.json<{ items: StorageConnection[] }>(200, "/api/storage-connections");
      const usage = await edge.api.json<StorageConnectionUsage>(
        200,
        "/api/storage-connections/platform/usage?refresh=true",
      );
      const { pending } = edge.one<{ pending: number }>(
        "SELECT count(*) AS pending FROM compile_tasks WHERE state IN ('pending', 'processing') AND executor IS NOT 'browser'",
      );
      const { files, deleted_files } = items.find(({ built_in }) => built_in)!;
      return {
        files: files.count + deleted_files.count,
        objects: usage.usage.objects,
        pending,
      };
    },
    ({ files, objects, pending }) => pending === 0 && files === objects,
  );
  expect(settled.objects).toBe(settled.files);
  expect(compiler.outcomes).not.toContain("compile_crashed");
});

test("the Node compiler refuses malformed requests, and continues to work", async () => {
  const random = new Random(SEED + 1);
  const direct = new Wire(compiler.url);
  const failures: Failure[] = [];
  let next = 0;
  const work = async () => {
    while (next < COUNT / 20) {
      const number = next++;
      const body = spoilFile(random.pick(corpus.images), random);
      const request: Request = {
        method: random.chance(0.95) ? "POST" : random.pick(["GET", "PUT", "DELETE"]),
        path: random.chance(0.9)
          ? "/compile"
          : `/compile?max_features=${encodeURIComponent(random.pick(EVIL_TEXTS).replace(/\p{Surrogate}/gu, ""))}`,
        headers: {
          "Content-Length": String(body.length),
          Authorization: random.chance(0.95) ? `Bearer ${SECRET}` : random.pick(["", "Bearer", "Basic x"]),
        },
        body,
      };
      const answer = await direct.send(request);
      const why = !answer ? "no answer" : answer.status >= 500 && answer.status !== 503 ? "5xx" : null;
      if (why) failures.push({ number, why, request: summary(request), answer: answer?.text ?? "" });
    }
  };
  await Promise.all([work(), work()]);
  direct.close();
  expect(failures).toEqual([]);
  const outcomes = new Set(compiler.outcomes);
  console.log(`The compiler's outcomes: ${[...outcomes].join(", ")}`);
  expect(outcomes).not.toContain("compile_crashed");
  // It still compiles photos.
  const { content } = await submit(corpus.images[2], "server");
  await until(
    "was judged",
    () => edge.api.content(content.id),
    ({ marker_status: status }) => ["ready", "failed"].includes(status),
  );
  expect((await fetch(`${compiler.url}/health`)).status).toBe(200);
});

function summary({ method, path, headers, body }: Request): string {
  const shown = body ? ` ${body.length} bytes ${body.subarray(0, 300).toString("latin1")}` : "";
  return `${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 500)}${shown}`;
}
