import type { ClientResponse } from "hono/client";
import { hc } from "hono/client";
import type { App } from "../../../worker/app.ts";
import type { AuditEntry, AuditPage } from "../../../worker/audit/schemas.ts";
import type { Problem } from "../../../worker/errors.ts";
import type {
  ArContent,
  CompanyUsage,
  CompileTask,
  ContentPage,
  Lease,
  MarkerStatus,
  ProgressBody,
  Project,
  ProjectChange,
  Submission,
} from "../../../worker/schemas.ts";
import type { CompiledPhoto } from "../../compile/protocol.ts";
import { dateTime, moment } from "../ui/format.ts";
import { patiently, secondsToWait } from "./rate-limit.ts";

/** The API said no. `code` is its machine-readable reason; the message is its sentence for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;
  /** What is wrong with single fields of what was sent. */
  readonly fields: NonNullable<Problem["errors"]>;
  /** It was asked too often: from when on it may be asked again, milliseconds of the epoch. Else null. */
  readonly retryAt: number | null;

  constructor(
    code: string,
    status: number,
    message: string,
    fields: ApiError["fields"] = [],
    retryAt: number | null = null,
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
    this.retryAt = retryAt;
  }
}

/** Whom to tell that an answer said that nobody is signed in (any more). */
export const sessionEnded = { onEnd: () => {} };

/** No answer at all: offline, or the server is down. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor() {
    super("Vivimark cannot be reached. Check the connection; nothing that was stored is lost.");
  }
}

/** What went wrong, for a person to read. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const CONTENTS = "/api/ar-content";
const AUDIT = "/api/audit-log";

/** The edge, typed by its own routes: a call that it does not understand does not compile. */
export const { api: client } = hc<App>("/", { fetch: reach });
const edge = client["ar-content"];
const content = edge[":id"];

export interface ContentQuery {
  q?: string;
  status?: MarkerStatus;
  project_id?: string;
  cursor?: string;
  limit?: number;
}

export function listContents(query: ContentQuery, signal?: AbortSignal): Promise<ContentPage> {
  return answer(edge.$get({ query }, { init: { signal } }));
}

export function getContent(id: string, signal?: AbortSignal): Promise<ArContent> {
  return answer(content.$get({ param: { id }, query: {} }, { init: { signal } }));
}

export function updateContent(
  id: string,
  change: Partial<Pick<ArContent, "title" | "description" | "is_active" | "project_id" | "expires_at">>,
): Promise<ArContent> {
  return answer(content.$patch({ param: { id }, json: change }));
}

export async function deleteContent(id: string): Promise<void> {
  await accepted(content.$delete({ param: { id } }));
}

export function listTasks(id: string, signal?: AbortSignal): Promise<{ items: CompileTask[] }> {
  return answer(content.tasks.$get({ param: { id } }, { init: { signal } }));
}

export async function listProjects(): Promise<Project[]> {
  return (await answer(client.projects.$get())).items;
}

export function createProject(name: string): Promise<Project> {
  return answer(client.projects.$post({ json: { name } }));
}

export function changeProject(id: string, change: ProjectChange): Promise<Project> {
  return answer(client.projects[":id"].$patch({ param: { id }, json: change }));
}

