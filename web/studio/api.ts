import type {
  ArContent,
  CompileTask,
  ContentPage,
  Lease,
  MarkerStatus,
  Problem,
  ProgressBody,
  Submission,
} from "../../worker/schemas.ts";
import type { CompiledPhoto } from "../compile/protocol.ts";

/** The API said no. `code` is its machine-readable reason; the message is its sentence for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** No answer at all: offline, or the server is down. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";

  constructor() {
    super("Vivimark cannot be reached. Check the connection; nothing that was stored is lost.");
  }
}

const CONTENTS = "/api/ar-content";
const LEASE_HEADER = "Vivimark-Lease";

export interface ContentQuery {
  q?: string;
  status?: MarkerStatus;
  cursor?: string;
  limit?: number;
}

export function listContents(query: ContentQuery, signal?: AbortSignal): Promise<ContentPage> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
  return json(`${CONTENTS}?${search}`, { signal });
}

export function getContent(id: string, signal?: AbortSignal): Promise<ArContent> {
  return json(path(id), { signal });
}

export function updateContent(
  id: string,
  change: Partial<Pick<ArContent, "title" | "description" | "is_active">>,
): Promise<ArContent> {
  return json(path(id), { method: "PATCH", ...jsonBody(change) });
}

export function deleteContent(id: string): Promise<void> {
  return empty(path(id), { method: "DELETE" });
}

export function listTasks(id: string, signal?: AbortSignal): Promise<{ items: CompileTask[] }> {
  return json(`${path(id)}/tasks`, { signal });
}

/** Stores the original and takes the lease to compile it here. `onSent` gets the sent fraction, 0 to 1. */
export function submitPhoto(
  photo: File,
  title: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  const form = new FormData();
  form.set("title", title);
  form.set("compile", "browser");
  form.set("image", photo, photo.name);
  return send("POST", CONTENTS, form, {}, onSent, signal);
}

export function recompile(
  id: string,
  where: "browser" | "server",
  maxFeatures: number | null,
): Promise<Submission> {
  return json(`${path(id)}/marker/recompile`, {
    method: "POST",
    ...jsonBody({ compile: where, max_features: maxFeatures }),
  });
}

export function reportProgress(id: string, lease: Lease, progress: ProgressBody): Promise<Lease> {
  const { headers, body } = jsonBody(progress);
  return json(`${path(id)}/marker/progress`, {
    method: "POST",
    headers: { ...headers, [LEASE_HEADER]: lease.token },
    body,
  });
}

/** Gives the work up: the Node compiler takes over at once. */
export function releaseLease(id: string, lease: Lease): Promise<void> {
  return empty(`${path(id)}/marker/lease`, { method: "DELETE", headers: { [LEASE_HEADER]: lease.token } });
}

export function deliverMarker(id: string, lease: Lease, photo: CompiledPhoto): Promise<ArContent> {
  const form = new FormData();
  form.set("metadata", JSON.stringify({ milliseconds: photo.milliseconds }));
  form.set("thumbnail", new Blob([photo.thumbnail], { type: "image/jpeg" }), "thumbnail.jpg");
  form.set("marker", new Blob([photo.marker], { type: "application/octet-stream" }), "marker.mind");
  return json(`${path(id)}/marker`, {
    method: "PUT",
    headers: { [LEASE_HEADER]: lease.token },
    body: form,
  });
}

export function putVideo(
  id: string,
  video: File,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<ArContent> {
  return send("PUT", `${path(id)}/video`, video, { "Content-Type": video.type }, onSent, signal);
}

export function deleteVideo(id: string): Promise<void> {
  return empty(`${path(id)}/video`, { method: "DELETE" });
}

/** The bytes of one of our own media addresses. */
export async function download(url: string, signal?: AbortSignal): Promise<Blob> {
  return (await answered(url, { signal })).blob();
}

function path(id: string): string {
  return `${CONTENTS}/${encodeURIComponent(id)}`;
}

function jsonBody(value: unknown) {
  return { headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) };
}

async function json<T>(url: string, init: RequestInit): Promise<T> {
  return (await answered(url, init)).json();
}

async function empty(url: string, init: RequestInit): Promise<void> {
  await answered(url, init);
}

async function answered(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason;
    throw error instanceof TypeError ? new Unreachable() : error;
  }
  if (!response.ok) throw refusal(response.status, await response.text());
  return response;
}

/**
 * An upload with progress, which only XMLHttpRequest reports. An abort stops it while bytes are leaving;
 * once all have left, the answer is waited for, so that the caller learns what was stored and can undo it.
 */
function send<T>(
  method: string,
  url: string,
  body: FormData | Blob,
  headers: Record<string, string>,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.upload.onload = () => {
      signal.removeEventListener("abort", abort);
      onSent(1);
    };
    request.onabort = () => reject(signal.reason);
    request.onerror = () => reject(new Unreachable());
    request.onload = () => {
      if (request.status >= 400) return reject(refusal(request.status, request.responseText));
      try {
        resolve(JSON.parse(request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.send(body);
  });
}

/** A refusal's problem details as an error; an answer that is none of ours is quoted by its status. */
function refusal(status: number, text: string): Error {
  try {
    const problem: Partial<Problem> = JSON.parse(text);
    if (problem.code && problem.detail) return new ApiError(problem.code, status, problem.detail);
  } catch {
    // Not JSON: a proxy's page, or a crash before our error handler.
  }
  if (status === 502 || status === 503 || status === 504) return new Unreachable();
  return new ApiError("unexpected_answer", status, `The server answered with status ${status}.`);
}
