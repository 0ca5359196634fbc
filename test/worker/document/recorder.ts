import type { Problem } from "../../../worker/errors.ts";
import { Edge, ORIGIN } from "../edge.ts";

/** The examples of the API document: worker/document/examples.json. */
export interface Examples {
  /** Bodies of requests and responses, by the name of their schema. */
  readonly bodies: Record<string, unknown>;
  /** Problem documents, by their code. */
  readonly problems: Record<string, unknown>;
}

type Content = Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;

interface Operation {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface ApiDocument {
  readonly paths: Paths;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** An edge that keeps the first body of every schema, and the first problem document of every code. */
export class RecordingEdge extends Edge {
  readonly examples: Examples = { bodies: {}, problems: {} };
  #document: ApiDocument | undefined;

  override async anonymously(
    path: string,
    init: RequestInit = {},
    bindings: Parameters<Edge["anonymously"]>[2] = {},
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("CF-Connecting-IP", "203.0.113.7");
    headers.set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0");
    const response = await super.anonymously(path, { ...init, headers }, bindings);
    await this.#record(path, init, response);
    return response;
  }

  recordBody(name: string, body: unknown): void {
    this.examples.bodies[name] ??= body;
  }

  recordProblem(problem: Problem): void {
    this.examples.problems[problem.code] ??= problem;
  }

  async #record(path: string, { method = "GET", body }: RequestInit, response: Response): Promise<void> {
    const type = response.headers.get("content-type");
    if (type === "application/problem+json") return this.recordProblem(await response.clone().json());
    if (response.status >= 400) return;
    const operation = await this.#operation(path, method);
    if (!operation) return;
    const requestName = schemaName(operation.requestBody?.content);
    if (requestName && typeof body === "string") this.recordBody(requestName, JSON.parse(body));
    const responseName = schemaName(operation.responses[response.status]?.content);
    if (!responseName) return;
    const received = await response.clone().json();
    // better-auth returns more than is documented.
    const isLibrarys = path.startsWith("/api/auth/");
    const schema = (await this.#readDocument()).components.schemas[responseName];
    this.recordBody(responseName, isLibrarys ? this.#documented(received, schema) : received);
  }

  async #readDocument(): Promise<ApiDocument> {
    this.#document ??= await (await super.anonymously("/api/openapi.json")).json<ApiDocument>();
    return this.#document;
  }

  /** Returns a value without the properties that its schema does not list. */
  #documented(value: unknown, { $ref, anyOf, properties }: Schema): unknown {
    if ($ref) {
      const name = $ref.replace("#/components/schemas/", "");
      return this.#documented(value, this.#document?.components.schemas[name] ?? {});
    }
    if (anyOf && value !== null) return this.#documented(value, anyOf[0]);
    if (!properties || typeof value !== "object" || value === null) return value;
    const listed = Object.entries(value).filter(([name]) => name in properties);
    return Object.fromEntries(
      listed.map(([name, inner]) => [name, this.#documented(inner, properties[name])]),
    );
  }

  /** Returns the operation of a path, by the pattern with the fewest parameters. */
  async #operation(path: string, method: string): Promise<Operation | undefined> {
    const [pathname] = path.split("?");
    const { paths } = await this.#readDocument();
    const parameters = (pattern: string) => pattern.split("{").length;
    const [found] = Object.entries(paths)
      .filter(([pattern, methods]) => {
        const expression = pattern.replaceAll(".", "\\.").replace(/\{[^}]+\}/g, "[^/]+");
        return methods[method.toLowerCase()] && new RegExp(`^${expression}$`).test(pathname);
      })
      .sort(([a], [b]) => parameters(a) - parameters(b));
    return found?.[1][method.toLowerCase()];
  }
}

function schemaName(content: Content | undefined): string | undefined {
  return content?.["application/json"]?.schema?.$ref?.replace("#/components/schemas/", "");
}

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
/** Ids of better-auth, and ids without dashes. */
const WORD_ID = /"[0-9A-Za-z]{32}"/g;

/** One for all problem documents, so that a new example does not change the others. */
const REQUEST_ID = "3c7d6faa-a084-4aae-8bfb-1a867dd634b3";

/** Secrets, the binary values of WebAuthn, and request ids. */
const REDACTED =
  /^(request_id|token|verifier|challenge|clientDataJSON|attestationObject|authenticatorData|signature)$/;

/**
 * Returns the examples as JSON that is the same in every run: sorted by name, with made-up ids in order of
 * appearance, and without secrets.
 */
export function stableJson({ bodies, problems }: Examples): string {
  const sorted = (record: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  const text = JSON.stringify({ bodies: sorted(bodies), problems: sorted(problems) }, redact, 2);
  const uuids = new Map<string, string>();
  const words = new Map<string, string>();
  return `${text
    .replaceAll(ORIGIN, "https://vivimark.example")
    .replaceAll("edge.test", "vivimark.example")
    .replace(/vivi_[0-9a-f]{8}(?=")/g, "vivi_3f9c0a1b")
    .replace(/([?&#](?:state|code_challenge|X-Amz-Signature|token)=)[^&"\\]+/g, "$1example")
    .replace(/#[\w-]{20,}/g, "#…")
    .replace(/\/(\d)-[0-9a-f]{8}\./g, "/$1-5f70bf18.")
    .replace(UUID, (id) => sample(uuids, id, uuidOf))
    .replace(WORD_ID, (id) => sample(words, id, (number) => `"${hexOf(number, 32)}"`))
    .replaceAll('"request_id": "…"', `"request_id": "${REQUEST_ID}"`)}\n`;
}

/** The random id in a QR code decides its size, and with it the size of all files. */
const ROUNDED_BYTES = 50_000;

function redact(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === "number" && value > ROUNDED_BYTES && isSizeOfFiles(this as object, name)) {
    return Math.round(value / ROUNDED_BYTES) * ROUNDED_BYTES;
  }
  if (typeof value !== "string") return value;
  const { rawId, displayName, type } = this as Record<string, unknown>;
  const isCredential = rawId !== undefined || displayName !== undefined || type === "public-key";
  if (isCredential && (name === "id" || name === "rawId")) return "kGq8pV3l1wQ2";
  if (name === "key") return `${value.slice(0, 5)}3f9c0a1b…`;
  if (name === "secret") return "whsec_…";
  return REDACTED.test(name) || (name === "state" && value.length > 50) ? "…" : value;
}

/** Returns whether a property is the size of several files: `{ count, bytes }`, or `{ done, left }` of a migration. */
function isSizeOfFiles(owner: object, name: string): boolean {
  return (name === "bytes" && "count" in owner) || (name === "left" && "done" in owner);
}

function sample(samples: Map<string, string>, id: string, make: (number: number) => string): string {
  const found = samples.get(id) ?? make(samples.size);
  samples.set(id, found);
  return found;
}

function uuidOf(number: number): string {
  const hex = hexOf(number, 32);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20)].join("-");
}

/** Returns hexadecimal digits that look random (xorshift). */
function hexOf(seed: number, digits: number): string {
  let state = (seed + 1) * 0x9e3779b9;
  let hex = "";
  while (hex.length < digits) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    hex += (state >>> 0).toString(16).padStart(8, "0");
  }
  return hex.slice(0, digits);
}
