// The tree of files behind the test server: what one person's Yandex Disk holds. See server.ts.

import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";

const MAX_NAME_LENGTH = 255;
const MAX_PATH_LENGTH = 32_760;

/** An answer of the API that is no success: `{error, description, message}` under this status. */
export class DiskError extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, description: string) {
    super(description);
    this.status = status;
    this.error = error;
  }
}

/** Bytes that were uploaded, in a file of their own; several resources may share them. */
export interface Content {
  readonly id: string;
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

export interface Resource {
  readonly id: string;
  /** null for a folder. */
  readonly content: Content | null;
  readonly created: Date;
  readonly modified: Date;
  publicKey: string | null;
}

export interface Operation {
  readonly id: string;
  /** Everything at, below or above these paths is locked until the operation ends. */
  readonly paths: readonly string[];
  pollsLeft: number;
  readonly fails: boolean;
  status: "in-progress" | "success" | "failed";
  readonly apply: () => void;
}

/** Where the app folder lies; `app:/` is another name of it. */
const APP_FOLDER = "/Приложения/Vivimark";

/**
 * Paths in here are absolute and without a scheme: `/`, `/a/b.mp4`. Listings keep the order in which things
 * were made.
 */
export class Disk {
  readonly #resources = new Map<string, Resource>();
  readonly #operations = new Map<string, Operation>();

  constructor() {
    for (const path of ["/", "/Приложения", APP_FOLDER]) this.#resources.set(path, folder());
  }

  get usedSpace(): number {
    let used = 0;
    for (const { content } of this.#resources.values()) used += content?.size ?? 0;
    return used;
  }

  /** The path that an API parameter names: `disk:/a`, `app:/a`, `/a` and `a` are allowed spellings. */
  resolve(parameter: string | null, appOnly: boolean): string {
    if (!parameter) throw invalid('Error validating field "path": This field is required.');
    const [, scheme, rest] = parameter.match(/^(?:(disk|app|[^/]*):)?(.*)$/s)!;
    const known = scheme === undefined ? !rest.includes(":") : scheme === "disk" || scheme === "app";
    if (!known) throw invalid('Error validating field "path": Not an allowed scheme.');
    const names = rest.split("/").filter((name) => name !== "");
    if (parameter.length > MAX_PATH_LENGTH || names.some((name) => name.length > MAX_NAME_LENGTH)) {
      throw invalid('Error validating field "path": Too long.');
    }
    const inApp = scheme === "app" ? APP_FOLDER : "";
    const path =
      names.length === 0 && inApp === "" ? "/" : `${inApp}${names.map((name) => `/${name}`).join("")}`;
    if (appOnly && path !== APP_FOLDER && !path.startsWith(`${APP_FOLDER}/`)) {
      throw new DiskError(
        403,
        "ForbiddenError",
        "Access denied: the application may only use its own folder.",
      );
    }
    return path;
  }

  find(path: string): Resource | undefined {
    return this.#resources.get(path);
  }

  get(path: string): Resource {
    const resource = this.#resources.get(path);
    if (!resource) throw new DiskError(404, "DiskNotFoundError", "Resource not found.");
    return resource;
  }

  byPublicKey(key: string): [path: string, Resource] {
    for (const entry of this.#resources) if (entry[1].publicKey === key) return entry;
    throw new DiskError(404, "DiskNotFoundError", "Resource not found.");
  }

  children(path: string): [path: string, Resource][] {
    const prefix = path === "/" ? "/" : `${path}/`;
    return [...this.#resources].filter(
      ([other]) =>
        other.length > prefix.length && other.startsWith(prefix) && !other.includes("/", prefix.length),
    );
  }

  /** 423 while an operation in progress touches the path. */
  checkLocks(...paths: string[]): void {
    for (const operation of this.#operations.values()) {
      if (operation.status !== "in-progress") continue;
      for (const path of paths) {
        if (operation.paths.some((locked) => contains(locked, path) || contains(path, locked))) {
          throw new DiskError(423, "DiskResourceLockedError", `Resource "disk:${path}" is locked.`);
        }
      }
    }
  }

  checkParent(path: string): void {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    const found = this.#resources.get(parent);
    if (!found || found.content) {
      throw new DiskError(409, "DiskPathDoesntExistsError", `Specified path "disk:${path}" doesn't exists.`);
    }
  }

  createFolder(path: string): void {
    this.checkLocks(path);
    const existing = this.#resources.get(path);
    if (existing?.content === null) {
      throw new DiskError(
        409,
        "DiskPathPointsToExistentDirectoryError",
        `Specified path "disk:${path}" points to existent directory.`,
      );
    }
    if (existing) throw alreadyExists(path);
    this.checkParent(path);
    this.#resources.set(path, folder());
  }

  /** Before an upload: may this path be written? */
  checkUpload(path: string, overwrite: boolean): void {
    this.checkLocks(path);
    const existing = this.#resources.get(path);
    if (existing && (existing.content === null || !overwrite)) throw alreadyExists(path);
    this.checkParent(path);
  }

  write(path: string, content: Content): void {
    const now = new Date();
    const old = this.#resources.get(path);
    this.#resources.set(path, {
      id: randomUUID(),
      content,
      created: old?.created ?? now,
      modified: now,
      publicKey: null,
    });
    this.#forget(old?.content);
  }