export interface AuditFilter {
  /** The first part of an action. */
  readonly subject?: string | undefined;
  readonly actor?: AuditEntry["actor"] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export async function listAudit(
  filter: AuditFilter,
  cursor?: string,
  signal?: AbortSignal,
): Promise<AuditPage> {
  return (await accepted(reach(`${AUDIT}?${auditQuery(filter, cursor)}`, { signal }))).json();
}

export function getUsage(signal?: AbortSignal): Promise<CompanyUsage> {
  return answer(client.company.usage.$get(undefined, { init: { signal } }));
}

/** Where the same is as a table. */
export function auditTable(filter: AuditFilter): string {
  return `${AUDIT}/export.csv?${auditQuery(filter)}`;
}

function auditQuery({ subject, actor, from, to }: AuditFilter, cursor?: string): URLSearchParams {
  const given = Object.entries({ subject, actor_id: actor?.id, from, to, cursor }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return new URLSearchParams(given);
}

/** Stores the original and takes the lease to compile it here. `onSent` gets the sent fraction, 0 to 1. */
export function submitPhoto(
  photo: File,
  title: string,
  /** Empty: the company's default one. */
  projectId: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  const form = new FormData();
  form.set("title", title);
  form.set("project_id", projectId);
  form.set("compile", "browser");
  form.set("image", photo, photo.name);
  return send("POST", CONTENTS, form, {}, onSent, signal);
}

/** Asks for a new compilation; for one in this browser the answer brings its lease. */
export function recompile(
  id: string,
  compile: "browser" | "server",
  maxFeatures: number | null,
): Promise<Submission> {
  const json = { compile, max_features: maxFeatures };
  return answer(content.marker.recompile.$post({ param: { id }, json }));
}

/** Takes the lease of a compilation that waits for the server. */
export function takeLease(id: string): Promise<Lease> {
  return answer(content.marker.lease.$post({ param: { id } }));
}

export function reportProgress(id: string, lease: Lease, progress: ProgressBody): Promise<Lease> {
  return answer(content.marker.progress.$post({ param: { id }, header: leaseHeader(lease), json: progress }));
}

/** Gives the work up: the Node compiler takes over at once. */
export async function releaseLease(id: string, lease: Lease): Promise<void> {
  await accepted(content.marker.lease.$delete({ param: { id }, header: leaseHeader(lease) }));
}

export function deliverMarker(id: string, lease: Lease, photo: CompiledPhoto): Promise<ArContent> {
  const form = new FormData();
  const { milliseconds, compilerVersion } = photo;
  form.set("metadata", JSON.stringify({ milliseconds, compiler_version: compilerVersion }));
  form.set("thumbnail", new Blob([photo.thumbnail], { type: "image/jpeg" }), "thumbnail.jpg");
  form.set("marker", new Blob([photo.marker], { type: "application/octet-stream" }), "marker.mind");
  return answer(content.marker.$put({ param: { id }, header: leaseHeader(lease) }, { init: { body: form } }));
}

export function putVideo(
  id: string,
  video: File,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<ArContent> {
  return send("PUT", `${CONTENTS}/${id}/video`, video, { "Content-Type": video.type }, onSent, signal);
}

export async function deleteVideo(id: string): Promise<void> {
  await accepted(content.video.$delete({ param: { id } }));
}

/** The bytes at one of our own addresses. */
export async function download(url: string, signal?: AbortSignal): Promise<Blob> {
  const response = await reach(url, { signal });
  if (!response.ok) throw await refusalOf(response);
  return response.blob();
}

function leaseHeader({ token }: Lease) {
  return { "vivimark-lease": token };
}

/** `fetch` whose failure to get an answer is an error of ours. What only reads waits when it asks too often. */
export async function reach(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const signal = init?.signal ?? undefined;
  const ask = async () => {
    try {
      return await fetch(input, init);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof TypeError ? new Unreachable() : error;
    }
  };
  return (init?.method ?? "GET") === "GET" ? patiently(ask, signal) : ask();
}

type Success<R> = R extends { ok: true; json(): Promise<infer T> } ? T : never;

/** The JSON of a success; a refusal is thrown. */
export async function answer<R extends ClientResponse<unknown>>(call: Promise<R>): Promise<Success<R>> {
  return (await accepted(call)).json() as Promise<Success<R>>;
}

export async function accepted<R extends Response | ClientResponse<unknown>>(call: Promise<R>): Promise<R> {
  const response = await call;
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** Sends something with progress, and reads the JSON that answers it. */
export async function send<T>(
  method: string,
  url: string,
  body: FormData | Blob,
  headers: Record<string, string>,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<T> {
  const request = await transfer(method, url, body, headers, onSent, signal);
  const { status, responseText: text } = request;
  if (status >= 400) throw refusal(status, text, request.getResponseHeader("Retry-After"));
  return JSON.parse(text);
}

/** A line on which nothing leaves for so long is broken, though nobody has said so. */
const SILENCE_MILLISECONDS = 120_000;

/**
 * An upload with progress, which only XMLHttpRequest reports. An abort stops it while bytes are leaving;
 * once all have left, the answer is waited for, so that the caller learns what was stored and can undo it.
 */
export function transfer(
  method: string,
  url: string,
  body: FormData | Blob,
  headers: Record<string, string>,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Pick<XMLHttpRequest, "status" | "responseText" | "getResponseHeader">> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MILLISECONDS);
    };
    listen();
    request.upload.onprogress = ({ loaded, total }) => {
      listen();
      onSent(total > 0 ? loaded / total : 0);
    };
    request.upload.onload = () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
      onSent(1);
    };
    request.onabort = () => reject(signal.aborted ? signal.reason : new Unreachable());
    request.onerror = () => reject(new Unreachable());
    request.onload = () => resolve(request);
    request.onloadend = () => {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
    };
    request.send(body);
  });
}

async function refusalOf(response: Response | ClientResponse<unknown>): Promise<Error> {
  return refusal(response.status, await response.text(), response.headers.get("Retry-After"));
}

/** As the API's sentences name times. */
const UTC_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** A refusal's problem details as an error; an answer that is none of ours is quoted by its status. */
function refusal(status: number, text: string, retryAfter: string | null): Error {
  const seconds = secondsToWait(status, retryAfter);
  const retryAt = seconds === null ? null : Date.now() + seconds * 1_000;
  try {
    const problem: Partial<Problem> = JSON.parse(text);
    if (problem.code === "unauthenticated") sessionEnded.onEnd();
    if (problem.code && problem.detail) {
      const words =
        retryAt === null
          ? problem.detail.replace(UTC_TIME, dateTime)
          : `${tooOften(problem.code)} Try again at ${moment(retryAt)}.`;
      return new ApiError(problem.code, status, words, problem.errors, retryAt);
    }
  } catch {
    // Not JSON: a proxy's page, or a crash before our error handler.
  }
  if (status === 502 || status === 503 || status === 504) return new Unreachable();
  return new ApiError("unexpected_answer", status, `The server answered with status ${status}.`, [], retryAt);
}

/** The API's own sentences name seconds from now; these stand on a page for longer. */
function tooOften(code: string): string {
  return code === "too_many_attempts" ? "Too many attempts." : "That was more than is allowed in one minute.";
}