  delete(path: string): void {
    for (const [other, { content }] of [...this.#resources]) {
      if (!contains(path, other)) continue;
      this.#resources.delete(other);
      this.#forget(content);
    }
  }

  checkMove(from: string, to: string, overwrite: boolean): void {
    this.checkLocks(from, to);
    this.get(from);
    if (this.#resources.has(to) && !overwrite) throw alreadyExists(to);
    this.checkParent(to);
  }

  /** With `keep` the source stays: a copy. Whatever was at the goal is gone afterwards, a folder too. */
  move(from: string, to: string, keep: boolean): void {
    if (from === to) return;
    const moved = [...this.#resources].filter(([path]) => contains(from, path));
    const replaced = [...this.#resources].filter(([path]) => contains(to, path) && !contains(from, path));
    for (const [path] of replaced) this.#resources.delete(path);
    for (const [path, resource] of moved) {
      if (!keep) this.#resources.delete(path);
      this.#resources.set(to + path.slice(from.length), keep ? { ...resource, id: randomUUID() } : resource);
    }
    for (const [, { content }] of replaced) this.#forget(content);
  }

  start(
    operation: Omit<Operation, "id" | "status">,
    id: string = randomUUID().replaceAll("-", ""),
  ): Operation {
    const started: Operation = { ...operation, id, status: "in-progress" };
    this.#operations.set(id, started);
    return started;
  }

  /** Each question brings the operation one step further: nothing depends on the clock. */
  poll(id: string): Operation {
    const operation = this.#operations.get(id);
    if (!operation) throw new DiskError(404, "DiskOperationNotFoundError", "Operation not found.");
    if (operation.status === "in-progress" && operation.pollsLeft-- <= 0) {
      operation.status = operation.fails ? "failed" : "success";
      if (!operation.fails) operation.apply();
    }
    return operation;
  }

  #forget(content: Content | null | undefined): void {
    if (!content) return;
    for (const other of this.#resources.values()) if (other.content?.id === content.id) return;
    void rm(content.file, { force: true });
  }
}

function folder(): Resource {
  const now = new Date();
  return { id: randomUUID(), content: null, created: now, modified: now, publicKey: null };
}

function contains(path: string, other: string): boolean {
  return other === path || other.startsWith(path === "/" ? "/" : `${path}/`);
}

function alreadyExists(path: string): DiskError {
  return new DiskError(409, "DiskResourceAlreadyExistsError", `Resource "disk:${path}" already exists.`);
}

function invalid(description: string): DiskError {
  return new DiskError(400, "FieldValidationError", description);
}
